//! What the store says of a name that logs in by SCRAM.

use std::sync::Arc;

use barnabas_auth::sasl::Login;
use barnabas_auth::scram::message::ClientFirst;
use barnabas_auth::scram::{Candidate, Decoys};
use barnabas_auth::{Principal, ScramMechanism};
use barnabas_raft::MetadataImage;

/// What is known of a user. A decoy is made for everyone, so that it takes no longer for those who need one.
pub(super) fn find(
    image: &MetadataImage,
    decoys: &Decoys,
    mechanism: ScramMechanism,
    first: &ClientFirst,
) -> Candidate {
    let decoy = Arc::new(decoys.credential(mechanism, &first.user));
    let known = image.scram_credentials(&first.user).and_then(|user| user.get(mechanism));
    match known {
        Some(credential) => {
            let login = Login { principal: Principal::user(first.user.clone()), expires_ms: None, is_token: false };
            Candidate { credential: Arc::clone(credential), login: Some(login) }
        }
        None => Candidate { credential: decoy, login: None },
    }
}
