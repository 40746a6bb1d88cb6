//! One blocking connection: frames out, frames in, told apart by their order.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, HeaderVersion, Request};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::stream::Stream;
use super::{BenchError, STALLED, frame};
use crate::tls::{ClientTls, remedy};

/// An answer that claims more is not read.
const ANSWER_BYTES_MAX: usize = 512 << 20;
/// Open files that a process needs beside its connections.
const OTHER_FILES: u64 = 64;

/// A connection to a broker.
pub struct Connection {
    stream: Stream,
    address: String,
    /// How long it may stand still.
    patience: Duration,
    inbox: Vec<u8>,
    /// Correlation ids of the requests that are not answered.
    awaited: VecDeque<i32>,
    next_id: i32,
}

impl Connection {
    /// Connects to the first of `addresses` (host:port, separated by commas) that listens.
    ///
    /// # Errors
    /// [`BenchError::Connect`].
    pub fn open(addresses: &str) -> Result<Self, BenchError> {
        Self::open_by(addresses, None, STALLED)
    }

    /// As [`Self::open`], over TLS where it is given.
    pub(super) fn open_by(addresses: &str, tls: Option<&ClientTls>, patience: Duration) -> Result<Self, BenchError> {
        let mut failure = None;
        for address in addresses.split(',').map(str::trim) {
            match connect(address, patience) {
                Ok(socket) => return Self::on(socket, tls, address, patience),
                Err(source) => failure = Some(BenchError::Connect { address: address.to_owned(), source }),
            }
        }
        Err(failure.unwrap_or_else(|| BenchError::Connect {
            address: addresses.to_owned(),
            source: io::Error::from(io::ErrorKind::InvalidInput),
        }))
    }

    fn on(socket: TcpStream, tls: Option<&ClientTls>, address: &str, patience: Duration) -> Result<Self, BenchError> {
        let stream = match tls {
            None => Stream::Plain(socket),
            Some(tls) => Stream::secured(socket, tls, address)
                .map_err(|source| BenchError::Tls { address: address.to_owned(), reason: reason(&source) })?,
        };
        let (address, inbox, awaited) = (address.to_owned(), Vec::new(), VecDeque::new());
        Ok(Self { stream, address, patience, inbox, awaited, next_id: 0 })
    }

    /// The correlation id of the next frame, which has to be sent.
    pub(super) fn begin(&mut self) -> i32 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }

    /// Sends a frame in two pieces, whose header carries the id of the last [`Self::begin`].
    pub(super) fn send(&mut self, head: &[u8], body: &[u8], act: &'static str) -> Result<(), BenchError> {
        write_both(&mut self.stream, head, body).map_err(|source| self.broken(source, act))
    }

    /// The request that was sent last will be answered.
    pub(super) fn await_answer(&mut self) {
        self.awaited.push_back(self.next_id);
    }

    /// Waits until there is something to receive, at most until `due`. Says whether there is.
    pub(super) fn readable_before(&mut self, due: Instant, act: &'static str) -> Result<bool, BenchError> {
        if self.stream.holds_bytes() {
            return Ok(true);
        }
        let left = due.saturating_duration_since(Instant::now());
        let timeout =
            Timespec { tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(self.broken(error.into(), act)),
        }
    }

    /// Reads the next answer and returns its body after the correlation id.
    pub(super) fn receive(&mut self, act: &'static str) -> Result<&[u8], BenchError> {
        let length = self.read_answer().map_err(|source| self.broken(source, act))?;
        let answer = self.inbox.get(..length).unwrap_or_default();
        let got = answer.get(..4).map_or(0, |mut id| id.get_i32());
        match self.awaited.pop_front() {
            Some(wanted) if wanted == got && length >= 4 => Ok(self.inbox.get(4..length).unwrap_or_default()),
            wanted => Err(self.malformed(act, format!("answer {got} where {wanted:?} was awaited"))),
        }
    }

    fn read_answer(&mut self) -> io::Result<usize> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let claimed = i32::from_be_bytes(length);
        let length = usize::try_from(claimed).ok().filter(|length| *length <= ANSWER_BYTES_MAX);
        let length = length.ok_or_else(|| io::Error::other(format!("an answer that claims {claimed} bytes")))?;
        if self.inbox.len() < length {
            self.inbox.resize(length, 0);
        }
        self.stream.read_exact(self.inbox.get_mut(..length).unwrap_or_default())?;
        Ok(length)
    }

    /// Sends one request through the codec and waits for its answer.
    ///
    /// # Errors
    /// See [`BenchError`].
    pub fn call<R: Request>(
        &mut self,
        request: &R,
        version: i16,
        act: &'static str,
    ) -> Result<R::Response, BenchError> {
        let id = self.begin();
        let mut out = BytesMut::new();
        frame::begin(&mut out, R::KEY, version, id, R::header_version(version) == 2);
        request.encode(&mut out, version).map_err(|error| self.malformed(act, error.to_string()))?;
        frame::end(&mut out, 0);
        self.send(&out, &[], act)?;
        self.await_answer();
        let mut answer = Bytes::copy_from_slice(self.receive(act)?);
        if R::Response::header_version(version) == 1 && answer.try_get_u8() != Ok(0) {
            return Err(self.malformed(act, "a header with tags that are not known".to_owned()));
        }
        R::Response::decode(&mut answer, version).map_err(|error| self.malformed(act, error.to_string()))
    }

    pub(super) fn malformed(&self, act: &'static str, reason: String) -> BenchError {
        BenchError::Malformed { act, address: self.address.clone(), reason }
    }

    pub(super) fn not_logged_in(&self, reason: String) -> BenchError {
        BenchError::Login { address: self.address.clone(), reason }
    }

    fn broken(&self, source: io::Error, act: &'static str) -> BenchError {
        let address = self.address.clone();
        match source.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                BenchError::Stalled { act, address, waited: self.patience }
            }
            _ => BenchError::Broken { act, address, source },
        }
    }
}

/// What went wrong with a handshake, and what to do about it.
fn reason(source: &io::Error) -> String {
    let error = source.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    error.map_or_else(|| source.to_string(), |error| format!("{error}; {}", remedy(error)))
}

fn connect(address: &str, patience: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    Ok(stream)
}

/// One system call, unless the socket takes less.
fn write_both(stream: &mut impl Write, head: &[u8], body: &[u8]) -> io::Result<()> {
    let written = loop {
        match stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => break written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    stream.write_all(head.get(written..).unwrap_or_default())?;
    stream.write_all(body.get(written.saturating_sub(head.len())..).unwrap_or_default())
}

/// Lets this process open `connections` of them, as far as the system allows.
///
/// # Errors
/// [`BenchError::Files`].
pub fn allow_files(connections: usize) -> Result<(), BenchError> {
    let needed = connections as u64 + OTHER_FILES;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(needed), maximum };
    setrlimit(Resource::Nofile, raised).map_err(|_| BenchError::Files { needed, limit: maximum.unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes three bytes at a time.
    struct Slow(Vec<u8>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(3);
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_socket_that_takes_little_gets_all_of_both_pieces() {
        let mut slow = Slow(Vec::new());
        write_both(&mut slow, b"head", b"and body").unwrap();
        assert_eq!(slow.0, b"headand body");
    }

    #[test]
    fn nobody_there_is_an_error_that_names_the_address_and_the_next_step() {
        let text = Connection::open("127.0.0.1:1").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains("127.0.0.1:1") && text.contains("--bootstrap-server"), "{text}");
    }
}
