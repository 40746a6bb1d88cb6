//! Why connections end.

use super::super::Network;
use super::super::frame::FrameError;
use crate::api::CloseReason;
use crate::api::context::ConnectionInfo;
use crate::limits::CLOSES_NOTED;
use crate::one_line::OneLine;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The peer closed it.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// Nothing happened for `connections.max.idle.ms`.
    #[error("idle for connections.max.idle.ms")]
    Idle,
    /// A frame was not completed in time.
    #[error("the peer did not complete a request in time")]
    SlowSender,
    /// An answer was not read in time.
    #[error("the peer did not read its answers in time")]
    SlowReader,
    /// A request was refused.
    #[error(transparent)]
    Refused(#[from] CloseReason),
    /// The broker stops.
    #[error("the broker stops")]
    Stopping,
    /// The system's error.
    #[error("the socket failed: {0}")]
    Io(#[from] std::io::Error),
}

impl From<FrameError> for Ended {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::PeerClosed => Self::PeerClosed,
            FrameError::Length(_) | FrameError::Hello | FrameError::NoHeader(_) => {
                Self::Refused(CloseReason::Malformed(error.to_string()))
            }
            FrameError::Io(error) => Self::Io(error),
        }
    }
}

impl Ended {
    /// Counts it, and has the log say so where that is rare.
    pub(super) fn note(&self, network: &Network, info: &ConnectionInfo) {
        let metrics = &network.metrics;
        let count = match self {
            Ended::PeerClosed | Ended::Stopping | Ended::Io(_) => 0,
            // Logged where it failed.
            Ended::Refused(CloseReason::LoginFailed) => 0,
            Ended::Idle => metrics.connections_closed_idle.increment(),
            Ended::SlowSender | Ended::SlowReader => metrics.connections_closed_slow.increment(),
            Ended::Refused(CloseReason::NoSuperUser(_)) => metrics.connections_refused.increment(),
            Ended::Refused(_) => metrics.connections_closed_malformed.increment(),
        };
        let is_rare = count <= CLOSES_NOTED || count.is_multiple_of(CLOSES_NOTED);
        if matches!(self, Ended::Refused(_)) && is_rare && count > 0 {
            tracing::info!(connection = info.id, peer = %info.peer, count, "closed: {}", OneLine(self));
        } else {
            tracing::debug!(connection = info.id, peer = %info.peer, "closed: {}", OneLine(self));
        }
    }
}
