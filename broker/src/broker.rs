//! The composition root: every service of one broker, named once. Handlers reach everything through it.

use std::sync::Arc;

use barnabas_auth::Authorizer;
use barnabas_config::Config;
use barnabas_raft::{BrokerId, Controller};
use barnabas_storage::seam::Seams;

use crate::audit::Audit;
use crate::delegation_tokens::DelegationTokens;
use crate::group::Groups;
use crate::loggers::Loggers;
use crate::login::Logins;
use crate::metrics::Metrics;
use crate::partition::Partitions;
use crate::partition::fetch_session::FetchSessions;
use crate::partition::producer_ids::ProducerIds;
use crate::quota::Quotas;
use crate::seam::Tasks;
use crate::settings::Settings;
use crate::telemetry::ClientTelemetry;
use crate::tls::Certificates;
use crate::topics::Topics;
use crate::unsent::Unsent;

/// The services of one broker.
pub struct Broker {
    /// This broker's `node.id`.
    pub id: BrokerId,
    /// The settings of the start, for what does not change while the broker runs.
    pub config: Arc<Config>,
    /// The settings as they are now.
    pub settings: Arc<Settings>,
    /// What is logged.
    pub loggers: Arc<Loggers>,
    /// Disk, clock, random numbers, threads.
    pub seams: Seams,
    /// Spawns async tasks and blocking work, and waits for time.
    pub tasks: Tasks,
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// Memory of answers that were not sent yet.
    pub unsent: Arc<Unsent>,
    /// Cluster metadata.
    pub controller: Controller,
    /// Makes topics, also on demand.
    pub topics: Topics,
    /// Partitions this broker leads.
    pub partitions: Arc<Partitions>,
    /// The group coordinator.
    pub groups: Arc<Groups>,
    /// Client quotas.
    pub quotas: Arc<Quotas>,
    /// Fetch sessions (KIP-227).
    pub fetch_sessions: FetchSessions,
    /// Producer ids, handed out from blocks.
    pub producer_ids: ProducerIds,
    /// What bearers of delegation tokens show.
    pub delegation_tokens: Arc<DelegationTokens>,
    /// Keys and certificates of the listeners.
    pub certificates: Arc<Certificates>,
    /// Lets connections log in.
    pub logins: Arc<Logins>,
    /// Who may do what.
    pub authorizer: Arc<dyn Authorizer>,
    /// What clients push of their metrics.
    pub telemetry: Arc<ClientTelemetry>,
    /// What was denied and administered.
    pub audit: Arc<Audit>,
}
