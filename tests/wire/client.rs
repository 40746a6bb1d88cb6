//! A client of raw frames.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub struct Client {
    stream: TcpStream,
}

/// An answer without its length.
pub struct Answer {
    pub correlation_id: i32,
    /// What follows the correlation id.
    pub rest: Bytes,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        Self::of(TcpStream::connect(address).unwrap())
    }

    pub fn of(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next answer; `None` when the broker has closed.
    pub fn answer(&mut self) -> Option<Answer> {
        let mut length = [0; 4];
        match self.stream.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if is_closed(&error) => return None,
            Err(error) => panic!("no answer: {error}"),
        }
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).unwrap()];
        match self.stream.read_exact(&mut frame) {
            Ok(()) => {}
            Err(error) if is_closed(&error) => return None,
            Err(error) => panic!("half an answer: {error}"),
        }
        let frame = Bytes::from(frame);
        let correlation_id = i32::from_be_bytes(*frame.first_chunk().unwrap());
        Some(Answer { correlation_id, rest: frame.slice(4..) })
    }

    /// Sends one request and takes its answer.
    pub fn ask<R: Request + HeaderVersion>(&mut self, request: &R, version: i16) -> R::Response
    where
        R::Response: HeaderVersion,
    {
        self.send(&frame(request, version, 7)).unwrap();
        let answer = self.answer().expect("an answer");
        assert_eq!(answer.correlation_id, 7);
        decode::<R>(&answer, version)
    }
}

/// What a peer that closed or reset looks like.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// Reads an answer.
pub fn decode<R: Request>(answer: &Answer, version: i16) -> R::Response
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
pub fn frame<R: Request + HeaderVersion>(request: &R, version: i16, correlation_id: i32) -> Bytes {
    let mut body = BytesMut::new();
    request.encode(&mut body, version).unwrap();
    raw_frame(R::KEY, version, correlation_id, R::header_version(version) >= 2, &body)
}

/// Any bytes as a body, with a length and a header.
pub fn raw_frame(key: i16, version: i16, correlation_id: i32, flexible: bool, body: &[u8]) -> Bytes {
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
