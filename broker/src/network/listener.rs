//! A listener: accepts connections while there is room and gives each its task.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use barnabas_auth::Principal;

use super::Network;
use super::connection;
use super::slots::Slot;
use crate::api::context::ConnectionInfo;
use crate::limits::{ACCEPT_RETRY_PAUSE, CLOSES_NOTED};
use crate::seam::{Listener, Stream};

/// Numbers connections over all listeners.
static NEXT_CONNECTION: AtomicU64 = AtomicU64::new(1);

/// Accepts connections until the broker stops.
pub async fn run<L: Listener>(network: Arc<Network>, listener: L, name: Arc<str>) {
    let mut stopping = network.tasks.stopping();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopping.wait() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => admit(&network, stream, peer, &name),
            Err(error) => {
                tracing::warn!(listener = %name, "accept a connection: {error}; trying again");
                network.tasks.sleep(ACCEPT_RETRY_PAUSE).await;
            }
        }
    }
}

fn admit<S: Stream>(network: &Arc<Network>, stream: S, peer: SocketAddr, name: &Arc<str>) {
    let slot = match network.slots.take(peer.ip()) {
        Ok(slot) => slot,
        Err(refused) => {
            let count = network.metrics.connections_refused.value();
            if count <= CLOSES_NOTED || count.is_multiple_of(CLOSES_NOTED) {
                tracing::warn!(listener = %name, %peer, count, "connection refused: {refused}");
            }
            return;
        }
    };
    // A peer that is gone already has no address any more.
    let Ok(local) = stream.local_address() else { return };
    let info = ConnectionInfo {
        id: NEXT_CONNECTION.fetch_add(1, Ordering::Relaxed),
        listener: Arc::clone(name),
        local,
        peer,
        principal: Principal::anonymous(),
    };
    spawn(network, stream, Arc::new(info), slot);
}

fn spawn<S: Stream>(network: &Arc<Network>, stream: S, info: Arc<ConnectionInfo>, slot: Slot) {
    let (network, stopping) = (Arc::clone(network), network.tasks.stopping());
    let tasks = network.tasks.clone();
    tasks.spawn("connection", async move {
        connection::serve(network, stream, info, stopping).await;
        drop(slot);
    });
}
