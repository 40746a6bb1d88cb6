//! A way to a broker that takes time, as a network does: what it answers comes a little later.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::wait;

/// Bytes that are passed on at once.
const PIECE: usize = 16 << 10;

/// Passes connections to `to` on from a port of its own, which is given back, for as long as this process lives.
///
/// # Errors
/// When it cannot listen.
pub fn start(to: u16, late: Duration) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, super::port::free()?))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for from in listener.incoming().flatten() {
            // Nobody there: the connection ends, as it would without us.
            if let Ok(peer) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)) {
                join(&from, &peer, late);
            }
        }
    });
    Ok(port)
}

/// A thread for each direction; it ends with it, and what has failed ends both.
fn join(from: &TcpStream, to: &TcpStream, late: Duration) {
    if let (Ok(client), Ok(broker)) = (from.try_clone(), to.try_clone()) {
        thread::spawn(move || pass_on(client, broker, Duration::ZERO));
    }
    if let (Ok(client), Ok(broker)) = (from.try_clone(), to.try_clone()) {
        thread::spawn(move || pass_on(broker, client, late));
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, late: Duration) {
    let mut piece = [0; PIECE];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        wait::moment(late);
        if to.write_all(piece.get(..length).unwrap_or_default()).is_err() {
            // Nobody reads any more: the other side is told.
            let _ = from.shutdown(Shutdown::Both);
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_through_both_ways_and_an_end_as_an_end() {
        let echo = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = start(echo.local_addr().unwrap().port(), Duration::from_millis(1)).unwrap();
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let (mut broker, _) = echo.accept().unwrap();
        client.write_all(b"question").unwrap();
        let mut question = [0; 8];
        broker.read_exact(&mut question).unwrap();
        broker.write_all(&question).unwrap();
        broker.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"question");
    }
}
