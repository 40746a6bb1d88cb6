//! Where a connection is on its way to a login: which request it may send next.
//!
//! Invariants:
//! 1. Before a login: ApiVersions until one was answered, then SaslHandshake, then nothing but tokens.
//! 2. After a failure nothing is read any more, and the connection closes when its answer is out.
//! 3. While a session is renewed nothing but tokens is read, so that no request runs under a doubtful principal.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use barnabas_auth::Mechanism;
use barnabas_auth::sasl::gssapi::GssapiServer;
use barnabas_auth::sasl::oauthbearer::OauthBearerServer;
use barnabas_auth::scram::ScramServer;
use parking_lot::Mutex;

use crate::api::CloseReason;
use crate::audit::event::Text;
use crate::limits::LOGIN_REQUESTS_MAX;

/// Keys of the requests that lead to a login.
const SASL_HANDSHAKE_KEY: i16 = 17;
const API_VERSIONS_KEY: i16 = 18;
const SASL_AUTHENTICATE_KEY: i16 = 36;

/// How tokens travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// In SaslAuthenticate requests.
    InRequests,
    /// After a SaslHandshake of version 0: a length and the token, without any header.
    Bare,
}

/// What an exchange keeps between two tokens.
#[derive(Debug)]
pub enum Exchange {
    /// PLAIN: nothing.
    Plain,
    /// SCRAM.
    Scram(Box<ScramServer>),
    /// OAUTHBEARER.
    OauthBearer(OauthBearerServer),
    /// GSSAPI.
    Gssapi(Box<GssapiServer>),
}

/// Where a conversation is.
#[derive(Debug)]
pub enum State {
    /// Nothing was answered yet.
    Begun,
    /// ApiVersions was answered.
    VersionsTold,
    /// Tokens are expected.
    Exchanging {
        /// By which mechanism.
        mechanism: Mechanism,
        /// What it keeps; `None` while a token is looked at.
        exchange: Option<Exchange>,
        /// How they come.
        tokens: Tokens,
    },
    /// Logged in, or no login is asked for.
    Done,
    /// Failed.
    Failed,
}

#[derive(Debug)]
struct Conversation {
    state: State,
    /// Requests before the login.
    requests: u32,
    /// The mechanism of the first login.
    mechanism: Option<Mechanism>,
    /// When the last login was made, on the monotonic clock.
    logged_in: Option<Duration>,
    /// Whom the client claims to be, while it has not proven it.
    claimed: Option<Text>,
}

/// The conversation of one connection. Requests are looked at one after the other; the lock is never waited for.
#[derive(Debug)]
pub struct ConversationCell {
    /// Whether `conversation` has to be asked at all.
    stage: AtomicU8,
    conversation: Mutex<Conversation>,
}

/// Requests are served as they come.
const OPEN: u8 = 0;
/// A login is under way.
const LOGGING_IN: u8 = 1;
/// The connection is to be closed.
const OVER: u8 = 2;

impl ConversationCell {
    /// Of a new connection; `asks` when its listener asks for a login.
    #[must_use]
    pub fn new(asks: bool) -> Self {
        let state = if asks { State::Begun } else { State::Done };
        let conversation = Conversation { state, requests: 0, mechanism: None, logged_in: None, claimed: None };
        Self { stage: AtomicU8::new(if asks { LOGGING_IN } else { OPEN }), conversation: Mutex::new(conversation) }
    }

    /// Whether requests are served as they come.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.stage.load(Ordering::Acquire) == OPEN
    }

    /// Whether the connection is to be closed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stage.load(Ordering::Acquire) == OVER
    }

    /// Whether the next frame is a bare token.
    #[must_use]
    pub fn expects_bare_token(&self) -> bool {
        !self.is_open() && matches!(self.conversation.lock().state, State::Exchanging { tokens: Tokens::Bare, .. })
    }

    /// Whether a request of this API may come now, while a login is under way.
    ///
    /// # Errors
    /// When the connection is to be closed.
    pub fn admit(&self, key: i16, name: &'static str) -> Result<(), CloseReason> {
        let mut conversation = self.conversation.lock();
        conversation.requests += 1;
        let may = match &conversation.state {
            State::Begun => matches!(key, API_VERSIONS_KEY | SASL_HANDSHAKE_KEY),
            State::VersionsTold => key == SASL_HANDSHAKE_KEY,
            // The first two are answered that they come at the wrong time.
            State::Exchanging { .. } => {
                matches!(key, API_VERSIONS_KEY | SASL_HANDSHAKE_KEY | SASL_AUTHENTICATE_KEY)
            }
            State::Done => true,
            State::Failed => false,
        };
        if may && conversation.requests <= LOGIN_REQUESTS_MAX {
            Ok(())
        } else {
            Err(CloseReason::NotAuthenticated(name))
        }
    }

    /// ApiVersions is being answered. False when it comes at the wrong time: the connection closes after its answer.
    #[must_use]
    pub fn tell_versions(&self) -> bool {
        if self.is_open() {
            return true;
        }
        let mut conversation = self.conversation.lock();
        match conversation.state {
            State::Begun => conversation.state = State::VersionsTold,
            State::VersionsTold | State::Done => {}
            State::Exchanging { .. } | State::Failed => {
                drop(conversation);
                self.fail();
                return false;
            }
        }
        true
    }

    /// An exchange begins. False when it may not now: the connection closes after its answer.
    #[must_use]
    pub fn begin(&self, mechanism: Mechanism, exchange: Exchange, tokens: Tokens) -> bool {
        let mut conversation = self.conversation.lock();
        match conversation.state {
            State::Begun | State::VersionsTold | State::Done => {
                conversation.state = State::Exchanging { mechanism, exchange: Some(exchange), tokens };
                conversation.requests = 0;
                conversation.claimed = None;
                self.stage.store(LOGGING_IN, Ordering::Release);
                true
            }
            State::Exchanging { .. } | State::Failed => {
                drop(conversation);
                self.fail();
                false
            }
        }
    }

    /// The mechanism of the exchange that is under way.
    #[must_use]
    pub fn exchanging(&self) -> Option<Mechanism> {
        match self.conversation.lock().state {
            State::Exchanging { mechanism, .. } => Some(mechanism),
            State::Begun | State::VersionsTold | State::Done | State::Failed => None,
        }
    }

    /// What the exchange keeps, taken out of it to look at a token; `None` outside an exchange.
    #[must_use]
    pub fn take(&self) -> Option<(Mechanism, Exchange)> {
        match &mut self.conversation.lock().state {
            State::Exchanging { mechanism, exchange, .. } => Some((*mechanism, exchange.take()?)),
            State::Begun | State::VersionsTold | State::Done | State::Failed => None,
        }
    }

    /// The client says who it is, as a principal of `kind`: kept, cut, for the word of how its login ended.
    pub fn claim(&self, kind: &str, name: &str) {
        self.conversation.lock().claimed = Some(Text::of(&format!("{kind}:{name}")));
    }

    /// Whom the client of a login that is under way, or has failed, claims to be.
    #[must_use]
    pub fn claimed(&self) -> Option<Text> {
        self.conversation.lock().claimed.clone()
    }

    /// Another token is expected.
    pub fn put_back(&self, of: Mechanism, kept: Exchange) {
        if let State::Exchanging { mechanism, exchange, .. } = &mut self.conversation.lock().state
            && *mechanism == of
        {
            *exchange = Some(kept);
        }
    }

    /// The login is made.
    pub fn done(&self, mechanism: Mechanism, now: Duration) {
        let mut conversation = self.conversation.lock();
        conversation.state = State::Done;
        conversation.mechanism = Some(mechanism);
        conversation.logged_in = Some(now);
        conversation.claimed = None;
        self.stage.store(OPEN, Ordering::Release);
    }

    /// The connection is to be closed when its answers are out.
    pub fn fail(&self) {
        self.conversation.lock().state = State::Failed;
        self.stage.store(OVER, Ordering::Release);
    }

    /// The mechanism that it has logged in with.
    #[must_use]
    pub fn mechanism(&self) -> Option<Mechanism> {
        self.conversation.lock().mechanism
    }

    /// Whether the last login is at least this long ago.
    #[must_use]
    pub fn may_begin_again(&self, now: Duration, interval: Duration) -> bool {
        let logged_in = self.conversation.lock().logged_in;
        logged_in.is_none_or(|at| now.saturating_sub(at) >= interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Mechanism = Mechanism::Plain;
    const PRODUCE_KEY: i16 = 0;

    fn admitted(cell: &ConversationCell) -> Vec<i16> {
        let keys = [PRODUCE_KEY, SASL_HANDSHAKE_KEY, API_VERSIONS_KEY, SASL_AUTHENTICATE_KEY];
        keys.into_iter().filter(|key| cell.admit(*key, "").is_ok()).collect()
    }

    #[test]
    fn the_way_to_a_login_is_kafkas() {
        let cell = ConversationCell::new(true);
        assert_eq!(admitted(&cell), [SASL_HANDSHAKE_KEY, API_VERSIONS_KEY]);
        assert!(cell.tell_versions());
        assert_eq!(admitted(&cell), [SASL_HANDSHAKE_KEY]);
        assert!(cell.take().is_none());
        assert!(cell.begin(PLAIN, Exchange::Plain, Tokens::InRequests));
        assert_eq!(admitted(&cell), [SASL_HANDSHAKE_KEY, API_VERSIONS_KEY, SASL_AUTHENTICATE_KEY]);
        assert!(cell.take().is_some() && cell.take().is_none());
        cell.done(PLAIN, Duration::from_secs(5));
        assert!(cell.is_open() && !cell.is_over());
        assert_eq!(cell.mechanism(), Some(PLAIN));
    }

    #[test]
    fn a_request_at_the_wrong_time_ends_the_conversation() {
        let cell = ConversationCell::new(true);
        assert!(cell.begin(PLAIN, Exchange::Plain, Tokens::InRequests));
        assert!(!cell.tell_versions() && cell.is_over());
        let cell = ConversationCell::new(true);
        assert!(cell.begin(PLAIN, Exchange::Plain, Tokens::InRequests));
        assert!(!cell.begin(PLAIN, Exchange::Plain, Tokens::InRequests) && cell.is_over());
        assert!(admitted(&cell).is_empty());
    }

    #[test]
    fn who_asks_and_asks_without_logging_in_is_cut() {
        let cell = ConversationCell::new(true);
        let served = (0..1000).take_while(|_| cell.admit(API_VERSIONS_KEY, "").is_ok()).count();
        assert_eq!(served, usize::try_from(LOGIN_REQUESTS_MAX).unwrap());
    }

    #[test]
    fn a_session_is_not_renewed_twice_within_a_second() {
        let cell = ConversationCell::new(true);
        cell.done(PLAIN, Duration::from_secs(5));
        assert!(!cell.may_begin_again(Duration::from_millis(5900), Duration::from_secs(1)));
        assert!(cell.may_begin_again(Duration::from_millis(6000), Duration::from_secs(1)));
        assert!(cell.begin(PLAIN, Exchange::Plain, Tokens::InRequests));
        assert!(!cell.is_open());
    }

    #[test]
    fn bare_tokens_are_expected_only_after_a_handshake_of_version_0() {
        let cell = ConversationCell::new(true);
        assert!(!cell.expects_bare_token());
        assert!(cell.begin(PLAIN, Exchange::Plain, Tokens::Bare));
        assert!(cell.expects_bare_token());
        cell.done(PLAIN, Duration::ZERO);
        assert!(!cell.expects_bare_token());
    }
}
