//! Connections of listeners with TLS: the handshake within its time, then the same service as every other.

use std::net::SocketAddr;
use std::sync::Arc;

use barnabas_auth::Principal;
use barnabas_config::SecurityProtocol;

use super::connection;
use super::listener::Place;
use super::{Ends, Network};
use crate::api::context::ConnectionInfo;
use crate::limits::{CLOSES_NOTED, HANDSHAKE_TIMEOUT, HANDSHAKES_MAX};
use crate::metrics::Metrics;
use crate::one_line::OneLine;
use crate::seam::Stream;
use crate::tls::{HandshakeError, LiveTls, RefusedHandshake, accept};

/// Counts a handshake while it is under way.
struct Handshake<'a>(&'a Metrics);

impl<'a> Handshake<'a> {
    /// `None` when too many are.
    fn begin(metrics: &'a Metrics) -> Option<Self> {
        let begun = Self(metrics);
        let under_way = metrics.tls_handshakes.increment();
        (under_way <= HANDSHAKES_MAX as u64).then_some(begun)
    }
}

impl Drop for Handshake<'_> {
    fn drop(&mut self) {
        self.0.tls_handshakes.sub(1);
    }
}

/// Gives a connection its task. `info` says what is known of it, once its peer's certificate has been seen.
pub(super) fn spawn<S: Stream>(
    network: &Arc<Network>,
    stream: S,
    ends: Ends,
    tls: &Arc<LiveTls>,
    protocol: SecurityProtocol,
    info: impl FnOnce(SecurityProtocol, Option<Principal>) -> Arc<ConnectionInfo> + Send + 'static,
    place: Place,
) {
    let (network, tls, stopping) = (Arc::clone(network), Arc::clone(tls), network.tasks.stopping());
    let tasks = network.tasks.clone();
    tasks.spawn("connection", async move {
        // On the heap: what a handshake takes is not kept for the life of the connection.
        let secured = Box::pin(handshake(&network, stream, &ends, &tls)).await;
        if let Some((stream, principal)) = secured {
            drop(tls);
            connection::serve(network, stream, info(protocol, principal), stopping).await;
        }
        drop(place);
    });
}

async fn handshake<S: Stream>(
    network: &Network,
    stream: S,
    ends: &Ends,
    tls: &LiveTls,
) -> Option<(crate::tls::Secured<S>, Option<Principal>)> {
    let (metrics, peer) = (&*network.metrics, ends.peer);
    let Some(_under_way) = Handshake::begin(metrics) else {
        note(metrics.tls_handshakes_refused.increment(), tls, peer, "too many handshakes are under way");
        return None;
    };
    match network.tasks.within(HANDSHAKE_TIMEOUT, accept(tls, stream)).await {
        Some(Ok(secured)) => return Some(secured),
        Some(Err(RefusedHandshake { error: HandshakeError::PeerClosed, .. })) => {}
        Some(Err(refused)) => {
            note(metrics.tls_handshakes_failed.increment(), tls, peer, &refused.error.to_string());
            if let Some(kind) = refused.error.kind() {
                network.service.refused(ends, kind, &refused);
            }
        }
        None => note(metrics.tls_handshakes_refused.increment(), tls, peer, "the handshake was not completed in time"),
    }
    None
}

/// One line for each of the first, and for one in as many of those that follow.
fn note(count: u64, tls: &LiveTls, peer: SocketAddr, reason: &str) {
    if count <= CLOSES_NOTED || count.is_multiple_of(CLOSES_NOTED) {
        tracing::info!(listener = tls.listener(), %peer, count, "TLS handshake failed: {}", OneLine(reason));
    }
}
