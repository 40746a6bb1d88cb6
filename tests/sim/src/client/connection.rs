//! One connection to the node: requests leave in order, answers come back in that order, each within a time.

use std::io;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, HeaderVersion, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use turmoil::net::TcpStream;

/// How long a client waits for an answer before it gives its connection up.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// An answer that claims more is not believed.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    correlation_id: i32,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open() -> io::Result<Self> {
        let stream = timeout(CONNECT_PATIENCE, TcpStream::connect("node:9092")).await??;
        Ok(Self { stream, correlation_id: 0 })
    }

    /// Sends one request and takes its answer.
    pub(crate) async fn call<R: Request>(&mut self, request: &R, version: i16) -> io::Result<R::Response> {
        let id = self.send(request, version).await?;
        self.receive::<R>(version, id).await
    }

    /// Sends a request; its correlation id.
    pub(crate) async fn send<R: Request>(&mut self, request: &R, version: i16) -> io::Result<i32> {
        self.correlation_id += 1;
        let frame = frame(request, version, self.correlation_id)?;
        timeout(PATIENCE, self.stream.write_all(&frame)).await??;
        Ok(self.correlation_id)
    }

    /// Takes the next answer, which must be of this request.
    pub(crate) async fn receive<R: Request>(&mut self, version: i16, id: i32) -> io::Result<R::Response> {
        let mut answer = timeout(PATIENCE, self.answer()).await??;
        let got = answer.try_get_i32().map_err(io::Error::other)?;
        if got != id {
            return Err(io::Error::other(format!("answer {got} where {id} was due")));
        }
        if R::Response::header_version(version) >= 1 {
            answer.try_get_u8().map_err(io::Error::other)?;
        }
        R::Response::decode(&mut answer, version).map_err(io::Error::other)
    }

    async fn answer(&mut self) -> io::Result<Bytes> {
        let claimed = self.stream.read_i32().await?;
        let length = usize::try_from(claimed).ok().filter(|length| *length <= ANSWER_BYTES_MAX);
        let length = length.ok_or_else(|| io::Error::other(format!("an answer that claims {claimed} bytes")))?;
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).await?;
        Ok(answer.into())
    }
}

fn frame<R: Request>(request: &R, version: i16, correlation_id: i32) -> io::Result<Bytes> {
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    frame.put_i16(R::KEY);
    frame.put_i16(version);
    frame.put_i32(correlation_id);
    frame.put_i16(3);
    frame.put_slice(b"sim");
    if R::header_version(version) >= 2 {
        frame.put_u8(0);
    }
    request.encode(&mut frame, version).map_err(io::Error::other)?;
    let length = i32::try_from(frame.len() - 4).map_err(io::Error::other)?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame.freeze())
}
