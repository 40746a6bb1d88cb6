//! A client of raw frames.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, HeaderVersion, Request};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
}

/// An answer without its length.
pub(crate) struct Answer {
    pub(crate) correlation_id: i32,
    /// What follows the correlation id.
    pub(crate) rest: Bytes,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::of(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn of(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next answer; `None` when the broker has closed.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        self.answer_or_error().unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    /// The next answer; `None` when the broker has closed, an error when nothing came in time.
    pub(crate) fn answer_or_error(&mut self) -> io::Result<Option<Answer>> {
        match self.frame() {
            Ok(frame) => {
                let correlation_id = i32::from_be_bytes(*frame.first_chunk().unwrap());
                Ok(Some(Answer { correlation_id, rest: frame.slice(4..) }))
            }
            Err(error) if is_closed(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The next answer that is only a length and bytes; `None` when the broker has closed.
    pub(crate) fn bare_token(&mut self) -> Option<Bytes> {
        match self.frame() {
            Ok(token) => Some(token),
            Err(error) if is_closed(&error) => None,
            Err(error) => panic!("no answer: {error}"),
        }
    }

    fn frame(&mut self) -> io::Result<Bytes> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).unwrap()];
        self.stream.read_exact(&mut frame)?;
        Ok(Bytes::from(frame))
    }

    /// Sends one request and takes its answer.
    pub(crate) fn ask<R: Request + HeaderVersion>(&mut self, request: &R, version: i16) -> R::Response
    where
        R::Response: HeaderVersion,
    {
        self.send(&frame(request, version, 7)).unwrap();
        let answer = self.answer().expect("an answer");
        assert_eq!(answer.correlation_id, 7);
        decode::<R>(&answer, version)
    }

    /// The same for a request that the codec does not write, given as its body.
    pub(crate) fn ask_body<R: Request>(&mut self, version: i16, body: &[u8]) -> R::Response
    where
        R::Response: HeaderVersion,
    {
        self.send(&raw_frame(R::KEY, version, 7, true, body)).unwrap();
        decode::<R>(&self.answer().expect("an answer"), version)
    }
}

/// What a peer that closed or reset looks like.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// Reads an answer.
pub(crate) fn decode<R: Request>(answer: &Answer, version: i16) -> R::Response
where
    R::Response: HeaderVersion,
{
    let tags = usize::from(R::Response::header_version(version) >= 1);
    let mut rest = answer.rest.slice(tags..);
    let response = R::Response::decode(&mut rest, version).unwrap();
    assert!(rest.is_empty(), "{} bytes behind the answer", rest.len());
    response
}

/// A request with its length and header.
pub(crate) fn frame<R: Request + HeaderVersion>(request: &R, version: i16, correlation_id: i32) -> Bytes {
    let mut body = BytesMut::new();
    request.encode(&mut body, version).unwrap();
    raw_frame(R::KEY, version, correlation_id, R::header_version(version) >= 2, &body)
}

/// Any bytes as a body, with a length and a header.
pub(crate) fn raw_frame(key: i16, version: i16, correlation_id: i32, flexible: bool, body: &[u8]) -> Bytes {
    let mut frame = vec![0; 4];
    frame.extend(key.to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend(correlation_id.to_be_bytes());
    frame.extend([0, 4]);
    frame.extend(b"wire");
    if flexible {
        frame.push(0);
    }
    frame.extend(body);
    let length = i32::try_from(frame.len() - 4).unwrap();
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Bytes::from(frame)
}
