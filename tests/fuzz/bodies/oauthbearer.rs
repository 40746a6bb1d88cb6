//! OAUTHBEARER: messages of any bytes, separated by zeros, and tokens that are good now and then. A login is made at most once, and
//! never after a refusal.

use barnabas_auth::jwt::Bearer;
use barnabas_auth::sasl::oauthbearer::{Answer, OauthBearerServer};

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let Some((good, messages)) = bytes.split_first() else { return };
    let (mut server, mut is_over) = (OauthBearerServer::default(), false);
    for (at, message) in messages.split(|byte| *byte == 0).take(8).enumerate() {
        let Ok(initial) = server.take(message) else { continue };
        let bearer = (good >> at & 1 == 1).then(|| Bearer { name: "alice".to_owned(), expires_ms: 1 });
        match server.answer(&initial, bearer) {
            Ok(Answer::Done(login)) => {
                assert!(!is_over && login.principal.name == "alice");
                is_over = true;
            }
            Ok(Answer::Refused(_)) | Err(_) => is_over = true,
        }
    }
}
