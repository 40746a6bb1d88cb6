//! DescribeGroups (key 15): state, protocol and members of groups.
//!
//! Where it differs from Apache Kafka: members come in the order of their ids; Kafka's come in no order.
//!
//! Versions: 1 throttle time; 3 authorized operations (KIP-430); 4 instance ids (KIP-345); 5 flexible; 6 a group that is
//! not there is an error with a message, before it was a group in state Dead (KIP-1043).

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse, GroupId as WireGroupId};

use super::{DESCRIBE_GROUP, text_of};
use crate::api::authorized_operations;
use crate::api::error_code::ErrorCode;
use crate::api::shape::{Kind, array, boolean};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::group::classic::{Described, DescribedMember, State};
use crate::group::error::GroupError;
use crate::group::ids::GroupId;

/// DescribeGroups.
pub struct DescribeGroups;

/// From here on a group that is not there is an error.
const ABSENT_IS_ERROR_SINCE: i16 = 6;

impl Api for DescribeGroups {
    type Request = DescribeGroupsRequest;
    const NAME: &'static str = "DescribeGroups";
    const VERSIONS: Versions = Versions::new(0, 6);
    const SHAPE: Shape = Shape { flexible: 5, fields: &[array(&Kind::Text), boolean().since(3)] };
    const NEEDS: &'static [Need] = &[DESCRIBE_GROUP];
    const RUNS_ON: RunsOn = RunsOn::Coordinator;
}

impl OneStage for DescribeGroups {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DescribeGroupsResponse, CloseReason> {
        let (mut answers, mut seen) = (Vec::new(), Vec::new());
        for group in request.groups {
            if context.allowed(DESCRIBE_GROUP.operation, DESCRIBE_GROUP.resource, &group) {
                seen.push(group);
            } else {
                answers.push(refused(group, ResponseError::GroupAuthorizationFailed));
            }
        }
        for group in seen {
            let found = context.broker.groups.describe(&GroupId::from(&**group));
            let name = group.to_string();
            let answer = answer(group, found, context.version);
            let is_asked = request.include_authorized_operations && answer.error_code == 0;
            let operations = is_asked.then(|| authorized_operations::on_group(&context, &name));
            answers.push(answer.with_authorized_operations(operations.unwrap_or(authorized_operations::NOT_ASKED)));
        }
        Ok(DescribeGroupsResponse::default().with_groups(answers))
    }

    fn error_codes(response: &DescribeGroupsResponse) -> impl IntoIterator<Item = i16> {
        response.groups.iter().map(|group| group.error_code)
    }
}

fn refused(group: WireGroupId, error: ResponseError) -> DescribedGroup {
    DescribedGroup::default()
        .with_group_id(group)
        .with_error_code(error.code())
        .with_error_message(None)
        .with_authorized_operations(authorized_operations::NOT_ASKED)
}

fn answer(group: WireGroupId, found: Result<Described, GroupError>, version: i16) -> DescribedGroup {
    match found {
        Ok(described) => DescribedGroup::default()
            .with_error_message(None)
            .with_group_id(group)
            .with_group_state(text_of(described.state.name()))
            .with_protocol_type(text_of(&described.protocol_type))
            .with_protocol_data(text_of(&described.protocol))
            .with_members(described.members.into_iter().map(member).collect()),
        Err(GroupError::GroupIdNotFound) => {
            let dead = DescribedGroup::default().with_group_state(text_of(State::Dead.name())).with_error_message(None);
            let message = format!("Group {} not found.", group.as_str());
            let dead = dead.with_group_id(group);
            if version < ABSENT_IS_ERROR_SINCE {
                return dead;
            }
            dead.with_error_code(ResponseError::GroupIdNotFound.code()).with_error_message(Some(text_of(&message)))
        }
        Err(error) => refused(group, error.code()),
    }
}

fn member(member: DescribedMember) -> DescribedGroupMember {
    DescribedGroupMember::default()
        .with_member_id(text_of(member.id.as_str()))
        .with_group_instance_id(member.instance.as_ref().map(|instance| text_of(instance.as_str())))
        .with_client_id(text_of(&member.client_id))
        .with_client_host(text_of(&member.client_host))
        .with_member_metadata(member.metadata)
        .with_member_assignment(member.assignment)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::{Bytes, BytesMut};
    use kafka_protocol::protocol::Encodable;

    use super::*;

    fn described() -> Described {
        let member = DescribedMember {
            id: "m".into(),
            instance: Some("i".into()),
            client_id: Arc::from("c"),
            client_host: Arc::from("/h"),
            metadata: Bytes::from_static(b"metadata"),
            assignment: Bytes::from_static(b"assignment"),
        };
        let (protocol_type, protocol) = (Arc::from("consumer"), Arc::from("range"));
        Described { state: State::Stable, protocol_type, protocol, members: vec![member] }
    }

    fn named() -> WireGroupId {
        WireGroupId(text_of("g"))
    }

    #[test]
    fn every_answer_can_be_encoded_in_every_version() {
        for version in DescribeGroups::VERSIONS.min..=DescribeGroups::VERSIONS.max {
            for found in [Ok(described()), Err(GroupError::GroupIdNotFound), Err(GroupError::NotCoordinator)] {
                let answers = vec![answer(named(), found, version)];
                let answer = DescribeGroupsResponse::default().with_groups(answers);
                answer.encode(&mut BytesMut::new(), version).unwrap();
            }
        }
    }

    #[test]
    fn a_group_that_is_not_there_is_dead_and_from_version_6_on_an_error() {
        let dead = |version| answer(named(), Err(GroupError::GroupIdNotFound), version);
        assert_eq!((dead(5).error_code, &*dead(5).group_state), (0, "Dead"));
        assert_eq!((dead(6).error_code, &*dead(6).group_state), (ResponseError::GroupIdNotFound.code(), "Dead"));
        assert_eq!(dead(6).error_message.as_deref(), Some("Group g not found."));
    }
}
