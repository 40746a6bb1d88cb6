//! What has settings, as requests name it.

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::BrokerId;
use kafka_protocol::error::ResponseError;

use crate::api::RequestContext;
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::refusal::Refusal;

/// What has settings, with Kafka's number (`ConfigResource.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnerKind {
    Topic = 2,
    Broker = 4,
    BrokerLogger = 8,
    ClientMetrics = 16,
    Group = 32,
}

impl OwnerKind {
    pub(super) const ALL: [Self; 5] = [Self::Topic, Self::Broker, Self::BrokerLogger, Self::ClientMetrics, Self::Group];

    pub(super) fn of(number: i8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i8 == number)
    }

    /// Kafka's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Topic => "TOPIC",
            Self::Broker => "BROKER",
            Self::BrokerLogger => "BROKER_LOGGER",
            Self::ClientMetrics => "CLIENT_METRICS",
            Self::Group => "GROUP",
        }
    }

    /// Asks for a permission on the settings of `name`.
    pub(super) fn authorize(self, context: &RequestContext, operation: Operation, name: &str) -> Result<(), Refusal> {
        let (resource, name, refused, message) = match self {
            Self::Topic => {
                (ResourceType::Topic, name, ResponseError::TopicAuthorizationFailed, "Topic authorization failed.")
            }
            Self::Group => {
                (ResourceType::Group, name, ResponseError::GroupAuthorizationFailed, "Group authorization failed.")
            }
            Self::Broker | Self::BrokerLogger | Self::ClientMetrics => (
                ResourceType::Cluster,
                CLUSTER_NAME,
                ResponseError::ClusterAuthorizationFailed,
                "Cluster authorization failed.",
            ),
        };
        if context.allowed(operation, resource, name) { Ok(()) } else { Err(Refusal::new(refused, message)) }
    }
}

/// Whether a broker's name is this broker's id. `whose` and `expected` are words of Kafka's messages.
pub(super) fn check_broker(name: &str, this: BrokerId, whose: &str, expected: &str) -> Result<(), Refusal> {
    let refuse = |message| Err(Refusal::new(ResponseError::InvalidRequest, message));
    match name.parse::<i32>() {
        Err(_) => refuse(format!("{whose} id must be an integer, but it is: {name}")),
        Ok(id) if id != this.0 => refuse(format!("Unexpected broker id, expected {expected} received {name}")),
        Ok(_) => Ok(()),
    }
}
