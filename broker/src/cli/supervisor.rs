//! systemd, when it started the process: it is told when clients are served, and when that ends (sd_notify(3)).

use std::net::SocketAddr;

use sd_notify::NotifyState;

use super::environment::variable;

/// Whether somebody wants to be told.
pub(super) fn is_there() -> bool {
    variable("NOTIFY_SOCKET").is_some()
}

/// Clients are served from now on.
pub(super) fn ready(addresses: &[SocketAddr]) {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let status = format!("serves on {}", addresses.join(", "));
    tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// The broker stops.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(
            "systemd could not be told: {error}: it may take the broker for one that does not start; \
             set Type=exec in the unit if it does"
        );
    }
}
