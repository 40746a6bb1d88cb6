//! What a handler knows of its request beside the body.

use std::net::SocketAddr;
use std::sync::Arc;

use barnabas_auth::{Decision, Operation, Principal, Question, ResourceType};

use super::Need;
use crate::broker::Broker;

/// What a handler knows of its request beside the body. Cheap to clone.
#[derive(Clone)]
pub struct RequestContext {
    /// The services.
    pub broker: Arc<Broker>,
    /// The connection it came over.
    pub connection: Arc<ConnectionInfo>,
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
    /// Our side.
    pub local: SocketAddr,
    /// The peer's side.
    pub peer: SocketAddr,
    /// Who it is.
    pub principal: Principal,
}

impl RequestContext {
    /// Asks the authorizer. The pair must be in the API's NEEDS: other questions panic in builds with assertions, so
    /// that the table of permissions cannot drift from the handlers.
    #[must_use]
    pub fn allowed(&self, operation: Operation, resource_type: ResourceType, resource_name: &str) -> bool {
        debug_assert!(
            self.needs.contains(&Need { operation, resource: resource_type }),
            "{operation:?} on {resource_type:?} is not in the API's NEEDS"
        );
        let question = Question {
            principal: &self.connection.principal,
            host: self.connection.peer.ip(),
            operation,
            resource_type,
            resource_name,
        };
        self.broker.authorizer.decide(&question) == Decision::Allowed
    }

    /// The peer's host as Kafka's group coordinator stores and shows it, with a leading slash.
    #[must_use]
    pub fn client_host(&self) -> String {
        format!("/{}", self.connection.peer.ip())
    }
}
