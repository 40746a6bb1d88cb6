//! Peers that begin a handshake or a login and hardly go on: what they send at once, then nothing, or a byte a second.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::wait::Stopwatch;

/// Between two bytes of a peer that sends some.
const BETWEEN_BYTES: Duration = Duration::from_secs(1);
/// In so many turns all are looked at: to look at thousands at once would be a load of its own beside what is measured.
const TURNS_OF_A_LOOK: usize = 50;

/// Peers of one kind.
#[derive(Debug)]
pub struct SlowPeers {
    /// What they are, for people.
    pub kind: &'static str,
    /// What they send at once.
    beginning: Vec<u8>,
    /// What they send one by one afterwards.
    byte: Option<u8>,
    peers: Vec<Peer>,
    turns: usize,
}

#[derive(Debug)]
struct Peer {
    stream: TcpStream,
    opened: Stopwatch,
    /// When it sends its next byte, from when it was opened.
    due: Duration,
    cut: Option<Duration>,
}

impl SlowPeers {
    /// None is connected yet.
    pub fn new(kind: &'static str, beginning: &[u8], byte: Option<u8>) -> Self {
        Self { kind, beginning: beginning.to_owned(), byte, peers: Vec::new(), turns: 0 }
    }

    /// Connects `count` of them. Each sends its bytes at a moment of the second of its own, as strangers do.
    ///
    /// # Errors
    /// When one is refused.
    pub fn connect(&mut self, port: u16, count: usize) -> std::io::Result<()> {
        for number in 0..count {
            let mut stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.write_all(&self.beginning)?;
            stream.set_nonblocking(true)?;
            let due = BETWEEN_BYTES + BETWEEN_BYTES.mul_f64(number as f64 / count as f64);
            self.peers.push(Peer { stream, opened: Stopwatch::start(), due, cut: None });
        }
        Ok(())
    }

    /// Sends what is due, and looks whether some of them were cut. A turn each millisecond, and there are no bursts.
    pub fn turn(&mut self) {
        self.turns += 1;
        let looked_at = self.turns % TURNS_OF_A_LOOK;
        for (number, peer) in self.peers.iter_mut().enumerate().filter(|(_, peer)| peer.cut.is_none()) {
            if number % TURNS_OF_A_LOOK == looked_at && peer.is_cut() {
                peer.cut = Some(peer.opened.elapsed());
            } else if let Some(byte) = self.byte
                && peer.opened.elapsed() >= peer.due
            {
                peer.due += BETWEEN_BYTES;
                // Who was cut meanwhile is found so at a later turn.
                let _ = peer.stream.write_all(&[byte]);
            }
        }
    }

    /// How many are connected still.
    pub fn connected(&self) -> usize {
        self.peers.iter().filter(|peer| peer.cut.is_none()).count()
    }

    /// When the first and the last of them was cut.
    pub fn cut(&self) -> Option<(Duration, Duration)> {
        let times = || self.peers.iter().filter_map(|peer| peer.cut);
        Some((times().min()?, times().max()?))
    }
}

impl Peer {
    fn is_cut(&mut self) -> bool {
        // What it is told before its end does not count.
        let mut told = [0; 256];
        loop {
            match self.stream.read(&mut told) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
            }
        }
    }
}
