//! What a handler knows of its request beside the body.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use barnabas_auth::{Decision, Operation, Principal, Question, Reason, ResourceType, Verdict};
use barnabas_config::SecurityProtocol;

use super::Need;
use crate::broker::Broker;
use crate::login::conversation::ConversationCell;
use crate::network::mute::Mute;
use crate::session::Session;
use crate::telemetry::Software;

/// What a handler knows of its request beside the body. Cheap to clone.
#[derive(Clone)]
pub struct RequestContext {
    /// The services.
    pub broker: Arc<Broker>,
    /// The connection it came over.
    pub connection: Arc<ConnectionInfo>,
    /// Who asks: who the connection was when the request was begun.
    pub principal: Arc<Principal>,
    /// The API's name.
    pub api: &'static str,
    /// Every permission that the API may ask for.
    pub needs: &'static [Need],
    /// API version of the request.
    pub version: i16,
    /// The client's id, "" when null.
    pub client_id: Arc<str>,
}

/// What is known of a connection.
#[derive(Debug)]
pub struct ConnectionInfo {
    /// Unique within the process.
    pub id: u64,
    /// Name of the listener.
    pub listener: Arc<str>,
    /// Whether that is the controller's.
    pub is_controller: bool,
    /// Whether its place is one that only a super user may keep.
    pub is_for_admins: bool,
    /// Its security protocol.
    pub protocol: SecurityProtocol,
    /// Our side.
    pub local: SocketAddr,
    /// The peer's side.
    pub peer: SocketAddr,
    /// Where it is on its way to a login.
    pub login: ConversationCell,
    /// Until when it is not read.
    pub mute: Mute,
    software: ArcSwapOption<Software>,
    session: ArcSwap<Session>,
    may_stay: AtomicBool,
}

impl ConnectionInfo {
    /// A connection to a broker's listener that begins as `session` says: [`Session::at_accept`].
    #[must_use]
    pub fn new(
        id: u64,
        listener: Arc<str>,
        protocol: SecurityProtocol,
        local: SocketAddr,
        peer: SocketAddr,
        session: Session,
    ) -> Self {
        let login = ConversationCell::new(!session.is_authenticated);
        Self {
            id,
            listener,
            is_controller: false,
            is_for_admins: false,
            protocol,
            local,
            peer,
            login,
            mute: Mute::default(),
            software: ArcSwapOption::empty(),
            session: ArcSwap::from_pointee(session),
            may_stay: AtomicBool::new(true),
        }
    }

    /// The same to a listener of the controller.
    #[must_use]
    pub fn on_controller(self) -> Self {
        Self { is_controller: true, ..self }
    }

    /// The same in a place that only a super user may keep.
    #[must_use]
    pub fn for_admins(self) -> Self {
        Self { is_for_admins: true, may_stay: AtomicBool::new(false), ..self }
    }

    /// It is a super user's.
    pub fn is_admins(&self) {
        self.may_stay.store(true, Ordering::Relaxed);
    }

    /// Whether it is served as long as it likes: it has logged in where that is asked for, and its place is not kept for others.
    #[must_use]
    pub fn may_stay(&self) -> bool {
        self.is_authenticated() && self.may_stay.load(Ordering::Relaxed)
    }

    /// Who it is now.
    #[must_use]
    pub fn principal(&self) -> Arc<Principal> {
        Arc::clone(&self.session.load().principal)
    }

    /// What the client runs, if it told.
    #[must_use]
    pub fn software(&self) -> Option<Arc<Software>> {
        self.software.load_full()
    }

    /// The client told what it runs.
    pub fn set_software(&self, software: Software) {
        self.software.store(Some(Arc::new(software)));
    }

    /// A login was made.
    pub fn begin_session(&self, session: Session) {
        self.session.store(Arc::new(session));
    }

    /// Its session as of now.
    #[must_use]
    pub fn session(&self) -> Arc<Session> {
        self.session.load_full()
    }

    /// When its session ends, on the monotonic clock.
    #[must_use]
    pub fn ends(&self) -> Option<Duration> {
        self.session.load().ends
    }

    /// Whether its requests are served. On SASL listeners only after a login.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.session.load().is_authenticated
    }
}

impl RequestContext {
    /// Asks the authorizer, and tells the audit of a no. The pair must be in the API's NEEDS: other questions panic in
    /// builds with assertions, so that the table of permissions cannot drift from the handlers.
    #[must_use]
    pub fn allowed(&self, operation: Operation, resource_type: ResourceType, resource_name: &str) -> bool {
        debug_assert!(
            self.needs.contains(&Need { operation, resource: resource_type }),
            "{operation:?} on {resource_type:?} is not in the API's NEEDS"
        );
        let verdict = self.judge(operation, resource_type, resource_name);
        if !verdict.is_allowed() {
            self.tell_denied(operation, resource_type, resource_name, &verdict.reason);
        }
        verdict.is_allowed()
    }

    /// What the authorizer would say, where nothing is done or refused by it: what an answer tells of rights, and lists that
    /// leave out what may not be seen.
    #[must_use]
    pub fn would_allow(&self, operation: Operation, resource_type: ResourceType, resource_name: &str) -> bool {
        self.judge(operation, resource_type, resource_name).is_allowed()
    }

    fn judge(&self, operation: Operation, resource_type: ResourceType, resource_name: &str) -> Verdict {
        let question = Question {
            principal: &self.principal,
            host: self.connection.peer.ip(),
            operation,
            resource_type,
            resource_name,
        };
        self.broker.authorizer.decide(&question)
    }

    /// Whether the operation is allowed on some resource of the type, be there one or not.
    #[must_use]
    pub fn allowed_on_any(&self, operation: Operation, resource_type: ResourceType) -> bool {
        let (principal, host) = (&self.principal, self.connection.peer.ip());
        let decision = self.broker.authorizer.decide_on_any(principal, host, operation, resource_type);
        if decision == Decision::Denied {
            self.tell_denied(operation, resource_type, "*", &Reason::NoRule);
        }
        decision == Decision::Allowed
    }

    /// The peer's host as Kafka's group coordinator stores and shows it, with a leading slash.
    #[must_use]
    pub fn client_host(&self) -> String {
        format!("/{}", self.connection.peer.ip())
    }
}
