//! The Kafka client of the command line: one connection, one request at a time, at a version that both sides know. It
//! works against any broker that speaks the protocol.
//!
//! Must not know: what the requests mean.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::{Decodable, HeaderVersion, Message, Request, StrBytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::api::Versions;
use crate::seam::{self, Outgoing};

pub mod cluster;
pub mod code;
pub mod configs;
pub mod elections;
pub(crate) mod exchange;
pub mod groups;
pub mod kafka_apis;
mod line;
mod login;
pub mod offsets;
pub mod partitioner;
pub mod quorum;
pub mod records;
pub mod security;
pub mod settings;
pub mod topics;

use line::Line;

pub use cluster::Cluster;
pub use security::ClientSecurity;
pub use settings::{ClientSettings, Endpoint};

/// An answer that claims more is not read.
const ANSWER_BYTES_MAX: usize = 100 << 20;
/// The version of ApiVersions that is tried first: the last one without optional fields of its own.
const API_VERSIONS_VERSION: i16 = 3;

/// Why a call got no answer that can be used.
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
    #[error("{address} did not answer within {waited:?}")]
    TimedOut {
        /// The broker.
        address: String,
        /// For how long it was waited.
        waited: Duration,
    },
    /// A request or answer is not of the protocol's form.
    #[error("{address}: {reason}")]
    Malformed {
        /// The broker.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// The broker serves no version of this API that this client speaks.
    #[error("{address} does not serve {api} in a version that is known here")]
    Unsupported {
        /// The broker.
        address: String,
        /// Kafka's key of the API.
        api: i16,
    },
    /// TLS or the login failed, on whichever side.
    #[error("{address}: {reason}")]
    Security {
        /// The broker.
        address: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The cluster has no broker with this id, or its address is not known.
    #[error("no broker {0} is known in the cluster")]
    NoBroker(i32),
    /// An answer says that the whole request is refused.
    #[error("{act}: {} ({code})", code::name(*.code))]
    Refused {
        /// What was asked for.
        act: String,
        /// Kafka's code.
        code: i16,
    },
}

/// A connection to one broker.
pub struct Client {
    line: Line,
    address: String,
    client_id: String,
    timeout: Duration,
    correlation_id: i32,
    /// What the broker serves, by key.
    served: HashMap<i16, Versions>,
    /// The whole answer to ApiVersions.
    versions: ApiVersionsResponse,
}

impl Client {
    /// Connects to `address`, host:port, and asks what it serves.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn connect(address: &str, settings: &ClientSettings) -> Result<Self, CallError> {
        let failed = |source| CallError::Connect { address: address.to_owned(), source };
        let refused = |reason| CallError::Security { address: address.to_owned(), reason };
        let connected = tokio::time::timeout(settings.connect_timeout, seam::connect(address)).await;
        let stream = connected.map_err(|_| failed(io::ErrorKind::TimedOut.into()))?.map_err(failed)?;
        let line = secure(address, settings, stream).await.map_err(refused)?;
        let mut client = Self {
            line,
            address: address.to_owned(),
            client_id: settings.client_id.clone(),
            timeout: settings.timeout,
            correlation_id: 0,
            served: HashMap::new(),
            versions: ApiVersionsResponse::default(),
        };
        client.versions = client.negotiate().await?;
        let range = |api: &kafka_protocol::messages::api_versions_response::ApiVersion| {
            (api.api_key, Versions::new(api.min_version, api.max_version))
        };
        client.served = client.versions.api_keys.iter().map(range).collect();
        if let Some(sasl) = &settings.security.sasl {
            login::login(&mut client, sasl).await?;
        }
        Ok(client)
    }

    /// The address it was connected by.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the broker said to ApiVersions.
    #[must_use]
    pub fn api_versions(&self) -> &ApiVersionsResponse {
        &self.versions
    }

    /// The last version of an API that the broker, the codec and the caller know: `most` is the last one that the caller
    /// understands.
    ///
    /// # Errors
    /// [`CallError::Unsupported`].
    pub fn version_of<R: Request>(&self, most: i16) -> Result<i16, CallError> {
        let unsupported = || CallError::Unsupported { address: self.address.clone(), api: R::KEY };
        let served = self.served.get(&R::KEY).ok_or_else(unsupported)?;
        let codec = <R as Message>::VERSIONS;
        let version = served.max.min(codec.max).min(most);
        if version >= served.min && version >= codec.min { Ok(version) } else { Err(unsupported()) }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// See [`CallError`]. After an error the connection is of no more use.
    pub async fn call<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response, CallError> {
        self.call_as(request, version, version).await
    }

    /// The same in a version that the codec may lack, on the wire like version `form`.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_as<R: Request>(
        &mut self,
        request: &R,
        version: i16,
        form: i16,
    ) -> Result<R::Response, CallError> {
        let answer = self.exchange(request, version, form).await?;
        self.decode::<R>(answer, form)
    }

    /// Whether the broker serves this version of an API.
    #[must_use]
    pub fn serves<R: Request>(&self, version: i16) -> bool {
        self.served.get(&R::KEY).is_some_and(|served| served.contains(version))
    }

    /// The first thing that is asked. A broker that does not know the version answers in the form of version 0, with
    /// UNSUPPORTED_VERSION (KIP-511).
    async fn negotiate(&mut self) -> Result<ApiVersionsResponse, CallError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("barnabas"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let answer = self.exchange(&request, API_VERSIONS_VERSION, API_VERSIONS_VERSION).await?;
        let code = answer.get(4..6).map_or(0, |mut code| code.get_i16());
        if code == ResponseError::UnsupportedVersion.code() {
            return self.call(&ApiVersionsRequest::default(), 0).await;
        }
        let answer = self.decode::<ApiVersionsRequest>(answer, API_VERSIONS_VERSION)?;
        match answer.error_code {
            0 => Ok(answer),
            code => Err(CallError::Refused { act: format!("ask {} for its versions", self.address), code }),
        }
    }

    async fn exchange<R: Request>(&mut self, request: &R, version: i16, form: i16) -> Result<Bytes, CallError> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let frame = self.frame(request, version, form).map_err(|reason| self.malformed(reason))?;
        let exchanged = tokio::time::timeout(self.timeout, exchange(&mut self.line, &frame)).await;
        let timed_out = |_| CallError::TimedOut { address: self.address.clone(), waited: self.timeout };
        exchanged.map_err(timed_out)?.map_err(|source| CallError::Io { address: self.address.clone(), source })
    }

    fn malformed(&self, reason: String) -> CallError {
        CallError::Malformed { address: self.address.clone(), reason }
    }

    fn frame<R: Request>(&self, request: &R, version: i16, form: i16) -> Result<Bytes, String> {
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        frame.put_i16(R::KEY);
        frame.put_i16(version);
        frame.put_i32(self.correlation_id);
        frame.put_i16(i16::try_from(self.client_id.len()).map_err(|error| error.to_string())?);
        frame.put_slice(self.client_id.as_bytes());
        if R::header_version(form) >= 2 {
            frame.put_u8(0); // no tags
        }
        request.encode(&mut frame, form).map_err(|error| error.to_string())?;
        let length = i32::try_from(frame.len() - 4).map_err(|error| error.to_string())?;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        Ok(frame.freeze())
    }

    fn decode<R: Request>(&self, answer: Bytes, version: i16) -> Result<R::Response, CallError> {
        decode::<R>(answer, version, self.correlation_id).map_err(|reason| self.malformed(reason))
    }
}

/// Shakes hands where the settings ask for TLS; an error says why, and what to do.
async fn secure(address: &str, settings: &ClientSettings, stream: Outgoing) -> Result<Line, String> {
    if !settings.security.protocol.is_tls() {
        return Ok(Line::Bare(stream));
    }
    let tls = settings.tls().map_err(|error| error.to_string())?;
    let secured = tokio::time::timeout(settings.connect_timeout, Line::secured(&tls, address, stream)).await;
    let secured = secured.map_err(|_| "TLS: the handshake was not completed in time".to_owned())?;
    secured.map_err(|error| format!("TLS: {error}"))
}

async fn exchange(stream: &mut Line, frame: &[u8]) -> io::Result<Bytes> {
    stream.write_all(frame).await?;
    stream.flush().await?;
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
