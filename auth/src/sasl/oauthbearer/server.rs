//! The server's side of one exchange. The token itself is checked by whoever has keys and a clock, between the two calls.
//!
//! Invariants:
//! 1. A login is given at most once, for a token that was found good, to whoever it names.
//! 2. A token that was refused is answered once with [`INVALID_TOKEN`]; whatever the client says then, the exchange has failed.
//!
//! Where it differs from Apache Kafka: after a refused token no other one is looked at.

use super::{ClientInitial, INVALID_TOKEN};
use crate::jwt::Bearer;
use crate::principal::Principal;
use crate::sasl::Login;

/// Why an exchange ended without a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OauthBearerError {
    /// Not of the form that Kafka takes, or too long.
    #[error("the message is malformed")]
    Malformed,
    /// The client has taken notice of its token's refusal.
    #[error("the token was refused")]
    Refused,
    /// The client wants to act as somebody else than its token names.
    #[error("the authorization id is not the token's principal")]
    AuthorizationId,
    /// A message after the last one.
    #[error("the exchange is over")]
    Over,
}

/// What the client is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has logged in: an empty message.
    Done(Login),
    /// Its token was refused: this message, to which it has to answer.
    Refused(&'static str),
}

/// One exchange.
#[derive(Debug, Default)]
pub struct OauthBearerServer {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Initial,
    Checking,
    Refused,
    Over,
}

impl OauthBearerServer {
    /// Takes a message: the first has a token that is to be checked.
    ///
    /// # Errors
    /// `Malformed`, `Refused`, `Over`; the exchange is over then.
    pub fn take(&mut self, message: &[u8]) -> Result<ClientInitial, OauthBearerError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Initial => {
                let initial = ClientInitial::read(message)?;
                self.state = State::Checking;
                Ok(initial)
            }
            State::Refused => Err(OauthBearerError::Refused),
            State::Checking | State::Over => Err(OauthBearerError::Over),
        }
    }

    /// Answers it; `bearer` is whose the token is, if it is good.
    ///
    /// # Errors
    /// `AuthorizationId`, `Over`; the exchange is over then.
    pub fn answer(&mut self, initial: &ClientInitial, bearer: Option<Bearer>) -> Result<Answer, OauthBearerError> {
        if std::mem::replace(&mut self.state, State::Over) != State::Checking {
            return Err(OauthBearerError::Over);
        }
        let Some(bearer) = bearer else {
            self.state = State::Refused;
            return Ok(Answer::Refused(INVALID_TOKEN));
        };
        if !initial.authorization_id.is_empty() && initial.authorization_id != bearer.name {
            return Err(OauthBearerError::AuthorizationId);
        }
        let Bearer { name, expires_ms } = bearer;
        Ok(Answer::Done(Login { principal: Principal::user(name), expires_ms: Some(expires_ms), is_token: false }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST: &[u8] = b"n,,\x01auth=Bearer abc\x01\x01";

    fn bearer(name: &str) -> Bearer {
        Bearer { name: name.to_owned(), expires_ms: 7000 }
    }

    fn login(name: &str) -> Login {
        Login { principal: Principal::user(name.to_owned()), expires_ms: Some(7000), is_token: false }
    }

    #[test]
    fn a_good_token_logs_in_whom_it_names_and_once() {
        let mut server = OauthBearerServer::default();
        let initial = server.take(FIRST).unwrap();
        assert_eq!(initial.token, "abc");
        assert_eq!(server.answer(&initial, Some(bearer("alice"))), Ok(Answer::Done(login("alice"))));
        assert_eq!(server.answer(&initial, Some(bearer("alice"))), Err(OauthBearerError::Over));
        assert_eq!(server.take(FIRST), Err(OauthBearerError::Over));
    }

    #[test]
    fn a_refused_token_is_answered_once_and_ends_the_exchange() {
        for reply in [&[super::super::SEPARATOR][..], FIRST, b"", b"x"] {
            let mut server = OauthBearerServer::default();
            let initial = server.take(FIRST).unwrap();
            assert_eq!(server.answer(&initial, None), Ok(Answer::Refused(r#"{"status":"invalid_token"}"#)));
            assert_eq!(server.take(reply), Err(OauthBearerError::Refused));
            assert_eq!(server.take(FIRST), Err(OauthBearerError::Over));
            assert_eq!(server.answer(&initial, Some(bearer("alice"))), Err(OauthBearerError::Over));
        }
    }

    #[test]
    fn nobody_acts_as_another_than_the_token_names() {
        let answer = |id: &str, name: &str| {
            let mut server = OauthBearerServer::default();
            let initial = server.take(format!("n,a={id},\x01auth=Bearer abc\x01\x01").as_bytes()).unwrap();
            server.answer(&initial, Some(bearer(name)))
        };
        assert_eq!(answer("alice", "alice"), Ok(Answer::Done(login("alice"))));
        assert_eq!(answer("root", "alice"), Err(OauthBearerError::AuthorizationId));
    }

    #[test]
    fn nothing_is_answered_before_a_message_and_a_malformed_one_ends_the_exchange() {
        let mut server = OauthBearerServer::default();
        let initial = ClientInitial::read(FIRST).unwrap();
        assert_eq!(server.answer(&initial, Some(bearer("alice"))), Err(OauthBearerError::Over));
        let mut server = OauthBearerServer::default();
        assert_eq!(server.take(b"\x01"), Err(OauthBearerError::Malformed));
        assert_eq!(server.take(FIRST), Err(OauthBearerError::Over));
    }

    proptest! {
        #[test]
        fn no_messages_panic_or_log_in(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..32), 0..4)) {
            let mut server = OauthBearerServer::default();
            for message in messages {
                if let Ok(initial) = server.take(&message) {
                    prop_assert!(!matches!(server.answer(&initial, None), Ok(Answer::Done(_))));
                }
            }
        }
    }
}
