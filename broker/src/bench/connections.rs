//! Connections that do nothing: how fast they open, and that the broker still answers on each after a while.

use std::time::{Duration, Instant};

use kafka_protocol::messages::ApiVersionsRequest;

use super::connection::{Connection, allow_files};
use super::{BenchError, Bootstrap, Histogram};

const ACT: &str = "ask on an idle connection";

/// What opening and holding them showed.
#[derive(Clone, Debug)]
pub struct Done {
    /// How many were open at once.
    pub connections: usize,
    /// From the first to the last.
    pub opened_in: Duration,
    /// From connect to the first answer, for each.
    pub opened: Histogram,
    /// Times of a request on each after it was idle.
    pub asked: Histogram,
}

/// Opens `connections` of them one after the other and lets each ask once, as every client does.
///
/// # Errors
/// See [`BenchError`].
pub fn open(bootstrap: &Bootstrap, connections: usize) -> Result<(Vec<Connection>, Histogram), BenchError> {
    allow_files(connections)?;
    let mut times = Histogram::default();
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        let since = Instant::now();
        let mut connection = bootstrap.open()?;
        ask(&mut connection)?;
        times.record(since.elapsed());
        open.push(connection);
    }
    Ok((open, times))
}

/// Opens them, leaves them alone for `idle`, and asks once more on each.
///
/// # Errors
/// See [`BenchError`].
pub fn run(bootstrap: &Bootstrap, connections: usize, idle: Duration) -> Result<Done, BenchError> {
    let start = Instant::now();
    let (mut open, opened) = open(bootstrap, connections)?;
    let opened_in = start.elapsed();
    std::thread::sleep(idle);
    let mut asked = Histogram::default();
    for connection in &mut open {
        let since = Instant::now();
        ask(connection)?;
        asked.record(since.elapsed());
    }
    Ok(Done { connections, opened_in, opened, asked })
}

fn ask(connection: &mut Connection) -> Result<(), BenchError> {
    connection.call(&ApiVersionsRequest::default(), 0, ACT).map(|_| ())
}
