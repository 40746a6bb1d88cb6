//! One blocking connection: frames out, frames in.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, HeaderVersion, Request};

use crate::Outcome;

/// A connection to a broker.
pub(crate) struct Connection {
    stream: TcpStream,
    inbox: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream, inbox: Vec::new() })
    }

    /// The same connection for a thread that only receives.
    pub(crate) fn reader(&self) -> Outcome<Self> {
        Ok(Self { stream: self.stream.try_clone()?, inbox: Vec::new() })
    }

    pub(crate) fn send(&mut self, frame: &[u8]) -> Outcome<()> {
        Ok(self.stream.write_all(frame)?)
    }

    /// Reads one answer and returns its body after the correlation id.
    pub(crate) fn receive(&mut self) -> Outcome<&[u8]> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length))?;
        self.inbox.resize(length, 0);
        self.stream.read_exact(&mut self.inbox)?;
        self.inbox.get(4..).ok_or_else(|| "an answer without a correlation id".into())
    }

    /// Sends one request through the codec and waits for its answer.
    pub(crate) fn call<R: Request>(&mut self, request: &R, version: i16) -> Outcome<R::Response> {
        let mut body = BytesMut::new();
        request.encode(&mut body, version)?;
        let frame = frame(R::KEY, version, R::header_version(version) == 2, &body);
        self.send(&frame)?;
        let mut answer = Bytes::copy_from_slice(self.receive()?);
        if R::Response::header_version(version) == 1 {
            answer.advance(1); // an empty block of tags
        }
        Ok(R::Response::decode(&mut answer, version)?)
    }
}

/// A whole request frame with correlation id 0: this client counts answers instead of telling them apart.
pub(crate) fn frame(key: i16, version: i16, flexible: bool, body: &[u8]) -> Bytes {
    const CLIENT_ID: &[u8] = b"barnabas-bench";
    let mut frame = BytesMut::with_capacity(body.len() + 32);
    frame.put_i32(0);
    frame.put_i16(key);
    frame.put_i16(version);
    frame.put_i32(0);
    frame.put_i16(i16::try_from(CLIENT_ID.len()).unwrap_or(0));
    frame.extend_from_slice(CLIENT_ID);
    if flexible {
        frame.put_u8(0);
    }
    frame.extend_from_slice(body);
    let length = i32::try_from(frame.len() - 4).unwrap_or(i32::MAX);
    frame[..4].copy_from_slice(&length.to_be_bytes());
    frame.freeze()
}
