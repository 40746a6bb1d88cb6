//! From a frame to a handler: finds the row, refuses what Kafka refuses, walks the gate. Knows no socket.
//!
//! Where it differs from Apache Kafka: it does not. Unknown keys, versions that are not served and malformed requests
//! close the connection, and so does, before a login that the listener asks for, what is not part of one: its body is
//! not even read. Only ApiVersions of an unknown version is answered (KIP-511).

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::audited;
use super::cluster::api_versions;
use super::context::ConnectionInfo;
use super::gate::{self, HEADER_PREFIX, Prefix};
use super::sasl::super_users::super_users;
use super::table::Run;
use super::throttle::Meter;
use super::{
    API_VERSIONS_KEY, Chunk, CloseReason, Gate, Reply, RequestContext, Row, SASL_HANDSHAKE_KEY, SecondStage, table,
};
use crate::broker::Broker;
use crate::limits::{SECOND_STAGE_BYTES, SECOND_STAGE_ELEMENT_BYTES};
use crate::network::{Admission, Arrival, Begun, Ends, ResponseHeader, Service, Stage};
use crate::tls::RefusedHandshake;

/// Answers the requests of every connection of one broker.
pub struct Dispatch {
    broker: Arc<Broker>,
}

impl Dispatch {
    /// Answers with the services of `broker`.
    #[must_use]
    pub fn new(broker: Arc<Broker>) -> Self {
        Self { broker }
    }

    /// Who has a place that is kept for super users is to be one.
    fn check_is_admin(&self, connection: &ConnectionInfo) -> Result<(), CloseReason> {
        let name = connection.principal().to_string();
        if !super_users(self.broker.config.text("super.users").unwrap_or_default()).contains(&*name) {
            return Err(CloseReason::NoSuperUser(name));
        }
        connection.is_admins();
        Ok(())
    }
}

impl Service for Dispatch {
    fn admit(&self, connection: &ConnectionInfo, prefix: Prefix, frame_bytes: usize) -> Result<Admission, CloseReason> {
        let row = admit(prefix)?;
        if connection.is_controller && !row.on_controller {
            return Err(CloseReason::NotOnController(row.name));
        }
        if !connection.login.is_open() {
            check_gate(row, connection.is_authenticated())?;
            connection.login.admit(row.key, row.name)?;
        } else if let Some(ends) = connection.ends()
            && self.broker.seams.clock.monotonic() >= ends
            && row.key != SASL_HANDSHAKE_KEY
        {
            return Err(CloseReason::SessionExpired);
        }
        if connection.is_for_admins && connection.is_authenticated() {
            self.check_is_admin(connection)?;
        }
        Ok(Admission { cost: (row.cost)(frame_bytes), in_backlog: matches!(row.run, Run::TwoStage(_)) })
    }

    fn token(&self, connection: &Arc<ConnectionInfo>, token: Bytes) -> SecondStage {
        let (broker, connection) = (Arc::clone(&self.broker), Arc::clone(connection));
        Box::pin(async move {
            match audited::login_step(&broker, &connection, "", &token).await {
                Ok(step) => Reply::Body(vec![Chunk::Memory(step.token.into())]),
                Err(_) => Reply::Close(CloseReason::LoginFailed),
            }
        })
    }

    fn refused(&self, ends: &Ends, kind: &'static str, refused: &RefusedHandshake) {
        audited::tell_refused(&self.broker, ends, kind, refused);
    }

    fn arrived(&self, address: IpAddr) -> Arrival {
        self.broker.quotas.arrived(address)
    }

    fn begin(&self, connection: &Arc<ConnectionInfo>, frame: Bytes) -> Result<Begun, CloseReason> {
        let (prefix, opened) = open(&frame)?;
        let correlation_id = prefix.correlation_id;
        let request = match opened {
            Opened::Request(request) => request,
            Opened::Answered(reply) => {
                let header = ResponseHeader { correlation_id, tagged: false };
                return Ok(Begun { header, keeps: 0, stage: Stage::Answered(reply) });
            }
        };
        let header = ResponseHeader { correlation_id, tagged: request.row.has_tagged_header(request.version) };
        let context = RequestContext {
            broker: Arc::clone(&self.broker),
            connection: Arc::clone(connection),
            principal: connection.principal(),
            api: request.row.name,
            needs: request.row.needs,
            version: request.version,
            client_id: Arc::from(String::from_utf8_lossy(&request.client_id)),
        };
        let keeps = SECOND_STAGE_BYTES + request.elements * SECOND_STAGE_ELEMENT_BYTES;
        let (run, body) = (request.row.run, request.body);
        let stage = match Meter::begin(&context, request.row.key, request.row.quota, &frame) {
            None => stage(run, context, body),
            Some(meter) => {
                let (begun, spent) = meter.measure(|| stage(run, context, body));
                match begun {
                    Stage::Alone(work) => Stage::Alone(meter.awaited(work, spent)),
                    Stage::Second(work) => Stage::Second(meter.awaited(work, spent)),
                    Stage::Answered(reply) => Stage::Answered(reply),
                }
            }
        };
        Ok(Begun { header, keeps, stage })
    }
}

/// Runs the first stage.
fn stage(run: Run, context: RequestContext, body: Bytes) -> Stage {
    match run {
        Run::OneStage(work) => Stage::Alone(work(context, body)),
        Run::TwoStage(work) => Stage::Second(work(context, body)),
    }
}

/// A request that passed the gate.
pub struct Request {
    /// The API.
    pub row: &'static Row,
    /// Its version.
    pub version: i16,
    /// The client's id, "" when null, UTF-8.
    pub client_id: Bytes,
    /// The body.
    pub body: Bytes,
    /// Elements of all its arrays.
    pub elements: usize,
}

/// What a frame turned out to be.
pub enum Opened {
    /// A request to be run.
    Request(Request),
    /// Answered already: ApiVersions of a version that is not served.
    Answered(Reply),
}

/// The row of a key.
#[must_use]
pub fn find(key: i16) -> Option<&'static Row> {
    let rows = table();
    rows.binary_search_by_key(&key, |row| row.key).ok().and_then(|index| rows.get(index))
}

/// Looks at the first eight bytes of a frame, before its body is read.
///
/// # Errors
/// When the key or version is not served: the connection is to be closed.
pub fn admit(prefix: Prefix) -> Result<&'static Row, CloseReason> {
    let row = find(prefix.key).ok_or(CloseReason::UnknownKey(prefix.key))?;
    if row.versions.contains(prefix.version) || row.key == API_VERSIONS_KEY {
        Ok(row)
    } else {
        Err(CloseReason::UnsupportedVersion { name: row.name, version: prefix.version })
    }
}

/// Before the login only what leads to one.
fn check_gate(row: &Row, is_authenticated: bool) -> Result<(), CloseReason> {
    match row.gate {
        Gate::Authenticated if !is_authenticated => Err(CloseReason::NotAuthenticated(row.name)),
        Gate::Authenticated | Gate::Always => Ok(()),
    }
}

/// Opens a whole frame (without its length).
///
/// # Errors
/// When the connection is to be closed.
pub fn open(frame: &Bytes) -> Result<(Prefix, Opened), CloseReason> {
    let first = frame.first_chunk::<HEADER_PREFIX>();
    let first = first.ok_or_else(|| CloseReason::Malformed("the frame has no header".to_owned()))?;
    let prefix = Prefix::read(first);
    let row = admit(prefix)?;
    if !row.versions.contains(prefix.version) {
        return Ok((prefix, Opened::Answered(api_versions::unsupported_version())));
    }
    let (client_id, body) = gate::split_header(frame, prefix.version >= row.shape.flexible)?;
    let (body, elements) = gate::whole_body(&row.shape, prefix.version, &body)?;
    Ok((prefix, Opened::Request(Request { row, version: prefix.version, client_id, body, elements })))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use barnabas_auth::Principal;
    use barnabas_config::SecurityProtocol;

    use super::*;
    use crate::api::data::tests::bench::Bench;
    use crate::session::Session;

    const METADATA_KEY: i16 = 3;

    #[tokio::test]
    async fn a_place_that_is_kept_for_super_users_is_closed_to_others_at_their_first_request() {
        let bench = Bench::with(&["super.users=User:root;User:CN=ops,O=x"]).await;
        let dispatch = Dispatch::new(Arc::clone(bench.broker()));
        let admit = |protocol, name: Option<&str>, key| {
            let (peer, certificate) =
                (SocketAddr::from(([10, 0, 0, 1], 1)), name.map(|name| Principal::user(name.to_owned())));
            let session = Session::at_accept(protocol, certificate);
            let connection = ConnectionInfo::new(1, Arc::from("SSL"), protocol, peer, peer, session).for_admins();
            let prefix = Prefix { key, version: 3, correlation_id: 1 };
            (dispatch.admit(&connection, prefix, 100).map(|_| ()), connection.may_stay())
        };
        let (ssl, sasl) = (SecurityProtocol::Ssl, SecurityProtocol::SaslSsl);
        assert!(matches!(admit(ssl, Some("CN=ops,O=x"), METADATA_KEY), (Ok(()), true)));
        for name in [None, Some("CN=app,O=x"), Some("")] {
            assert!(matches!(admit(ssl, name, METADATA_KEY), (Err(CloseReason::NoSuperUser(_)), false)), "{name:?}");
        }
        // Before the login nobody is known: only what leads to one is let through, and the place is not yet theirs.
        assert!(matches!(admit(sasl, None, API_VERSIONS_KEY), (Ok(()), false)));
        assert!(matches!(admit(sasl, None, METADATA_KEY), (Err(CloseReason::NotAuthenticated(_)), false)));
    }

    #[test]
    fn before_the_login_nothing_is_served_but_what_leads_to_one() {
        let before: Vec<&str> =
            table().iter().filter(|row| check_gate(row, false).is_ok()).map(|row| row.name).collect();
        assert_eq!(before, ["SaslHandshake", "ApiVersions", "SaslAuthenticate"]);
        assert!(table().iter().all(|row| check_gate(row, true).is_ok()));
    }
}
