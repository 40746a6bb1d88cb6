//! Logins: from a client's SASL tokens to who it is. What the mechanisms compute is in the auth crate; here they meet the
//! store, the clock and the connection.
//!
//! Where it differs from Apache Kafka: a user that does not exist is answered like one that does
//! (`auth/src/scram/server.rs`); PLAIN is checked against the same users as SCRAM, beside those of the listener's
//! `sasl.jaas.config`; authenticating again with another mechanism is answered before the connection closes;
//! what `oauth/mod.rs` says of tokens and `kerberos/settings.rs` of tickets; the delay of a failure counts from the token on, so
//! that its answer does not tell how long the look at it took.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use barnabas_auth::jwt::{Bearer, TokenError};
use barnabas_auth::sasl::oauthbearer::{Answer, OauthBearerServer};
use barnabas_auth::sasl::plain::PlainMessage;
use barnabas_auth::sasl::{Login, Refusal};
use barnabas_auth::scram::message::ClientFirst;
use barnabas_auth::scram::{Decoys, ScramServer};
use barnabas_auth::{Mechanism, Principal, ResourceType, base36};
use barnabas_config::{Config, key};
use barnabas_raft::{Controller, MetadataImage};
use barnabas_storage::seam::Seams;

use crate::api::context::ConnectionInfo;
use crate::delegation_tokens::DelegationTokens;
use crate::limits::CLOSES_NOTED;
use crate::metrics::Metrics;
use crate::one_line::OneLine;
use crate::seam::Tasks;
use crate::session::Session;

pub mod conversation;
mod kerberos;
mod known;
pub mod oauth;
mod passwords;
mod renewal;
mod served;
pub mod settings;

use conversation::{Exchange, Tokens};
use known::find;
use oauth::RefusedToken;
use passwords::Passwords;
use renewal::check_unchanged;
use served::{Means, Served};
pub use settings::LoginSettingsError;

/// Least time between two logins of one connection, as in Kafka.
const AGAIN_INTERVAL: Duration = Duration::from_secs(1);

/// Why a step of a login was refused. The text is what the client may know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// A mechanism that the listener does not serve.
    #[error("Unsupported SASL mechanism")]
    UnsupportedMechanism,
    /// Not now.
    #[error("{0}")]
    IllegalState(&'static str),
    /// The login failed.
    #[error("{0}")]
    Failed(String),
}

/// A step of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Our token.
    pub token: Vec<u8>,
    /// How long the session lasts, in milliseconds; 0 before the last step and when it has no end.
    pub lifetime_ms: i64,
}

/// Lets connections log in. One for the broker.
pub struct Logins {
    controller: Controller,
    seams: Seams,
    tasks: Tasks,
    metrics: Arc<Metrics>,
    served: ArcSwap<Served>,
    means: Means,
    delegation_tokens: Arc<DelegationTokens>,
    passwords: Passwords,
    is_nonce_strict: bool,
    decoy_iterations: u32,
    failure_delay: Duration,
}

impl Logins {
    /// Reads the settings of every listener: as `config` says, which is `files` with what was changed in the running cluster over
    /// it. Of what was changed, that which cannot be served is left out.
    ///
    /// # Errors
    /// What cannot be served of what the files say.
    pub fn new(
        config: &Config,
        files: &Config,
        controller: Controller,
        seams: Seams,
        tasks: Tasks,
        metrics: Arc<Metrics>,
    ) -> Result<Self, LoginSettingsError> {
        let delay_ms = files.read(&key::CONNECTION_FAILED_AUTHENTICATION_DELAY_MS);
        let keytab = settings::of_listeners(files).ok();
        let keytab = keytab.and_then(|listeners| settings::keytab(&listeners).ok()?.map(Path::to_owned));
        let means = Means { seams: seams.clone(), tasks: tasks.clone(), metrics: Arc::clone(&metrics), keytab };
        Ok(Self {
            served: ArcSwap::from_pointee(Served::open_changed(config, files, &means)?),
            means,
            delegation_tokens: Arc::new(DelegationTokens::new(files, tasks.clone(), Arc::clone(&metrics))),
            passwords: Passwords::new(&seams, tasks.clone()),
            controller,
            seams,
            tasks,
            metrics,
            is_nonce_strict: files.read(&key::SCRAM_STRICT_NONCE),
            decoy_iterations: u32::try_from(files.read(&key::SCRAM_ITERATIONS)).unwrap_or(0),
            failure_delay: Duration::from_millis(u64::try_from(delay_ms).unwrap_or(0)),
        })
    }

    /// Follows the settings, for connections that log in later. What cannot be served leaves all as it was, with a word in the
    /// log. Reads files.
    pub fn follow(&self, config: &Config) {
        let before = self.served.load_full();
        if before.is_of(config) {
            return;
        }
        match Served::open(config, Some(&before), &self.means) {
            Ok(served) => {
                tracing::info!("logins are served as sasl.* says now");
                self.served.store(Arc::new(served));
            }
            Err(error) => {
                tracing::error!("logins stay as they were: {error}; correct sasl.* by kafka-configs --alter");
            }
        }
    }

    /// Whether the settings can be followed. Reads files.
    ///
    /// # Errors
    /// What cannot be served.
    pub fn check(&self, config: &Config) -> Result<(), LoginSettingsError> {
        self.served.load_full().check(config, &self.means)
    }

    /// Begins an exchange; returns the mechanisms that the listener serves.
    ///
    /// # Errors
    /// `UnsupportedMechanism` (after which the connection closes) and `IllegalState`.
    pub async fn handshake(
        &self,
        connection: &ConnectionInfo,
        mechanism: &str,
        version: i16,
    ) -> Result<(), LoginError> {
        let tokens = if version == 0 { Tokens::Bare } else { Tokens::InRequests };
        let served = self.served.load_full();
        let Some(listener) = served.listeners.get(&*connection.listener) else {
            return Err(LoginError::IllegalState(NOT_NOW));
        };
        if connection.is_authenticated() && !self.may_begin_again(connection, tokens) {
            return Err(LoginError::IllegalState(NOT_NOW));
        }
        let mechanism = listener.mechanisms.iter().copied().find(|one| one.name() == mechanism);
        let begun = mechanism.and_then(|one| Some((one, self.exchange(&served, connection, one)?)));
        let Some((mechanism, exchange)) = begun else {
            self.tasks.sleep(self.failure_delay).await;
            connection.login.fail();
            return Err(LoginError::UnsupportedMechanism);
        };
        if connection.login.begin(mechanism, exchange, tokens) {
            Ok(())
        } else {
            Err(LoginError::IllegalState(NOT_NOW))
        }
    }

    fn exchange(&self, served: &Served, connection: &ConnectionInfo, mechanism: Mechanism) -> Option<Exchange> {
        Some(match mechanism {
            Mechanism::Plain => Exchange::Plain,
            Mechanism::Scram(scram) => {
                Exchange::Scram(Box::new(ScramServer::new(scram, self.nonce(), self.is_nonce_strict)))
            }
            Mechanism::OauthBearer => Exchange::OauthBearer(OauthBearerServer::default()),
            Mechanism::Gssapi => Exchange::Gssapi(served.kerberos.get(&*connection.listener)?.begin()),
        })
    }

    /// As in Kafka, only a session that ends can be renewed, and no more often than once a second.
    fn may_begin_again(&self, connection: &ConnectionInfo, tokens: Tokens) -> bool {
        let now = self.seams.clock.monotonic();
        let has_end = connection.session().ends.is_some();
        has_end && tokens == Tokens::InRequests && connection.login.may_begin_again(now, AGAIN_INTERVAL)
    }

    /// The names of the mechanisms that a listener serves.
    #[must_use]
    pub fn mechanisms(&self, connection: &ConnectionInfo) -> Vec<&'static str> {
        let served = self.served.load();
        let listener = served.listeners.get(&*connection.listener);
        listener.map_or_else(Vec::new, |listener| listener.mechanisms.iter().map(|one| one.name()).collect())
    }

    /// Takes a token of the client's.
    ///
    /// # Errors
    /// `Failed`, after a delay: the connection closes then. `IllegalState` outside an exchange.
    pub async fn step(&self, connection: &ConnectionInfo, token: &[u8]) -> Result<Step, LoginError> {
        let begun = self.tasks.monotonic();
        let Some((mechanism, exchange)) = connection.login.take() else {
            return Err(LoginError::IllegalState("SaslAuthenticate request received after successful authentication"));
        };
        let stepped = match exchange {
            Exchange::Plain => self.plain(connection, token).await,
            Exchange::Scram(scram) => self.scram(connection, mechanism, scram, token).await,
            Exchange::OauthBearer(server) => self.oauth_bearer(connection, server, token).await,
            Exchange::Gssapi(server) => match self.served.load_full().kerberos.get(&*connection.listener) {
                Some(kerberos) => kerberos.take(connection, server, token).await,
                None => Err(Refusal::Credentials),
            },
        };
        let done = match stepped {
            Ok(Stepped::More(token)) => return Ok(Step { token, lifetime_ms: 0 }),
            Ok(Stepped::Done(token, login)) => {
                self.log_in(connection, mechanism, login).map(|lifetime_ms| Step { token, lifetime_ms })
            }
            Err(refusal) => Err(self.told(connection, mechanism, refusal)),
        };
        if let Err(error) = &done {
            self.note_failure(connection, mechanism, error);
            // From when the token came: what it took to look at it, more for some users' mechanisms and rounds, is no part of it.
            let took = self.tasks.monotonic().saturating_sub(begun);
            self.tasks.sleep(self.failure_delay.saturating_sub(took)).await;
            connection.login.fail();
        }
        done
    }

    /// Delegation tokens, which log in by SCRAM too.
    #[must_use]
    pub fn delegation_tokens(&self) -> &Arc<DelegationTokens> {
        &self.delegation_tokens
    }

    async fn scram(
        &self,
        connection: &ConnectionInfo,
        mechanism: Mechanism,
        mut scram: Box<ScramServer>,
        token: &[u8],
    ) -> Result<Stepped, Refusal> {
        if scram.is_challenged() {
            let (token, login) = scram.finish(token)?;
            return Ok(Stepped::Done(token, login));
        }
        let of = scram.mechanism();
        let (image, decoys) = self.image_and_decoys();
        let first = ClientFirst::read(token)?;
        connection.login.claim(if first.is_token { ResourceType::DelegationToken.name() } else { USER }, &first.user);
        let candidate = if first.is_token {
            let now = self.seams.clock.now();
            self.delegation_tokens.candidate(&image, &decoys, (of, &first.user), now).await
        } else {
            find(&image, &decoys, of, &first)
        };
        let challenge = scram.challenge(token, |_| candidate)?;
        connection.login.put_back(mechanism, Exchange::Scram(scram));
        Ok(Stepped::More(challenge))
    }

    async fn plain(&self, connection: &ConnectionInfo, token: &[u8]) -> Result<Stepped, Refusal> {
        let served = self.served.load_full();
        let listener = served.listeners.get(&*connection.listener).ok_or(Refusal::Credentials)?;
        let (image, decoys) = self.image_and_decoys();
        let message = PlainMessage::read(token).map_err(|_| Refusal::Credentials)?;
        connection.login.claim(USER, &message.user);
        let user = self.passwords.check(listener, &image, &decoys, message).await?;
        Ok(Stepped::Done(Vec::new(), Login { principal: Principal::user(user), expires_ms: None, is_token: false }))
    }

    async fn oauth_bearer(
        &self,
        connection: &ConnectionInfo,
        mut server: OauthBearerServer,
        token: &[u8],
    ) -> Result<Stepped, Refusal> {
        let served = self.served.load_full();
        let check = served.token_checks.get(&*connection.listener).ok_or(Refusal::Credentials)?;
        let initial = server.take(token)?;
        let note = |error: &TokenError| {
            note_reason(connection, self.metrics.bearers_refused.increment(), "a token was refused", error);
        };
        let checked = check.check(&initial.token).await;
        if let Ok(Bearer { name, .. }) | Err(RefusedToken { subject: Some(name), .. }) = &checked {
            connection.login.claim(USER, name);
        }
        let bearer = checked.map_err(|refused| refused.error).inspect_err(note).ok();
        match server.answer(&initial, bearer)? {
            Answer::Done(login) => Ok(Stepped::Done(Vec::new(), login)),
            Answer::Refused(challenge) => {
                connection.login.put_back(Mechanism::OauthBearer, Exchange::OauthBearer(server));
                Ok(Stepped::More(challenge.as_bytes().to_vec()))
            }
        }
    }

    fn image_and_decoys(&self) -> (Arc<MetadataImage>, Decoys) {
        let image = self.controller.image();
        let decoys = Decoys::new(image.secret().to_vec(), self.decoy_iterations);
        (image, decoys)
    }

    /// Makes a login the connection's session; returns how long it lasts.
    fn log_in(&self, connection: &ConnectionInfo, mechanism: Mechanism, login: Login) -> Result<i64, LoginError> {
        let before = connection.session();
        let principal = login.principal;
        if before.is_authenticated {
            check_unchanged(connection, &before.principal, mechanism, &principal)?;
        }
        let served = self.served.load();
        let listener = served.listeners.get(&*connection.listener);
        let max_ms = listener.map_or(0, |listener| listener.session_ms_max(mechanism));
        let left_ms = login.expires_ms.map(|expires| (expires - self.seams.clock.now().0).max(0));
        let lifetime_ms = match (left_ms, max_ms) {
            (None, 0) => None,
            (None, max_ms) => Some(max_ms),
            (Some(left_ms), 0) => Some(left_ms),
            (Some(left_ms), max_ms) => Some(left_ms.min(max_ms)),
        };
        let now = self.seams.clock.monotonic();
        let ends = lifetime_ms.map(|ms| now + Duration::from_millis(ms.unsigned_abs()));
        tracing::debug!(connection = connection.id, %principal, %mechanism, "logged in");
        connection.begin_session(Session {
            principal: Arc::new(principal),
            is_authenticated: true,
            is_token: login.is_token,
            ends,
        });
        connection.login.done(mechanism, now);
        self.metrics.logins.increment();
        Ok(lifetime_ms.unwrap_or(0))
    }

    fn told(&self, connection: &ConnectionInfo, mechanism: Mechanism, refusal: Refusal) -> LoginError {
        let what = if connection.is_authenticated() { "re-authentication" } else { "authentication" };
        LoginError::Failed(match refusal {
            Refusal::Credentials => {
                format!(
                    "Authentication failed during {what} due to invalid credentials with SASL mechanism {mechanism}"
                )
            }
            Refusal::Said(text) => text.to_owned(),
        })
    }

    fn note_failure(&self, connection: &ConnectionInfo, mechanism: Mechanism, error: &LoginError) {
        let count = self.metrics.logins_failed.increment();
        if count <= CLOSES_NOTED || count.is_multiple_of(CLOSES_NOTED) {
            let listener = &*connection.listener;
            tracing::info!(connection = connection.id, peer = %connection.peer, listener, %mechanism, count, "{}", OneLine(error));
        }
    }

    /// 130 random bits, as Kafka's.
    fn nonce(&self) -> String {
        let bits: Vec<u8> = (0..3).flat_map(|_| self.seams.rng.next_u64().to_be_bytes()).collect();
        base36::of_130_bits(&bits)
    }
}

/// The kind of principal that users are.
const USER: &str = "User";
const NOT_NOW: &str = "SaslHandshake request received after successful authentication";

enum Stepped {
    More(Vec<u8>),
    Done(Vec<u8>, Login),
}

/// The client is not told why: whoever runs the broker is.
fn note_reason(connection: &ConnectionInfo, count: u64, what: &str, error: &dyn std::error::Error) {
    if count <= CLOSES_NOTED || count.is_multiple_of(CLOSES_NOTED) {
        let listener = &*connection.listener;
        tracing::info!(connection = connection.id, peer = %connection.peer, listener, "{what}: {}", OneLine(error));
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "real time is what is tested")]
mod tests;
