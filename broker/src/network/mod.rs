//! Listeners, connections, frames and the memory budget. Knows frames, their first eight bytes and pieces of answers;
//! what is inside them is the [`Service`]'s business.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use barnabas_config::{Config, key};
use bytes::Bytes;

use crate::api::context::ConnectionInfo;
use crate::api::gate::Prefix;
use crate::api::{CloseReason, Reply, SecondStage};
use crate::limits::{REQUEST_BUDGET_BYTES, REQUEST_BYTES_LEAST};
use crate::metrics::Metrics;
use crate::seam::Tasks;
use crate::tls::RefusedHandshake;
use crate::unsent::Unsent;

pub mod address_limits;
pub mod answers;
pub mod backlog;
pub mod budget;
pub mod connection;
pub mod eagerness;
pub mod frame;
pub mod listener;
pub mod mute;
pub mod outbox;
mod secure;
pub mod slots;
pub mod turns;

/// Answers requests. Implemented by `api::dispatch`.
pub trait Service: Send + Sync + 'static {
    /// Looks at the first eight bytes of a frame before its body is read.
    ///
    /// # Errors
    /// When the connection is to be closed.
    fn admit(&self, connection: &ConnectionInfo, prefix: Prefix, frame_bytes: usize) -> Result<Admission, CloseReason>;

    /// Takes a bare token of a login: its answer is one, too, and nothing later is begun before it.
    fn token(&self, connection: &Arc<ConnectionInfo>, token: Bytes) -> SecondStage;

    /// Begins a whole frame (without its length). Called in the order of the connection.
    ///
    /// # Errors
    /// When the connection is to be closed.
    fn begin(&self, connection: &Arc<ConnectionInfo>, frame: Bytes) -> Result<Begun, CloseReason>;

    /// A peer was not let in by TLS: for the audit.
    fn refused(&self, _ends: &Ends, _kind: &'static str, _refused: &RefusedHandshake) {}

    /// A connection from this address was accepted.
    fn arrived(&self, _address: IpAddr) -> Arrival {
        Arrival::default()
    }
}

/// Between whom a connection is.
#[derive(Clone, Debug)]
pub struct Ends {
    /// The peer's side.
    pub peer: SocketAddr,
    /// Our side.
    pub local: SocketAddr,
    /// Name of the listener.
    pub listener: Arc<str>,
}

/// A frame that may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Memory that answering it may take, beside the frame.
    pub cost: usize,
    /// Its bytes are used by its first stage and by nothing that waits for others: a large one waits for its place in the
    /// backlog.
    pub in_backlog: bool,
}

/// What a connection that was accepted means for those who come too often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// It is not served but closed after this time: its address opens too many (`connection_creation_rate`).
    pub refused_for: Option<Duration>,
    /// The listeners accept no other before this time (`max.connection.creation.rate`).
    pub pause: Duration,
}

/// A request that was begun.
pub struct Begun {
    /// What goes in front of the answer.
    pub header: ResponseHeader,
    /// Memory that a second stage keeps: what it took the frame's records from is gone by then.
    pub keeps: usize,
    /// How the answer comes.
    pub stage: Stage,
}

/// How an answer comes.
pub enum Stage {
    /// It is here.
    Answered(Reply),
    /// Await it before anything later of this connection is begun.
    Alone(SecondStage),
    /// Later requests may be begun meanwhile.
    Second(SecondStage),
}

/// What goes in front of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseHeader {
    /// Of the request.
    pub correlation_id: i32,
    /// Whether the header ends with a block of tags (version 1).
    pub tagged: bool,
}

/// The bounds that have a setting of Kafka's.
#[derive(Clone, Debug)]
pub struct NetworkOptions {
    /// `socket.request.max.bytes`.
    pub request_bytes_max: usize,
    /// `sasl.server.max.receive.size`: the same before a login.
    pub login_bytes_max: usize,
    /// `queued.max.request.bytes`, or our own bound when it is unset.
    pub budget_bytes: usize,
    /// `connections.max.idle.ms`.
    pub idle_max: Duration,
    /// `max.connections` and `max.connections.per.ip`.
    pub places: slots::Places,
}

impl NetworkOptions {
    /// Reads the settings.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let number = |key| usize::try_from(config.read::<i64>(key)).ok();
        let idle_ms = u64::try_from(config.read(&key::CONNECTIONS_MAX_IDLE_MS));
        Self {
            request_bytes_max: number(&key::SOCKET_REQUEST_MAX_BYTES).unwrap_or(0).max(REQUEST_BYTES_LEAST),
            login_bytes_max: number(&key::SASL_SERVER_MAX_RECEIVE_SIZE).unwrap_or(0).max(REQUEST_BYTES_LEAST),
            budget_bytes: number(&key::QUEUED_MAX_REQUEST_BYTES).unwrap_or(REQUEST_BUDGET_BYTES),
            // A negative time means never: a thousand years do.
            idle_max: idle_ms.map_or(Duration::from_secs(31_536_000_000), Duration::from_millis),
            places: slots::Places::of_config(config),
        }
    }

    /// The part of the budget that is for answers.
    #[must_use]
    pub fn unsent_bytes(&self) -> usize {
        self.budget_bytes / 4
    }
}

/// What every connection shares.
pub struct Network {
    /// The bounds.
    pub options: NetworkOptions,
    /// Who answers.
    pub service: Arc<dyn Service>,
    /// Memory for requests.
    pub budget: budget::Budget,
    /// Large requests between their arrival and the disk.
    pub backlog: backlog::Backlog,
    /// Whose turn it is of those that keep a worker long.
    pub turns: turns::Turns,
    /// Memory of answers that were not sent yet.
    pub unsent: Arc<Unsent>,
    /// Who is connected.
    pub slots: Arc<slots::Slots>,
    /// Tasks and time.
    pub tasks: Tasks,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

impl Network {
    /// Nobody is connected yet.
    #[must_use]
    pub fn new(
        options: NetworkOptions,
        service: Arc<dyn Service>,
        tasks: Tasks,
        unsent: Arc<Unsent>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            service,
            slots: Arc::new(slots::Slots::new(options.places, Arc::clone(&metrics))),
            budget: budget::Budget::new(options.budget_bytes - options.unsent_bytes(), Arc::clone(&metrics)),
            backlog: backlog::Backlog::new(Arc::clone(&metrics)),
            turns: turns::Turns::new(tasks.workers(), Arc::clone(&metrics)),
            unsent,
            tasks,
            metrics,
            options,
        }
    }
}
