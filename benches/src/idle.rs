//! What a connection costs that does nothing: memory of the broker before and after many of them.

use std::process::Child;

use kafka_protocol::messages::ApiVersionsRequest;

use crate::connection::Connection;
use crate::{Outcome, process};

/// How many are opened; a process may have 1,024 files without asking.
pub(crate) const CONNECTIONS: usize = 900;

/// Opens them, lets each ask once as every client does, and returns the broker's bytes for one.
pub(crate) fn bytes_per_connection(bootstrap: &str, child: &Child) -> Outcome<f64> {
    let before = process::resident_mib(child)?;
    let mut open = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(bootstrap)?;
        connection.call(&ApiVersionsRequest::default(), 0)?;
        open.push(connection);
    }
    let after = process::resident_mib(child)?;
    Ok((after - before) * 1_048_576.0 / CONNECTIONS as f64)
}
