//! Ports nobody listens on, and the question whether a Kafka broker answers on one.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};

use super::dice::Dice;

/// ApiVersions version 0 with correlation id 1 and no client id: the one request that every Kafka broker answers.
const API_VERSIONS_REQUEST: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(1);

/// Below the ports that Linux gives to outgoing connections: a client that tries to reach a broker which is down would
/// sooner or later be given the broker's own port, and talk to itself.
const PORTS: Range<u64> = 10_000..32_000;

/// So many of the ports given last stay kept: more than all brokers of one test have, fewer than a process may open files.
const KEPT: usize = 256;

/// What this process gave.
struct Given {
    dice: Dice,
    kept: VecDeque<OwnedFd>,
}

/// A port for a server that is about to start. Until 256 others were given, a socket that is bound and does not listen keeps
/// it: neither another test nor an outgoing connection gets it, also while its server is down. A server binds beside it, since
/// both ask for SO_REUSEADDR, as every server does.
pub fn free() -> std::io::Result<u16> {
    static GIVEN: Mutex<Option<Given>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_with(|| Given {
        dice: Dice::from_environment("PORT_SEED"),
        kept: VecDeque::with_capacity(KEPT),
    });
    loop {
        let port = u16::try_from(given.dice.draw(PORTS)).map_err(std::io::Error::other)?;
        match keep(port) {
            Ok(socket) => {
                if given.kept.len() == KEPT {
                    given.kept.pop_front();
                }
                given.kept.push_back(socket);
                return Ok(port);
            }
            Err(Errno::ADDRINUSE) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A socket that keeps `port`. It is bound as one that shares with nobody, and shares from then on.
fn keep(port: u16) -> rustix::io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    set_socket_reuseaddr(&socket, true)?;
    Ok(socket)
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_that_was_given_is_given_to_no_other_test_and_still_serves() {
        let ports: Vec<u16> = (0..KEPT).map(|_| free().unwrap()).collect();
        for &port in ports.iter().rev().take(64) {
            assert_eq!(keep(port).unwrap_err(), Errno::ADDRINUSE, "who draws {port} next takes another");
            for _start in 0..2 {
                let server = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
                assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
                drop(server);
                assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err(), "nobody listens on {port}");
            }
        }
    }
}
