//! Kafka's error codes as people read them: the name, what it means for the request, and what to do next.

use kafka_protocol::error::ResponseError;

/// The name as Kafka writes it, e.g. UNKNOWN_TOPIC_OR_PARTITION.
#[must_use]
pub fn name(code: i16) -> String {
    if code == ResponseError::UnknownServerError.code() {
        return "UNKNOWN_SERVER_ERROR".to_owned();
    }
    let Some(error) = ResponseError::try_from_code(code) else { return "an error that is not known".to_owned() };
    let mut name = String::new();
    for letter in format!("{error:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_uppercase());
    }
    name
}

/// What a Java client says when a broker sends a code without a word of its own.
#[must_use]
pub fn message(code: i16) -> String {
    let text = match ResponseError::try_from_code(code) {
        Some(ResponseError::OffsetOutOfRange) => {
            "The requested offset is not within the range of offsets maintained by the server."
        }
        Some(ResponseError::UnknownTopicOrPartition) => "This server does not host this topic-partition.",
        Some(ResponseError::LeaderNotAvailable) => {
            "There is no leader for this topic-partition as we are in the middle of a leadership election."
        }
        Some(ResponseError::NotLeaderOrFollower) => {
            "For requests intended only for the leader, this error indicates that the broker is not the current leader. \
             For requests intended for any replica, this error indicates that the broker is not a replica of the topic \
             partition."
        }
        Some(ResponseError::RequestTimedOut) => "The request timed out.",
        Some(ResponseError::TopicAuthorizationFailed) => "Topic authorization failed.",
        Some(ResponseError::GroupAuthorizationFailed) => "Group authorization failed.",
        Some(ResponseError::ClusterAuthorizationFailed) => "Cluster authorization failed.",
        Some(ResponseError::PolicyViolation) => "Request parameters do not satisfy the configured policy.",
        Some(ResponseError::KafkaStorageError) => "Disk error when trying to access log file on the disk.",
        Some(ResponseError::BrokerIdNotRegistered) => "The given broker ID was not registered.",
        _ => return name(code),
    };
    text.to_owned()
}

/// Whether the same request may succeed a moment later, perhaps at another broker.
#[must_use]
pub fn passes(code: i16) -> bool {
    matches!(
        ResponseError::try_from_code(code),
        Some(
            ResponseError::CoordinatorLoadInProgress
                | ResponseError::CoordinatorNotAvailable
                | ResponseError::NotCoordinator
                | ResponseError::NotController
                | ResponseError::LeaderNotAvailable
                | ResponseError::NotLeaderOrFollower
                | ResponseError::RebootstrapRequired
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kafkas() {
        assert_eq!(name(3), "UNKNOWN_TOPIC_OR_PARTITION");
        assert_eq!(name(10), "MESSAGE_TOO_LARGE");
        assert_eq!(name(-1), "UNKNOWN_SERVER_ERROR");
        assert_eq!(name(30_000), "UNKNOWN(30000)");
    }
}
