//! GSSAPI (RFC 4752): the server's side of one exchange. First the tokens of a security context, whose cryptography is a library's;
//! then the two sides agree that what follows the login is not protected by it: TLS is for that.
//!
//! Invariants:
//! 1. A login is given at most once, in the last step, to whom the established context names.
//! 2. After an error no token is looked at.
//! 3. A context has [`CONTEXT_TOKENS_MAX`] tokens of the client to be established.
//!
//! As in Apache Kafka, whom the client wants to act as is passed over: it is who its ticket says. Where it differs: the size of
//! messages that we take under protection is said to be 0, as the RFC has it where none is offered, Kafka's is 65536; an error of the
//! context is answered like other wrong credentials, where Kafka closes the connection for a replay or a ticket that is not valid yet.

use std::fmt;

use super::Login;
use crate::kerberos::{NoShortName, ShortNames};
use crate::principal::Principal;

/// Tokens of the client until its context is established: Kerberos needs one, or two.
pub const CONTEXT_TOKENS_MAX: u8 = 4;

/// The bit of "no protection" in the server's offer and the client's choice.
const NO_PROTECTION: u8 = 1;
/// What we offer: no protection, and no messages under it.
const OFFER: [u8; 4] = [NO_PROTECTION, 0, 0, 0];

/// What a library of Kerberos does for one exchange. Its calls may block.
pub trait SecurityContext: Send {
    /// Takes a token of the client's; returns ours, which may be empty.
    ///
    /// # Errors
    /// What the library says.
    fn accept(&mut self, token: &[u8]) -> Result<Vec<u8>, ContextError>;

    /// Whether both sides know each other.
    fn is_established(&self) -> bool;

    /// The client's name, as `alice@REALM`.
    ///
    /// # Errors
    /// What the library says.
    fn initiator(&self) -> Result<String, ContextError>;

    /// Signs a message (GSS_Wrap without confidentiality).
    ///
    /// # Errors
    /// What the library says.
    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, ContextError>;

    /// Checks what the client has signed, and returns the message (GSS_Unwrap).
    ///
    /// # Errors
    /// What the library says.
    fn open(&mut self, token: &[u8]) -> Result<Vec<u8>, ContextError>;
}

/// What the library says of a failure, in one line. It never has a key or a ticket in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ContextError(pub String);

/// Why an exchange ended without a login.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GssapiError {
    /// The context failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The context is not established after [`CONTEXT_TOKENS_MAX`] tokens.
    #[error("the security context wants more than {} tokens", CONTEXT_TOKENS_MAX)]
    Endless,
    /// A token where nothing is left to be said, or a choice that is none.
    #[error("the message is malformed")]
    Malformed,
    /// The client chose what was not offered.
    #[error("the client wants messages protected (choice {0}), and only a login is offered: use TLS")]
    Protection(u8),
    /// The client is nobody here.
    #[error(transparent)]
    Name(#[from] NoShortName),
    /// A message after the last one.
    #[error("the exchange is over")]
    Over,
}

/// What the client is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This token; another one of the client's is to follow.
    More(Vec<u8>),
    /// It has logged in: an empty message.
    Done(Login),
}

/// One exchange.
pub struct GssapiServer {
    context: Box<dyn SecurityContext>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many tokens were taken.
    Establishing(u8),
    /// Our last token of the context is out: the client has none.
    Established,
    /// Our offer is out.
    Offered,
    Over,
}

impl fmt::Debug for GssapiServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GssapiServer").field("state", &self.state).finish_non_exhaustive()
    }
}

impl GssapiServer {
    /// With a fresh context.
    #[must_use]
    pub fn new(context: Box<dyn SecurityContext>) -> Self {
        Self { context, state: State::Establishing(0) }
    }

    /// Takes a token. May block.
    ///
    /// # Errors
    /// See [`GssapiError`]; the exchange is over then.
    pub fn take(&mut self, token: &[u8], names: &ShortNames) -> Result<Answer, GssapiError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Establishing(taken) => self.establish(token, taken + 1),
            State::Established if token.is_empty() => self.offer(),
            State::Established => Err(GssapiError::Malformed),
            State::Offered => self.agree(token, names).map(Answer::Done),
            State::Over => Err(GssapiError::Over),
        }
    }

    /// Whom the ticket names, once the context is established: also after an error.
    #[must_use]
    pub fn initiator(&self) -> Option<String> {
        self.context.is_established().then(|| self.context.initiator().ok()).flatten()
    }

    fn establish(&mut self, token: &[u8], taken: u8) -> Result<Answer, GssapiError> {
        let ours = self.context.accept(token)?;
        if self.context.is_established() {
            if ours.is_empty() {
                return self.offer();
            }
            self.state = State::Established;
        } else if taken < CONTEXT_TOKENS_MAX {
            self.state = State::Establishing(taken);
        } else {
            return Err(GssapiError::Endless);
        }
        Ok(Answer::More(ours))
    }

    fn offer(&mut self) -> Result<Answer, GssapiError> {
        let offer = self.context.wrap(&OFFER)?;
        self.state = State::Offered;
        Ok(Answer::More(offer))
    }

    /// The client's choice: a bit, a size in three bytes, and whom it wants to act as.
    fn agree(&mut self, token: &[u8], names: &ShortNames) -> Result<Login, GssapiError> {
        let choice = self.context.open(token)?;
        match choice.first_chunk::<{ OFFER.len() }>() {
            Some([NO_PROTECTION, ..]) => {}
            Some([other, ..]) => return Err(GssapiError::Protection(*other)),
            None => return Err(GssapiError::Malformed),
        }
        let name = names.of(&self.context.initiator()?)?;
        Ok(Login { principal: Principal::user(name), expires_ms: None, is_token: false })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kerberos::ShortNameRules;

    /// A context that wants so many tokens, has an answer to the last one or none, and signs with an exclamation mark.
    struct Fake {
        wants: u8,
        last: &'static [u8],
        initiator: &'static str,
    }

    impl SecurityContext for Fake {
        fn accept(&mut self, token: &[u8]) -> Result<Vec<u8>, ContextError> {
            if token != b"ticket" {
                return Err(ContextError("no ticket".to_owned()));
            }
            self.wants = self.wants.saturating_sub(1);
            Ok(if self.wants == 0 { self.last.to_vec() } else { b"go on".to_vec() })
        }

        fn is_established(&self) -> bool {
            self.wants == 0
        }

        fn initiator(&self) -> Result<String, ContextError> {
            Ok(self.initiator.to_owned())
        }

        fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, ContextError> {
            Ok([message, b"!"].concat())
        }

        fn open(&mut self, token: &[u8]) -> Result<Vec<u8>, ContextError> {
            token.strip_suffix(b"!").map(<[u8]>::to_vec).ok_or_else(|| ContextError("no signature".to_owned()))
        }
    }

    fn server(wants: u8, last: &'static [u8], initiator: &'static str) -> GssapiServer {
        GssapiServer::new(Box::new(Fake { wants, last, initiator }))
    }

    fn take(server: &mut GssapiServer, token: &[u8]) -> Result<Answer, GssapiError> {
        let rules = ShortNameRules::parse("DEFAULT").unwrap();
        server.take(token, &ShortNames::new(rules, "R".to_owned()))
    }

    fn more(token: &[u8]) -> Result<Answer, GssapiError> {
        Ok(Answer::More(token.to_vec()))
    }

    fn done(name: &str) -> Result<Answer, GssapiError> {
        Ok(Answer::Done(Login { principal: Principal::user(name.to_owned()), expires_ms: None, is_token: false }))
    }

    #[test]
    fn a_ticket_logs_in_whom_it_names_and_once() {
        let mut server = server(1, b"known", "alice@R");
        assert_eq!(take(&mut server, b"ticket"), more(b"known"));
        assert_eq!(take(&mut server, b""), more(b"\x01\0\0\0!"));
        assert_eq!(take(&mut server, b"\x01\0\0\0!"), done("alice"));
        assert_eq!(take(&mut server, b"\x01\0\0\0!"), Err(GssapiError::Over));
    }

    #[test]
    fn without_a_last_token_of_the_context_the_offer_follows_at_once() {
        let mut server = server(2, b"", "kafka/host@R");
        assert_eq!(take(&mut server, b"ticket"), more(b"go on"));
        assert_eq!(take(&mut server, b"ticket"), more(b"\x01\0\0\0!"));
        assert_eq!(take(&mut server, b"\x01\x01\0\0kafka/host@R!"), done("kafka"));
    }

    #[test]
    fn whom_the_client_wants_to_act_as_is_passed_over() {
        let mut server = server(1, b"", "alice@R");
        assert_eq!(take(&mut server, b"ticket"), more(b"\x01\0\0\0!"));
        assert_eq!(take(&mut server, b"\x01\0\0\0admin@R!"), done("alice"));
    }

    #[test]
    fn a_wrong_token_ends_the_exchange() {
        let refused = |tokens: &[&[u8]]| {
            let mut server = server(1, b"known", "alice@R");
            let (last, before) = tokens.split_last().unwrap();
            assert!(before.iter().all(|token| take(&mut server, token).is_ok()));
            let error = take(&mut server, last).unwrap_err();
            assert_eq!(take(&mut server, b"ticket"), Err(GssapiError::Over));
            error
        };
        assert_eq!(refused(&[b"x"]), GssapiError::Context(ContextError("no ticket".to_owned())));
        assert_eq!(refused(&[b"ticket", b"x"]), GssapiError::Malformed);
        assert_eq!(
            refused(&[b"ticket", b"", b"\x01\0\0\0"]),
            GssapiError::from(ContextError("no signature".to_owned()))
        );
        assert_eq!(refused(&[b"ticket", b"", b"\x01\0\0!"]), GssapiError::Malformed);
        assert_eq!(refused(&[b"ticket", b"", b"\x04\0\0\0!"]), GssapiError::Protection(4));
    }

    #[test]
    fn a_context_that_is_never_established_ends() {
        let mut server = server(u8::MAX, b"", "alice@R");
        for _ in 1..CONTEXT_TOKENS_MAX {
            assert_eq!(take(&mut server, b"ticket"), more(b"go on"));
        }
        assert_eq!(take(&mut server, b"ticket"), Err(GssapiError::Endless));
    }

    #[test]
    fn who_has_no_short_name_is_not_let_in() {
        let mut server = server(1, b"", "alice@ELSEWHERE");
        assert_eq!(server.initiator(), None);
        assert!(take(&mut server, b"ticket").is_ok());
        assert!(matches!(take(&mut server, b"\x01\0\0\0!"), Err(GssapiError::Name(NoShortName::NoRule(_)))));
        assert_eq!(server.initiator().as_deref(), Some("alice@ELSEWHERE"), "the audit tells who it was");
    }

    proptest! {
        #[test]
        fn nobody_logs_in_without_a_ticket(tokens in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..6),
            Just(b"\x01\0\0\0!".to_vec()),
        ], 0..6)) {
            let mut server = server(1, b"known", "alice@R");
            for token in tokens {
                prop_assert!(take(&mut server, &token).is_err());
            }
        }
    }
}
