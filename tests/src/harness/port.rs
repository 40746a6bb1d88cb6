//! Ports nobody listens on, and the question whether a Kafka broker answers on one.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::dice::Dice;

/// ApiVersions version 0 with correlation id 1 and no client id: the one request that every Kafka broker answers.
const API_VERSIONS_REQUEST: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(1);

/// Below the ports that Linux gives to outgoing connections: a client that tries to reach a broker which is down would
/// sooner or later be given the broker's own port, and talk to itself.
const PORTS: Range<u64> = 10_000..32_000;

/// A port that was free a moment ago.
pub fn free() -> std::io::Result<u16> {
    static DICE: Mutex<Option<Dice>> = Mutex::new(None);
    let mut dice = DICE.lock().unwrap_or_else(PoisonError::into_inner);
    let dice = dice.get_or_insert_with(|| Dice::from_environment("PORT_SEED"));
    loop {
        let port = u16::try_from(dice.draw(PORTS)).map_err(std::io::Error::other)?;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
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
