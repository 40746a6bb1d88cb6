//! The Kafka client of the command line: one connection, one request at a time, at versions that every broker since
//! Apache Kafka 2.1 serves. It works against any broker that speaks the protocol.
//!
//! Must not know: what the requests mean.

use std::io;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, HeaderVersion, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::seam::{self, Outgoing};

/// An answer that claims more is not read.
const ANSWER_BYTES_MAX: usize = 100 << 20;
/// How long a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No connection.
    #[error("connect to {address}: is a broker there?")]
    Connect {
        /// What was tried.
        address: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The connection broke.
    #[error("talk to {address}")]
    Io {
        /// The broker.
        address: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The broker did not answer in time.
    #[error("{0} did not answer within {CALL_TIMEOUT:?}")]
    TimedOut(String),
    /// A request or answer is not of the protocol's form.
    #[error("{address}: {reason}")]
    Malformed {
        /// The broker.
        address: String,
        /// What is wrong.
        reason: String,
    },
}

/// A connection to one broker.
pub struct Client {
    stream: Outgoing,
    address: String,
    correlation_id: i32,
}

impl Client {
    /// Connects to `address`, host:port.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn connect(address: &str) -> Result<Self, CallError> {
        let stream = seam::connect(address)
            .await
            .map_err(|source| CallError::Connect { address: address.to_owned(), source })?;
        Ok(Self { stream, address: address.to_owned(), correlation_id: 0 })
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// See [`CallError`]. After an error the connection is of no more use.
    pub async fn call<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response, CallError> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let frame = frame(request, version, self.correlation_id).map_err(|reason| self.malformed(reason))?;
        let exchanged = tokio::time::timeout(CALL_TIMEOUT, exchange(&mut self.stream, &frame)).await;
        let answer = exchanged
            .map_err(|_| CallError::TimedOut(self.address.clone()))?
            .map_err(|source| CallError::Io { address: self.address.clone(), source })?;
        decode::<R>(answer, version, self.correlation_id).map_err(|reason| self.malformed(reason))
    }

    fn malformed(&self, reason: String) -> CallError {
        CallError::Malformed { address: self.address.clone(), reason }
    }
}

fn frame<R: Request>(request: &R, version: i16, correlation_id: i32) -> Result<Bytes, String> {
    const CLIENT_ID: &[u8] = b"barnabas";
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    frame.put_i16(R::KEY);
    frame.put_i16(version);
    frame.put_i32(correlation_id);
    frame.put_i16(i16::try_from(CLIENT_ID.len()).map_err(|error| error.to_string())?);
    frame.put_slice(CLIENT_ID);
    if R::header_version(version) >= 2 {
        frame.put_u8(0); // no tags
    }
    request.encode(&mut frame, version).map_err(|error| error.to_string())?;
    let length = i32::try_from(frame.len() - 4).map_err(|error| error.to_string())?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame.freeze())
}

async fn exchange(stream: &mut Outgoing, frame: &[u8]) -> io::Result<Bytes> {
    stream.write_all(frame).await?;
    let claimed = stream.read_i32().await?;
    let length = usize::try_from(claimed).ok().filter(|length| *length <= ANSWER_BYTES_MAX);
    let length = length.ok_or_else(|| io::Error::other(format!("an answer that claims {claimed} bytes")))?;
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await?;
    Ok(answer.into())
}

fn decode<R: Request>(mut answer: Bytes, version: i16, correlation_id: i32) -> Result<R::Response, String> {
    let got = answer.try_get_i32().map_err(|error| error.to_string())?;
    if got != correlation_id {
        return Err(format!("answer {got} to request {correlation_id}"));
    }
    if R::Response::header_version(version) >= 1 && answer.try_get_u8() != Ok(0) {
        return Err("an answer whose header has tags that are not known".to_owned());
    }
    R::Response::decode(&mut answer, version).map_err(|error| error.to_string())
}
