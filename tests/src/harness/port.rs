//! Ports nobody listens on, and the question whether a Kafka broker answers on one.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// ApiVersions version 0 with correlation id 1 and no client id: the one request that every Kafka broker answers.
const API_VERSIONS_REQUEST: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(1);

/// A port that was free a moment ago.
pub fn free() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether a broker on `port` answers ApiVersions.
pub fn answers(port: u16) -> bool {
    api_versions(port).is_ok()
}

fn api_versions(port: u16) -> std::io::Result<()> {
    let mut socket = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), ANSWER)?;
    socket.set_read_timeout(Some(ANSWER))?;
    socket.write_all(&API_VERSIONS_REQUEST)?;
    let mut length_and_correlation_id = [0; 8];
    socket.read_exact(&mut length_and_correlation_id)
}
