//! A row of the table of APIs: everything the network, ApiVersions, the gate and the documents know of one API, erased
//! to constants and function pointers.
//!
//! Invariants, checked when the table is compiled:
//! 1. Rows stand in key order, without duplicates.
//! 2. Versions that are served lie inside the codec's, but for one above them that an API may read itself.
//! 3. Versions that are advertised end where the served ones end.

use std::future::ready;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable, Message, Request};

use super::later_version::Answer;
use super::{
    Api, Chunk, CloseReason, Gate, LaterVersion, Need, OneStage, QuotaClass, Reply, RequestContext, RunsOn,
    SecondStage, Shape, TwoStage, Versions, gate,
};

/// How a request of this API is run: the body has passed the gate.
#[derive(Clone, Copy)]
pub enum Run {
    /// Alone, in the order of the connection.
    OneStage(fn(RequestContext, Bytes) -> SecondStage),
    /// The first stage runs inside the call, the second is awaited.
    TwoStage(fn(RequestContext, Bytes) -> SecondStage),
}

/// One API.
pub struct Row {
    /// Kafka's key.
    pub key: i16,
    /// Kafka's name.
    pub name: &'static str,
    /// Versions that are served.
    pub versions: Versions,
    /// Versions that ApiVersions shows.
    pub advertised: Versions,
    /// The request's shape.
    pub shape: Shape,
    /// Every permission the handler may ask for.
    pub needs: &'static [Need],
    /// Before or after authentication.
    pub gate: Gate,
    /// Which broker can answer.
    pub runs_on: RunsOn,
    /// Whether the controller's listeners serve it.
    pub on_controller: bool,
    /// Memory that answering may take beside the frame.
    pub cost: fn(usize) -> usize,
    /// Client quota.
    pub quota: QuotaClass,
    /// The handler.
    pub run: Run,
    /// Gate and codec without the handler: for tests and fuzzing.
    pub check: fn(&Bytes, i16) -> Result<(), CloseReason>,
    /// Decodes and encodes again, for tests.
    #[cfg(test)]
    pub(crate) recode: fn(&Bytes, i16) -> Result<Bytes, CloseReason>,
    /// The default request, encoded, for tests.
    #[cfg(test)]
    pub(crate) sample: fn(i16) -> Option<Bytes>,
    readable: Versions,
}

impl Row {
    /// Whether the response header ends with a block of tags: in flexible versions, but never for ApiVersions, so that
    /// a client can read the answer before it knows our versions.
    #[must_use]
    pub fn has_tagged_header(&self, version: i16) -> bool {
        version >= self.shape.flexible && self.key != super::API_VERSIONS_KEY
    }
}

/// The row of a one-stage API.
pub(super) const fn row<T: OneStage>() -> Row {
    describe::<T>(Run::OneStage(run_one_stage::<T>))
}

/// The row of a two-stage API.
pub(super) const fn two_stage<T: TwoStage>() -> Row {
    describe::<T>(Run::TwoStage(run_two_stage::<T>))
}

const fn describe<T: Api>(run: Run) -> Row {
    let codec = <T::Request as Message>::VERSIONS;
    let last = match &T::LATER_VERSION {
        Some(later) if later.version == codec.max + 1 => later.version,
        Some(_) => panic!("a later version is the one above the codec's"),
        None => codec.max,
    };
    Row {
        key: <T::Request as Request>::KEY,
        name: T::NAME,
        versions: T::VERSIONS,
        advertised: T::ADVERTISED,
        shape: T::SHAPE,
        needs: T::NEEDS,
        gate: T::GATE,
        runs_on: T::RUNS_ON,
        on_controller: T::ON_CONTROLLER,
        cost: T::COST,
        quota: T::QUOTA,
        run,
        check: check_request::<T>,
        #[cfg(test)]
        recode: recode_request::<T>,
        #[cfg(test)]
        sample: sample_request::<T>,
        readable: Versions::new(codec.min, last),
    }
}

/// Refuses to compile a table that breaks an invariant.
pub(super) const fn check(rows: &[Row]) {
    let mut index = 0;
    while index < rows.len() {
        let row = &rows[index];
        assert!(index == 0 || rows[index - 1].key < row.key, "rows stand in key order, each key once");
        assert!(row.readable.min <= row.versions.min && row.versions.max <= row.readable.max, "versions can be read");
        assert!(row.versions.min <= row.versions.max, "at least one version is served");
        assert!(row.advertised.min <= row.versions.min, "what is served is advertised");
        assert!(row.advertised.max == row.versions.max, "what is advertised last is served");
        index += 1;
    }
}

fn run_one_stage<T: OneStage>(context: RequestContext, body: Bytes) -> SecondStage {
    let version = context.version;
    match decode::<T>(body, version) {
        Ok(request) => Box::pin(async move {
            let metrics = Arc::clone(&context.broker.metrics);
            match T::handle(context, request).await {
                Ok(response) => {
                    let codes = T::error_codes(&response).into_iter();
                    codes.for_each(|code| metrics.request_errors.count(<T::Request as Request>::KEY, code));
                    encode_answer::<T>(&response, version)
                }
                Err(reason) => Reply::Close(reason),
            }
        }),
        Err(reason) => Box::pin(ready(Reply::Close(reason))),
    }
}

fn run_two_stage<T: TwoStage>(context: RequestContext, body: Bytes) -> SecondStage {
    match decode::<T>(body, context.version) {
        Ok(request) => T::begin(context, request),
        Err(reason) => Box::pin(ready(Reply::Close(reason))),
    }
}

fn check_request<T: Api>(body: &Bytes, version: i16) -> Result<(), CloseReason> {
    decode::<T>(gate::whole_body(&T::SHAPE, version, body)?.0, version).map(|_| ())
}

/// Decodes a body that passed the gate. Records alias `body`.
fn decode<T: Api>(mut body: Bytes, version: i16) -> Result<T::Request, CloseReason> {
    let request = match T::LATER_VERSION {
        Some(later) if later.version == version => (later.decode)(&mut body).map_err(|error| error.to_string()),
        _ => T::Request::decode(&mut body, version).map_err(|error| error.to_string()),
    };
    let request = request.map_err(CloseReason::Malformed)?;
    if body.is_empty() {
        Ok(request)
    } else {
        Err(CloseReason::Malformed(format!("the codec left {} bytes of the body", body.len())))
    }
}

/// Encodes an answer, also of the version above the codec's.
fn encode_answer<T: Api>(response: &<T::Request as Request>::Response, version: i16) -> Reply {
    match T::LATER_VERSION {
        Some(LaterVersion { version: later, answer: Answer::As(codec), .. }) if later == version => {
            encode(response, codec)
        }
        Some(LaterVersion { version: later, answer: Answer::By(write), .. }) if later == version => {
            match write(response) {
                Ok(bytes) => Reply::Body(vec![Chunk::Memory(bytes)]),
                Err(error) => Reply::Close(CloseReason::Encode(error.to_string())),
            }
        }
        _ => encode(response, version),
    }
}

/// Encodes a response into a buffer of exactly its size.
pub fn encode<R: Encodable>(response: &R, version: i16) -> Reply {
    match encode_exactly(response, version) {
        Ok(bytes) => Reply::Body(vec![Chunk::Memory(bytes)]),
        Err(reason) => Reply::Close(reason),
    }
}

fn encode_exactly<R: Encodable>(message: &R, version: i16) -> Result<Bytes, CloseReason> {
    let failed = |error: &dyn std::fmt::Display| CloseReason::Encode(error.to_string());
    let size = message.compute_size(version).map_err(|error| failed(&error))?;
    let mut into = BytesMut::with_capacity(size);
    message.encode(&mut into, version).map_err(|error| failed(&error))?;
    Ok(into.freeze())
}

#[cfg(test)]
fn recode_request<T: Api>(body: &Bytes, version: i16) -> Result<Bytes, CloseReason> {
    encode_request::<T>(&decode::<T>(body.clone(), version)?, version)
}

#[cfg(test)]
fn sample_request<T: Api>(version: i16) -> Option<Bytes> {
    encode_request::<T>(&T::Request::default(), version).ok()
}

#[cfg(test)]
fn encode_request<T: Api>(request: &T::Request, version: i16) -> Result<Bytes, CloseReason> {
    match T::LATER_VERSION {
        Some(later) if later.version == version => {
            (later.encode)(request).map_err(|error| CloseReason::Encode(error.to_string()))
        }
        _ => encode_exactly(request, version),
    }
}
