//! The composition root: from settings to a broker that serves, and back down again.
//!
//! Order at the start: bind (so that a taken port is found before anything is touched; clients wait in the backlog, monitors
//! are answered from then on), identity and lock, metadata, keys and logins, log directories, partitions and groups,
//! registration, listeners. A stop goes the other way: listeners and connections drain, then logs, then metadata.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use barnabas_config::{Config, SecurityProtocol, key};
use barnabas_raft::{BrokerId, Controller, ControllerOptions, MetadataListener};
use barnabas_storage::advice::MEND_DISK;
use barnabas_storage::log_dir::MetaProperties;
use barnabas_storage::seam::Seams;
use barnabas_storage::{LogDir, LogDirError};

use crate::api::dispatch::Dispatch;
use crate::audit::{Audit, AuditFileError};
use crate::broker::Broker;
use crate::group::Groups;
use crate::http::Startup;
use crate::kept_topics;
use crate::limits::DRAIN_TIMEOUT;
use crate::loggers::Loggers;
use crate::login::{LoginSettingsError, Logins};
use crate::metrics::Metrics;
use crate::network::listener::{self, Entrance};
use crate::network::{Network, NetworkOptions};
use crate::partition::Partitions;
use crate::partition::fetch_session::FetchSessions;
use crate::partition::producer_ids::ProducerIds;
use crate::quota::Quotas;
use crate::seam::{Net, Tasks};
use crate::settings::Settings;
use crate::telemetry::ClientTelemetry;
use crate::tls::{CertificateError, Certificates};
use crate::topics::Topics;
use crate::unsent::Unsent;
use authorization::Authorization;

mod authorization;
mod certificates;
mod connection_limits;
mod endpoints;
mod first_user;
mod format;
mod housekeeping;
mod identity;
mod listener_security;
mod log_dirs;

pub use authorization::AuthorizerError;
use connection_limits::ConnectionLimits;
pub use endpoints::BindError;
pub use first_user::FirstUserError;
pub use format::{FormatError, FormatOptions, Formatted, format};
pub use identity::IdentityError;
use listener_security::ListenerSecurity;

/// Keeps a second process from the metadata: `.lock`, which keeps Kafka out, is taken later, by the log directory.
const METADATA_LOCK: &str = "barnabas-metadata.lock";

/// Why the broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener could not be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The settings of the authorizer are wrong.
    #[error(transparent)]
    Authorizer(#[from] AuthorizerError),
    /// The key or the certificates of a listener cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The directories do not belong together, or to this node.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Another process works on the directory.
    #[error("{0} is in use by another broker process")]
    Locked(PathBuf, #[source] io::Error),
    /// Whether another process works on the directory could not be found out.
    #[error("lock {0}")]
    Lock(PathBuf, #[source] io::Error),
    /// The metadata layer did not start.
    #[error("open the metadata log")]
    Metadata(#[from] barnabas_raft::OpenError),
    /// The broker could not be registered.
    #[error("register the broker")]
    Register(#[from] barnabas_raft::ProposeError),
    /// A log directory could not be opened.
    #[error("open log directory {0}")]
    LogDir(PathBuf, #[source] LogDirError),
    /// A listener's logins cannot be served.
    #[error(transparent)]
    Logins(#[from] LoginSettingsError),
    /// `bootstrap.user` is not of its form.
    #[error(transparent)]
    FirstUser(#[from] FirstUserError),
    /// The audit cannot be written.
    #[error(transparent)]
    Audit(#[from] AuditFileError),
    /// A thread could not be started.
    #[error("start a thread")]
    Thread(#[source] io::Error),
}

/// A broker that serves.
pub struct Server {
    broker: Arc<Broker>,
    log_dirs: Vec<Arc<LogDir>>,
    housekeeping: housekeeping::Housekeeping,
    addresses: Vec<SocketAddr>,
    http_address: Option<SocketAddr>,
    _lock: Box<dyn Send + Sync>,
}

impl Server {
    /// Where `/metrics` and the page are, when `barnabas.http.listener` is set.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http_address
    }

    /// Starts everything; returns when requests are served.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start<N: Net>(config: Arc<Config>, seams: Seams, net: &N) -> Result<Self, StartError> {
        let tasks = Tasks::on(&*seams.spawn);
        let started = Self::start_on(tasks.clone(), config, seams, net).await;
        if started.is_err() {
            // Who answers monitors must not outlive a start that failed; nobody waits for that.
            tasks.stop(Duration::ZERO).await;
        }
        started
    }

    async fn start_on<N: Net>(tasks: Tasks, config: Arc<Config>, seams: Seams, net: &N) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::default());
        let authorization = Authorization::of(&config)?;
        let bound = endpoints::bind(net, &config)?;
        let http = endpoints::bind_http(net, &config)?;
        let paths: Vec<PathBuf> = config.read(&key::LOG_DIRS).into_iter().map(PathBuf::from).collect();
        let startup = Arc::new(Startup::of(paths.len()));
        let http_address = http.map(|(address, listener)| {
            tracing::info!(%address, "metrics, health and the page are served over HTTP");
            tasks.spawn("http-listener", crate::http::serve(Arc::clone(&startup), tasks.clone(), listener));
            address
        });
        let meta = identity::establish(&seams, &config, &paths)?;
        let lock = lock_metadata(&seams, &paths)?;
        let options = controller_options(&seams, &config, &paths, &meta)?;
        let controller = Controller::open(seams.clone(), options).await?;
        let settings = Settings::new(BrokerId(meta.node_id), Arc::clone(&config), &controller.image());
        let security = listener_security::open(&settings.config(), &config, &controller, &seams, &tasks, &metrics)?;
        let log_dirs = log_dirs::open(&tasks, &seams, &settings.config(), paths, controller.image(), &startup).await?;

        let broker = compose(
            config,
            settings,
            seams,
            (tasks, metrics),
            controller,
            log_dirs.clone(),
            security,
            &meta,
            &authorization,
        )?;
        let (partitions, groups) = (Arc::clone(&broker.partitions), Arc::clone(&broker.groups));
        broker.controller.subscribe(Arc::clone(&broker.settings) as Arc<dyn MetadataListener>).await;
        broker.controller.subscribe(partitions as Arc<dyn MetadataListener>).await;
        broker.controller.subscribe(groups as Arc<dyn MetadataListener>).await;
        broker.controller.subscribe(Arc::clone(&broker.quotas) as Arc<dyn MetadataListener>).await;
        broker.controller.subscribe(Arc::clone(&broker.delegation_tokens) as Arc<dyn MetadataListener>).await;
        broker.controller.subscribe(Arc::clone(&broker.telemetry) as Arc<dyn MetadataListener>).await;
        authorization.follow(&broker.controller).await;
        let rack = broker.config.read(&key::BROKER_RACK);
        broker.controller.register_broker(endpoints::advertised(&broker.config, &bound), rack).await?;

        broker.audit.start(&broker.tasks);
        let spawn = &broker.seams.spawn;
        let housekeeping = housekeeping::start(spawn.as_ref(), Arc::clone(&broker.seams.clock), log_dirs.clone());
        let housekeeping = housekeeping.map_err(StartError::Thread)?;
        let addresses = bound.iter().filter(|each| !each.is_controller).map(|each| each.address).collect();
        serve(&broker, bound).await;
        certificates::watch(&broker);
        broker.delegation_tokens.expire(&broker.controller);
        kept_topics::expire(&broker).await;
        startup.serves(Arc::clone(&broker));
        Ok(Self { broker, log_dirs, housekeeping, addresses, http_address, _lock: lock })
    }

    /// The services.
    #[must_use]
    pub fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    /// Where the listeners listen, in the order of `listeners`.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Whether a listener has TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        !self.broker.certificates.is_empty()
    }

    /// Reads keys and certificates again, changed or not. What cannot be used leaves the old ones in place, with a word in
    /// the log.
    pub async fn reload_certificates(&self) {
        let certificates = Arc::clone(&self.broker.certificates);
        self.broker.tasks.blocking(move || certificates.reload()).await;
    }

    /// Returns when the broker cannot go on: every log directory is offline, or the metadata log failed.
    pub async fn failed(&mut self) {
        tokio::select! {
            () = self.housekeeping.all_offline() => {}
            reason = self.broker.controller.failed() => tracing::error!("the metadata log failed: {reason}; {MEND_DISK}"),
        }
    }

    /// Stops: what was received is finished within a bounded time, then everything is closed.
    ///
    /// # Errors
    /// When a log directory could not be closed cleanly; the others are closed all the same.
    pub async fn stop(self) -> Result<(), LogDirError> {
        let left = self.broker.tasks.stop(DRAIN_TIMEOUT).await;
        if left > 0 {
            tracing::warn!("{left} tasks did not end within {DRAIN_TIMEOUT:?}; nothing need be done: they are cut off");
        }
        self.broker.audit.finish(&self.broker.tasks).await;
        let (housekeeping, log_dirs) = (self.housekeeping, self.log_dirs);
        let closed = self.broker.tasks.blocking(move || {
            housekeeping.stop();
            // Each one is closed, whatever became of the others.
            let closed: Vec<_> = log_dirs.iter().map(|dir| dir.close()).collect();
            closed.into_iter().collect()
        });
        let closed = closed.await;
        self.broker.controller.close().await;
        closed
    }
}

fn lock_metadata(seams: &Seams, paths: &[PathBuf]) -> Result<Box<dyn Send + Sync>, StartError> {
    let dir = metadata_dir(paths);
    seams.disk.lock(&dir.join(METADATA_LOCK)).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => StartError::Locked(dir, error),
        _ => StartError::Lock(dir, error),
    })
}

/// Metadata is kept in the first log directory.
fn metadata_dir(paths: &[PathBuf]) -> PathBuf {
    paths.first().cloned().expect("invariant: log.dirs names a directory")
}

fn controller_options(
    seams: &Seams,
    config: &Config,
    paths: &[PathBuf],
    meta: &MetaProperties,
) -> Result<ControllerOptions, FirstUserError> {
    let snapshot_bytes = config.read(&key::METADATA_LOG_MAX_RECORD_BYTES_BETWEEN_SNAPSHOTS);
    Ok(ControllerOptions {
        directory: metadata_dir(paths),
        cluster_id: meta.cluster_id.clone(),
        node_id: BrokerId(meta.node_id),
        snapshot_bytes: u64::try_from(snapshot_bytes).unwrap_or(u64::MAX),
        first_users: first_user::read(config, seams)?,
    })
}

#[allow(clippy::too_many_arguments, reason = "everything a broker is made of, once")]
fn compose(
    config: Arc<Config>,
    settings: Settings,
    seams: Seams,
    (tasks, metrics): (Tasks, Arc<Metrics>),
    controller: Controller,
    log_dirs: Vec<Arc<LogDir>>,
    (certificates, logins): (Arc<Certificates>, Arc<Logins>),
    meta: &MetaProperties,
    authorization: &Authorization,
) -> Result<Arc<Broker>, AuditFileError> {
    let (id, settings) = (BrokerId(meta.node_id), Arc::new(settings));
    let partitions = Arc::new(Partitions::new(id, Arc::clone(&settings), tasks.clone(), log_dirs));
    let (clock, parts) = (Arc::clone(&seams.clock), Arc::clone(&partitions));
    let groups = Groups::of_broker(id, &config, clock, tasks.clone(), parts);
    let session_slots = config.read(&key::MAX_INCREMENTAL_FETCH_SESSION_CACHE_SLOTS);
    let topics = Topics::new(Arc::clone(&config), controller.clone());
    let audit = Audit::open(&config, &seams, &metrics, id.0, topics.clone(), Arc::clone(&partitions))?;
    let telemetry = ClientTelemetry::new(Arc::clone(&seams.clock), Arc::clone(&metrics), &controller.image());
    Ok(Arc::new(Broker {
        id,
        fetch_sessions: FetchSessions::new(&seams, usize::try_from(session_slots).unwrap_or(0), Arc::clone(&metrics)),
        producer_ids: ProducerIds::new(&controller),
        delegation_tokens: Arc::clone(logins.delegation_tokens()),
        certificates,
        logins,
        authorizer: authorization.authorizer(),
        groups: Arc::new(groups),
        quotas: Arc::new(Quotas::new(&config, Arc::clone(&seams.clock), Arc::clone(&metrics))),
        topics,
        telemetry: Arc::new(telemetry),
        audit: Arc::new(audit),
        unsent: Unsent::new(NetworkOptions::of(&config).unsent_bytes(), Arc::clone(&metrics)),
        config,
        settings,
        loggers: Loggers::new(),
        seams,
        tasks,
        metrics,
        controller,
        partitions,
    }))
}

/// Accepts connections from now on.
async fn serve<L: crate::seam::Listener>(broker: &Arc<Broker>, bound: Vec<endpoints::Bound<L>>) {
    let service = Arc::new(Dispatch::new(Arc::clone(broker)));
    let options = NetworkOptions::of(&broker.config);
    let network =
        Network::new(options, service, broker.tasks.clone(), Arc::clone(&broker.unsent), Arc::clone(&broker.metrics));
    let network = Arc::new(network);
    let (quotas, settings) = (Arc::clone(&broker.quotas), Arc::clone(&broker.settings));
    let limits = ConnectionLimits::new(Arc::clone(&network.slots), broker.tasks.clone(), quotas, settings);
    broker.controller.subscribe(Arc::new(limits)).await;
    let (certificates, logins) = (Arc::clone(&broker.certificates), Arc::clone(&broker.logins));
    let security = ListenerSecurity { certificates, logins, settings: Arc::clone(&broker.settings) };
    broker.controller.subscribe(Arc::new(security)).await;
    for each in bound {
        tracing::info!(listener = %each.name, address = %each.address, "listening");
        if each.protocol == SecurityProtocol::SaslPlaintext && !each.address.ip().is_loopback() {
            tracing::warn!(
                listener = %each.name,
                "logins without TLS, so that who listens on the way can guess passwords; use SASL_SSL for this listener"
            );
        }
        if each.is_controller && each.protocol == SecurityProtocol::Plaintext && !each.address.ip().is_loopback() {
            tracing::warn!(
                listener = %each.name,
                "who reaches the controller here needs neither login nor certificate; give it the host 127.0.0.1, or another \
                 protocol in listener.security.protocol.map"
            );
        }
        let name = Arc::from(each.name);
        let entrance = Entrance {
            is_controller: each.is_controller,
            way: endpoints::way(&broker.config, &name, each.protocol),
            protocol: each.protocol,
            tls: broker.certificates.of(&name).cloned(),
            connections: broker.metrics.connections_by_listener.of(&name),
            name,
        };
        broker.tasks.spawn("listener", listener::run(Arc::clone(&network), each.listener, entrance));
    }
}
