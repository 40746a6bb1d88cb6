//! The TLS of one listener while the broker runs: what it offers can be replaced without a restart.
//!
//! Invariants:
//! 1. What is offered has passed a trial handshake. What fails leaves everything as it was.
//! 2. A connection keeps what it began with.
//! 3. Sessions are not resumed across a replacement: they are kept within what is replaced.

use std::sync::Arc;

use arc_swap::ArcSwap;
use barnabas_auth::tls::{Certificate, PrincipalMapping};
use barnabas_config::{Config, Listener, SecurityProtocol};
use barnabas_storage::seam::{Clock, Disk, Seams};
use parking_lot::Mutex;

use super::server::{self, ClientAuth, ServerSide};
use super::{TlsError, TlsSettings, files, trial};
use crate::limits::{CERTIFICATE_EXPIRY_NOTED, CERTIFICATE_EXPIRY_NOTED_EVERY};

/// What became of a look at the files.
#[derive(Debug)]
pub enum Reloaded {
    /// Nothing has changed.
    Unchanged,
    /// The new certificate is offered from now on.
    Replaced,
    /// The old one stays.
    Kept(TlsError),
}

/// The TLS of one listener.
pub struct LiveTls {
    listener: String,
    settings: TlsSettings,
    client_auth: ClientAuth,
    mapping: PrincipalMapping,
    may_change_subject: bool,
    may_change_names: bool,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    current: ArcSwap<ServerSide>,
    watched: Mutex<Watched>,
}

/// The files as they were read last.
#[derive(Default)]
struct Watched {
    stamps: Vec<Option<(i128, u64)>>,
    /// When the end of the certificate's validity was spoken of last, milliseconds since 1970.
    expiry_noted_ms: i64,
}

impl LiveTls {
    /// Reads the settings of a listener, and what they name.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn open(config: &Config, listener: &Listener, seams: &Seams) -> Result<Self, TlsError> {
        let name = listener.name.as_str();
        let settings = TlsSettings::read(&|setting| config.of_listener(name, setting))?;
        let is_true = |setting| config.of_listener(name, setting).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let (disk, clock) = (Arc::clone(&seams.disk), Arc::clone(&seams.clock));
        let stamps = stamps(&*disk, &settings);
        let client_auth = client_auth(config, listener);
        let side = server::build(&*disk, &clock, &settings, client_auth)?;
        try_out(&settings, &side)?;
        let mapping = config.of_listener(name, "ssl.principal.mapping.rules").unwrap_or("DEFAULT");
        let live = Self {
            listener: listener.name.clone(),
            client_auth,
            mapping: PrincipalMapping::parse(mapping)?,
            may_change_subject: is_true("ssl.allow.dn.changes"),
            may_change_names: is_true("ssl.allow.san.changes"),
            settings,
            disk,
            clock,
            current: ArcSwap::from_pointee(side),
            watched: Mutex::new(Watched { stamps, expiry_noted_ms: i64::MIN }),
        };
        live.tell_certificate("serves");
        live.note_expiry();
        Ok(live)
    }

    /// The listener.
    #[must_use]
    pub fn listener(&self) -> &str {
        &self.listener
    }

    /// What is offered as of now.
    pub(super) fn current(&self) -> Arc<ServerSide> {
        self.current.load_full()
    }

    /// From certificates to principals.
    pub(super) fn mapping(&self) -> &PrincipalMapping {
        &self.mapping
    }

    /// The end of the certificate's validity, milliseconds since 1970.
    #[must_use]
    pub fn expires_ms(&self) -> i64 {
        self.current().leaf.not_after_ms
    }

    /// Looks whether a file has changed, and then reads everything anew. Blocks on files.
    pub fn reload_when_changed(&self) -> Reloaded {
        self.note_expiry();
        let now = stamps(&*self.disk, &self.settings);
        if self.watched.lock().stamps == now {
            return Reloaded::Unchanged;
        }
        self.reload_as_of(now)
    }

    /// Reads everything anew. Blocks on files.
    pub fn reload(&self) -> Reloaded {
        self.reload_as_of(stamps(&*self.disk, &self.settings))
    }

    /// The stamps are from before the reading: a change meanwhile is seen the next time.
    fn reload_as_of(&self, stamps: Vec<Option<(i128, u64)>>) -> Reloaded {
        self.watched.lock().stamps = stamps;
        match self.build_compatible() {
            Ok(side) => {
                self.current.store(Arc::new(side));
                self.watched.lock().expiry_noted_ms = i64::MIN;
                self.tell_certificate("was replaced and serves");
                self.note_expiry();
                Reloaded::Replaced
            }
            Err(error) => {
                tracing::error!(
                    listener = %self.listener,
                    "the certificate stays as it was: {error}; correct the files (a SIGHUP has them read at once)"
                );
                Reloaded::Kept(error)
            }
        }
    }

    fn build_compatible(&self) -> Result<ServerSide, TlsError> {
        let side = server::build(&*self.disk, &self.clock, &self.settings, self.client_auth)?;
        let (old, new) = (&self.current().leaf, &side.leaf);
        if !self.may_change_subject && !old.subject.eq_ignore_ascii_case(&new.subject) {
            return Err(TlsError::SubjectChanged { old: old.subject.clone(), new: new.subject.clone() });
        }
        let missing = missing_names(old, new);
        if !self.may_change_names && missing > 0 {
            return Err(TlsError::NamesChanged { missing });
        }
        try_out(&self.settings, &side)?;
        Ok(side)
    }

    fn tell_certificate(&self, what: &str) {
        let side = self.current();
        tracing::info!(
            listener = %self.listener,
            from = %side.origin,
            days = self.days_left(),
            "the certificate of '{}' {what}",
            side.leaf.subject
        );
    }

    fn days_left(&self) -> i64 {
        self.expires_ms().saturating_sub(self.clock.now().0).div_euclid(86_400_000)
    }

    /// Says once a day that the certificate has expired or will soon.
    fn note_expiry(&self) {
        let (days, now) = (self.days_left(), self.clock.now().0);
        let within = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        if self.expires_ms().saturating_sub(now) > within(CERTIFICATE_EXPIRY_NOTED) {
            return;
        }
        let mut watched = self.watched.lock();
        if now.saturating_sub(watched.expiry_noted_ms) < within(CERTIFICATE_EXPIRY_NOTED_EVERY) {
            return;
        }
        watched.expiry_noted_ms = now;
        if days < 0 {
            tracing::error!(listener = %self.listener, "the certificate has expired and clients refuse it; renew it");
        } else {
            tracing::warn!(listener = %self.listener, days, "the certificate expires soon; renew it");
        }
    }
}

/// On SASL_SSL a certificate is asked for only when the listener's own setting says so (KIP-684).
fn client_auth(config: &Config, listener: &Listener) -> ClientAuth {
    const SETTING: &str = "ssl.client.auth";
    if listener.protocol != SecurityProtocol::SaslSsl {
        return ClientAuth::of(config.of_listener(&listener.name, SETTING));
    }
    let alone = config.of_listener_alone(&listener.name, SETTING);
    if alone.is_none() && ClientAuth::of(config.text(SETTING)) != ClientAuth::None {
        let name = listener.name.to_ascii_lowercase();
        tracing::warn!(
            listener = %listener.name,
            "ssl.client.auth does not count on SASL_SSL; set listener.name.{name}.ssl.client.auth to ask for certificates"
        );
    }
    ClientAuth::of(alone)
}

fn stamps(disk: &dyn Disk, settings: &TlsSettings) -> Vec<Option<(i128, u64)>> {
    settings.files().into_iter().map(|path| files::stamp(disk, path)).collect()
}

fn try_out(settings: &TlsSettings, side: &ServerSide) -> Result<(), TlsError> {
    let shaken = trial::handshake(settings, &side.config);
    shaken.map_err(|reason| TlsError::Trial { origin: side.origin.clone(), reason })
}

/// How many of the old certificate's names the new one lacks.
fn missing_names(old: &Certificate, new: &Certificate) -> usize {
    old.alt_names.iter().filter(|name| !new.alt_names.contains(name)).count()
}
