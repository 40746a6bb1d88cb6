//! The TLS of one listener while the broker runs: what it offers can be replaced without a restart, by other files or by
//! other settings.
//!
//! Invariants:
//! 1. What is offered has passed a trial handshake. What fails leaves everything as it was.
//! 2. A connection keeps what it began with.
//! 3. Sessions are not resumed across a replacement: they are kept within what is replaced.
//! 4. One replacement is made at a time, and the last one follows the newest settings.

use std::sync::Arc;

use arc_swap::ArcSwap;
use barnabas_auth::tls::{Certificate, PrincipalMapping};
use barnabas_config::{Config, Listener, SecurityProtocol};
use barnabas_storage::seam::{Clock, Disk, Seams};
use parking_lot::Mutex;

use super::server::{self, ClientAuth, ServerSide};
use super::{TlsError, TlsSettings, files, trial};
use crate::limits::{CERTIFICATE_EXPIRY_NOTED, CERTIFICATE_EXPIRY_NOTED_EVERY};

/// What became of a look at the files or the settings.
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
    listener: Listener,
    mapping: PrincipalMapping,
    may_change_subject: bool,
    may_change_names: bool,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    current: ArcSwap<ServerSide>,
    /// What is asked for. Held while what is offered is replaced.
    wanted: Mutex<Wanted>,
    /// When the end of the certificate's validity was spoken of last, milliseconds since 1970.
    expiry_noted_ms: Mutex<i64>,
}

/// What the settings ask for, and its files as they were read last.
#[derive(Clone)]
struct Wanted {
    settings: TlsSettings,
    client_auth: ClientAuth,
    stamps: Vec<Option<(i128, u64)>>,
}

impl Wanted {
    fn read(config: &Config, listener: &Listener) -> Result<Self, TlsError> {
        let settings = TlsSettings::read(&|setting| config.of_listener(&listener.name, setting))?;
        Ok(Self { settings, client_auth: client_auth(config, listener), stamps: Vec::new() })
    }

    fn is_same(&self, other: &Self) -> bool {
        self.client_auth == other.client_auth && self.settings.is_same(&other.settings)
    }

    fn build(&self, disk: &dyn Disk, clock: &Arc<dyn Clock>) -> Result<ServerSide, TlsError> {
        let side = server::build(disk, clock, &self.settings, self.client_auth)?;
        match trial::handshake(&self.settings, &side.config) {
            Ok(()) => Ok(side),
            Err(reason) => Err(TlsError::Trial { origin: side.origin.clone(), reason }),
        }
    }
}

impl LiveTls {
    /// Reads the settings of a listener, and what they name.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn open(config: &Config, listener: &Listener, seams: &Seams) -> Result<Self, TlsError> {
        let wanted = Wanted::read(config, listener)?;
        let live = Self::offer(wanted, config, listener, seams)?;
        live.told();
        Ok(live)
    }

    /// The same with what was changed in the running cluster over `files`. Where the changed key store cannot be used, a broker
    /// starts with that of its files, and says so. Everything else stays as it was changed: an older trust store may trust whom
    /// the newer does not.
    ///
    /// # Errors
    /// When that cannot be used either.
    pub fn open_changed(config: &Config, files: &Config, listener: &Listener, seams: &Seams) -> Result<Self, TlsError> {
        let fallen_back = |error| {
            let Some(live) = Self::offer_key_of(files, config, listener, seams) else { return Err(error) };
            tracing::error!(
                listener = %listener.name,
                "the key store as changed in the running broker cannot be used, and that of the broker's file serves: {error}; \
                 correct it by kafka-configs --alter, or the file that it names"
            );
            live.told();
            Ok(live)
        };
        Self::open(config, listener, seams).or_else(fallen_back)
    }

    /// What `config` asks for but with the key of `files`, if it is another one and can be used.
    fn offer_key_of(files: &Config, config: &Config, listener: &Listener, seams: &Seams) -> Option<Self> {
        let is_of_key = |setting: &str| setting.starts_with("ssl.keystore.") || setting == "ssl.key.password";
        let from = |setting: &str| if is_of_key(setting) { files } else { config };
        let settings = TlsSettings::read(&|setting| from(setting).of_listener(&listener.name, setting)).ok()?;
        let of_files = Wanted { settings, client_auth: client_auth(config, listener), stamps: Vec::new() };
        let wanted = Wanted::read(config, listener).ok();
        if wanted.as_ref().is_some_and(|wanted| wanted.is_same(&of_files)) {
            return None;
        }
        let live = Self::offer(of_files, config, listener, seams).ok()?;
        // Once it can be used it is: its files are watched.
        if let Some(mut wanted) = wanted {
            wanted.stamps = stamps(&*live.disk, &wanted.settings);
            *live.wanted.lock() = wanted;
        }
        Some(live)
    }

    fn offer(mut wanted: Wanted, config: &Config, listener: &Listener, seams: &Seams) -> Result<Self, TlsError> {
        let text = |setting| config.of_listener(&listener.name, setting);
        let is_true = |setting| text(setting).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let (disk, clock) = (Arc::clone(&seams.disk), Arc::clone(&seams.clock));
        note_client_auth(config, listener);
        wanted.stamps = stamps(&*disk, &wanted.settings);
        Ok(Self {
            listener: listener.clone(),
            current: ArcSwap::from_pointee(wanted.build(&*disk, &clock)?),
            mapping: PrincipalMapping::parse(text("ssl.principal.mapping.rules").unwrap_or("DEFAULT"))?,
            may_change_subject: is_true("ssl.allow.dn.changes"),
            may_change_names: is_true("ssl.allow.san.changes"),
            disk,
            clock,
            wanted: Mutex::new(wanted),
            expiry_noted_ms: Mutex::new(i64::MIN),
        })
    }

    fn told(&self) {
        self.tell_certificate("serves");
        self.note_expiry();
    }

    /// The listener.
    #[must_use]
    pub fn listener(&self) -> &str {
        &self.listener.name
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
        let mut wanted = self.wanted.lock();
        let now = stamps(&*self.disk, &wanted.settings);
        if wanted.stamps == now {
            return Reloaded::Unchanged;
        }
        wanted.stamps = now;
        self.replace(&wanted)
    }

    /// Reads everything anew. Blocks on files.
    pub fn reload(&self) -> Reloaded {
        let mut wanted = self.wanted.lock();
        // From before the reading: a change meanwhile is seen the next time.
        wanted.stamps = stamps(&*self.disk, &wanted.settings);
        self.replace(&wanted)
    }

    /// Follows the settings: what they ask for is offered from now on, if it can be. Blocks on files.
    pub fn follow(&self, config: &Config) -> Reloaded {
        let new = match Wanted::read(config, &self.listener) {
            Ok(new) => new,
            Err(error) => return self.kept(error),
        };
        let mut wanted = self.wanted.lock();
        if wanted.is_same(&new) {
            return Reloaded::Unchanged;
        }
        note_client_auth(config, &self.listener);
        *wanted = new;
        wanted.stamps = stamps(&*self.disk, &wanted.settings);
        self.replace(&wanted)
    }

    /// Whether [`LiveTls::follow`] would replace what is offered. Blocks on files.
    ///
    /// # Errors
    /// What keeps the settings from being used.
    pub fn check(&self, config: &Config) -> Result<(), TlsError> {
        let new = Wanted::read(config, &self.listener)?;
        if self.wanted.lock().is_same(&new) {
            return Ok(());
        }
        self.build_compatible(&new).map(drop)
    }

    fn replace(&self, wanted: &Wanted) -> Reloaded {
        match self.build_compatible(wanted) {
            Ok(side) => {
                self.current.store(Arc::new(side));
                *self.expiry_noted_ms.lock() = i64::MIN;
                self.tell_certificate("was replaced and serves");
                self.note_expiry();
                Reloaded::Replaced
            }
            Err(error) => self.kept(error),
        }
    }

    fn kept(&self, error: TlsError) -> Reloaded {
        tracing::error!(
            listener = %self.listener.name,
            "the certificate stays as it was: {error}; correct the files (a SIGHUP has them read at once), or ssl.* by \
             kafka-configs --alter"
        );
        Reloaded::Kept(error)
    }

    fn build_compatible(&self, wanted: &Wanted) -> Result<ServerSide, TlsError> {
        let side = wanted.build(&*self.disk, &self.clock)?;
        let (old, new) = (&self.current().leaf, &side.leaf);
        if !self.may_change_subject && !old.subject.eq_ignore_ascii_case(&new.subject) {
            return Err(TlsError::SubjectChanged { old: old.subject.clone(), new: new.subject.clone() });
        }
        let missing = missing_names(old, new);
        if !self.may_change_names && missing > 0 {
            return Err(TlsError::NamesChanged { missing });
        }
        Ok(side)
    }

    fn tell_certificate(&self, what: &str) {
        let side = self.current();
        tracing::info!(
            listener = %self.listener.name,
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
        let mut noted_ms = self.expiry_noted_ms.lock();
        if now.saturating_sub(*noted_ms) < within(CERTIFICATE_EXPIRY_NOTED_EVERY) {
            return;
        }
        *noted_ms = now;
        if days < 0 {
            tracing::error!(listener = %self.listener.name, "the certificate has expired and clients refuse it; renew it");
        } else {
            tracing::warn!(listener = %self.listener.name, days, "the certificate expires soon; renew it");
        }
    }
}

const CLIENT_AUTH: &str = "ssl.client.auth";

/// On SASL_SSL a certificate is asked for only when the listener's own setting says so (KIP-684).
fn client_auth(config: &Config, listener: &Listener) -> ClientAuth {
    ClientAuth::of(match listener.protocol {
        SecurityProtocol::SaslSsl => config.of_listener_alone(&listener.name, CLIENT_AUTH),
        _ => config.of_listener(&listener.name, CLIENT_AUTH),
    })
}

fn note_client_auth(config: &Config, listener: &Listener) {
    let alone = config.of_listener_alone(&listener.name, CLIENT_AUTH);
    let is_set = alone.is_none() && ClientAuth::of(config.text(CLIENT_AUTH)) != ClientAuth::None;
    if is_set && listener.protocol == SecurityProtocol::SaslSsl {
        let name = listener.name.to_ascii_lowercase();
        tracing::warn!(
            listener = %listener.name,
            "ssl.client.auth does not count on SASL_SSL; set listener.name.{name}.ssl.client.auth to ask for certificates"
        );
    }
}

fn stamps(disk: &dyn Disk, settings: &TlsSettings) -> Vec<Option<(i128, u64)>> {
    settings.files().into_iter().map(|path| files::stamp(disk, path)).collect()
}

/// How many of the old certificate's names the new one lacks.
fn missing_names(old: &Certificate, new: &Certificate) -> usize {
    old.alt_names.iter().filter(|name| !new.alt_names.contains(name)).count()
}
