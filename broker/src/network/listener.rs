//! A listener: accepts connections while there is room and gives each its task.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use barnabas_config::SecurityProtocol;
use barnabas_storage::advice::RAISE_FILE_LIMIT;

use super::slots::{Refused, Slot, Way};
use super::{Ends, Network};
use super::{connection, secure};
use crate::api::context::ConnectionInfo;
use crate::limits::{ACCEPT_RETRY_PAUSE, CLOSES_NOTED};
use crate::metrics::{Entered, Gauge};
use crate::seam::{Listener, Stream};
use crate::session::Session;
use crate::tls::LiveTls;

/// Numbers connections over all listeners.
static NEXT_CONNECTION: AtomicU64 = AtomicU64::new(1);

/// What is known of every connection that a listener accepts.
#[derive(Clone)]
pub struct Entrance {
    /// The listener's name.
    pub name: Arc<str>,
    /// Whether it is the controller's.
    pub is_controller: bool,
    /// Who comes through it.
    pub way: Way,
    /// Its security protocol.
    pub protocol: SecurityProtocol,
    /// Its TLS, when the protocol has it.
    pub tls: Option<Arc<LiveTls>>,
    /// How many connections it has.
    pub connections: Arc<Gauge>,
}

/// What a connection holds as long as it is open.
pub(super) type Place = (Slot, Entered);

/// Accepts connections until the broker stops.
pub async fn run<L: Listener>(network: Arc<Network>, listener: L, entrance: Entrance) {
    let mut stopping = network.tasks.stopping();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopping.wait() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let arrival = network.service.arrived(peer.ip());
                admit(&network, stream, peer, &entrance, arrival.refused_for);
                if !arrival.pause.is_zero() {
                    let _ = network.tasks.within(arrival.pause, stopping.wait()).await;
                }
            }
            Err(error) => {
                tracing::warn!(
                    listener = %entrance.name,
                    "no connection could be accepted: {error}: it is tried again; {RAISE_FILE_LIMIT}"
                );
                network.tasks.sleep(ACCEPT_RETRY_PAUSE).await;
            }
        }
    }
}

fn admit<S: Stream>(
    network: &Arc<Network>,
    stream: S,
    peer: SocketAddr,
    entrance: &Entrance,
    refused_for: Option<Duration>,
) {
    let place = match network.slots.take(peer.ip(), entrance.way) {
        Ok(slot) => (slot, Entered::by(&entrance.connections)),
        Err(refused) => return note_refused(network, &entrance.name, peer, refused),
    };
    if let Some(time) = refused_for {
        hold(network, stream, place, time);
        return;
    }
    // A peer that is gone already has no address any more.
    let Ok(local) = stream.local_address() else { return };
    let (id, name) = (NEXT_CONNECTION.fetch_add(1, Ordering::Relaxed), Arc::clone(&entrance.name));
    let ends = Ends { peer, local, listener: Arc::clone(&name) };
    let (is_controller, is_for_admins) = (entrance.is_controller, place.0.is_for_admins());
    let info = move |protocol, certificate| {
        let session = Session::at_accept(protocol, certificate);
        let info = ConnectionInfo::new(id, name, protocol, local, peer, session);
        let info = if is_controller { info.on_controller() } else { info };
        Arc::new(if is_for_admins { info.for_admins() } else { info })
    };
    match &entrance.tls {
        None => spawn(network, stream, info(entrance.protocol, None), place),
        Some(tls) => secure::spawn(network, stream, ends, tls, entrance.protocol, info, place),
    }
}

fn note_refused(network: &Network, listener: &str, peer: SocketAddr, refused: Refused) {
    let count = network.metrics.connections_refused.value();
    if count <= CLOSES_NOTED || count.is_multiple_of(CLOSES_NOTED) {
        tracing::warn!(listener, %peer, count, "connection refused: {refused}; see which clients open so many");
    }
}

/// Closes a connection after a while: closed at once, its peer would come again at once.
fn hold<S: Stream>(network: &Arc<Network>, stream: S, place: Place, time: Duration) {
    network.metrics.connections_refused.increment();
    let (tasks, mut stopping) = (network.tasks.clone(), network.tasks.stopping());
    network.tasks.spawn("refused connection", async move {
        let _ = tasks.within(time, stopping.wait()).await;
        drop((stream, place));
    });
}

fn spawn<S: Stream>(network: &Arc<Network>, stream: S, info: Arc<ConnectionInfo>, place: Place) {
    let (network, stopping) = (Arc::clone(network), network.tasks.stopping());
    let tasks = network.tasks.clone();
    tasks.spawn("connection", async move {
        connection::serve(network, stream, info, stopping).await;
        drop(place);
    });
}
