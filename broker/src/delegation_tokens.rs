//! Delegation tokens on the broker's side: what their bearers show, and logins with it (KIP-48). The tokens themselves are
//! metadata.
//!
//! What a bearer shows is an HMAC of the token's id under `delegation.token.secret.key`: its password, in base64. It is made when
//! it is needed and kept nowhere but here.
//!
//! Invariants:
//! 1. `ids` has every token of the published metadata, and no other.
//! 2. A token that is not there, or has expired, is answered like a user that does not exist.
//!
//! Where it differs from Apache Kafka: an expired token lets nobody in, also before it is removed; credentials are made at the
//! first login with a token, not for every token at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use barnabas_auth::sasl::Login;
use barnabas_auth::scram::{Candidate, Decoys};
use barnabas_auth::{ScramCredential, ScramMechanism};
use barnabas_config::{Config, key};
use barnabas_raft::{Controller, DelegationTokenId, MetadataDelta, MetadataImage, MetadataListener};
use barnabas_storage::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Semaphore;

use crate::limits::{PASSWORD_CHECKS_MAX, TOKEN_CREDENTIALS_MAX};
use crate::metrics::Metrics;
use crate::seam::Tasks;

/// What a token's bearer shows.
pub type Hmac = Vec<u8>;

/// Makes what bearers show, and knows tokens by it.
pub struct DelegationTokens {
    /// `delegation.token.secret.key`; without it there are no tokens.
    secret: Option<String>,
    /// `delegation.token.max.lifetime.ms`.
    pub lifetime_max_ms: i64,
    /// `delegation.token.expiry.time.ms`.
    pub lifetime_ms: i64,
    /// How often expired tokens are removed.
    check_interval_ms: i64,
    tasks: Tasks,
    metrics: Arc<Metrics>,
    ids: RwLock<HashMap<Hmac, DelegationTokenId>>,
    credentials: Mutex<HashMap<(DelegationTokenId, ScramMechanism), Arc<ScramCredential>>>,
    turns: Semaphore,
}

/// The secret is not shown.
impl fmt::Debug for DelegationTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelegationTokens").field("is_enabled", &self.is_enabled()).finish_non_exhaustive()
    }
}

impl DelegationTokens {
    /// As the settings say. It has to be subscribed to the metadata.
    #[must_use]
    pub fn new(config: &Config, tasks: Tasks, metrics: Arc<Metrics>) -> Self {
        Self {
            secret: config.read(&key::DELEGATION_TOKEN_SECRET_KEY).filter(|secret| !secret.is_empty()),
            lifetime_max_ms: config.read(&key::DELEGATION_TOKEN_MAX_LIFETIME_MS),
            lifetime_ms: config.read(&key::DELEGATION_TOKEN_EXPIRY_TIME_MS),
            check_interval_ms: config.read(&key::DELEGATION_TOKEN_EXPIRY_CHECK_INTERVAL_MS),
            tasks,
            metrics,
            ids: RwLock::default(),
            credentials: Mutex::default(),
            turns: Semaphore::new(PASSWORD_CHECKS_MAX),
        }
    }

    /// Whether there can be tokens.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.secret.is_some()
    }

    /// What a token's bearer shows.
    #[must_use]
    pub fn hmac(&self, id: &DelegationTokenId) -> Option<Hmac> {
        let secret = self.secret.as_ref()?;
        Some(ScramMechanism::Sha512.hmac(secret.as_bytes(), id.0.as_bytes()))
    }

    /// The token that is shown by this.
    #[must_use]
    pub fn id_of(&self, hmac: &[u8]) -> Option<DelegationTokenId> {
        self.ids.read().get(hmac).cloned()
    }

    /// What a login by SCRAM with the extension `tokenauth=true` is checked by.
    pub async fn candidate(
        &self,
        image: &MetadataImage,
        decoys: &Decoys,
        (mechanism, id): (ScramMechanism, &str),
        now: Timestamp,
    ) -> Candidate {
        let decoy = decoys.credential(mechanism, id);
        let id = DelegationTokenId(id.into());
        let token = image.delegation_token(&id).filter(|token| !token.is_expired(now));
        let (Some(token), Some(hmac)) = (token, self.hmac(&id)) else {
            return Candidate { credential: Arc::new(decoy), login: None };
        };
        let login = Login { principal: token.owner.clone(), expires_ms: Some(token.expires.0), is_token: true };
        Candidate { credential: self.credential(mechanism, id, &hmac, decoy).await, login: Some(login) }
    }

    /// A token's credential, with the salt and the rounds that a decoy of its name would have.
    async fn credential(
        &self,
        mechanism: ScramMechanism,
        id: DelegationTokenId,
        hmac: &[u8],
        decoy: ScramCredential,
    ) -> Arc<ScramCredential> {
        let name = (id, mechanism);
        if let Some(known) = self.credentials.lock().get(&name) {
            return Arc::clone(known);
        }
        let turn = self.turns.acquire().await;
        let (password, ScramCredential { salt, iterations, .. }) = (STANDARD.encode(hmac), decoy);
        let salted = move || ScramCredential::of_password(mechanism, &password, salt, iterations);
        let credential = Arc::new(self.tasks.blocking(salted).await);
        drop(turn);
        let mut kept = self.credentials.lock();
        if kept.len() >= TOKEN_CREDENTIALS_MAX {
            kept.clear();
        }
        kept.insert(name, Arc::clone(&credential));
        credential
    }

    /// Removes expired tokens, until the broker stops.
    pub fn expire(&self, controller: &Controller) {
        if !self.is_enabled() {
            return;
        }
        let (tasks, controller) = (self.tasks.clone(), controller.clone());
        let interval = std::time::Duration::from_millis(self.check_interval_ms.unsigned_abs().max(1));
        let mut stopping = self.tasks.stopping();
        self.tasks.spawn("token-expiry", async move {
            loop {
                tokio::select! {
                    biased;
                    () = stopping.wait() => return,
                    () = tasks.sleep(interval) => {}
                }
                // A request removes some thousands.
                while let Ok(removed @ 1..) = controller.remove_expired_delegation_tokens().await {
                    tracing::info!(removed, "delegation tokens have expired");
                }
            }
        });
    }
}

impl MetadataListener for DelegationTokens {
    fn publish(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        for id in &delta.delegation_tokens {
            let Some(hmac) = self.hmac(id) else { return };
            let mut ids = self.ids.write();
            if image.delegation_token(id).is_some() {
                if ids.insert(hmac, id.clone()).is_none() {
                    self.metrics.delegation_tokens.add(1);
                }
            } else if ids.remove(&hmac).is_some() {
                self.metrics.delegation_tokens.sub(1);
            }
            drop(ids);
            if image.delegation_token(id).is_none() {
                let mut kept = self.credentials.lock();
                for mechanism in ScramMechanism::ALL {
                    kept.remove(&(id.clone(), mechanism));
                }
            }
        }
    }
}
