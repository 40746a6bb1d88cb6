//! LeaveGroup (key 13): members go.
//!
//! Where it differs from Apache Kafka: it does not.
//!
//! Versions: 0-2 one member, whose error is the answer's; 3 a list of members, by member id, or by instance id alone
//! for administrators (KIP-345), each with its own error; 4 flexible; 5 reason (KIP-800).

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

use super::{READ_GROUP, instance_of, may_read_group, member_of, text_of};
use crate::api::error_code::ErrorCode;
use crate::api::shape::{structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::group::classic::{LeavingMember, Left};
use crate::group::ids::GroupId;

/// LeaveGroup.
pub struct LeaveGroup;

impl Api for LeaveGroup {
    type Request = LeaveGroupRequest;
    const NAME: &'static str = "LeaveGroup";
    const VERSIONS: Versions = Versions::new(0, 5);
    const SHAPE: Shape = Shape {
        flexible: 4,
        fields: &[
            text(),
            text().until(2),
            structs(&[text(), text().nullable(3), text().since(5).nullable(5)]).since(3),
        ],
    };
    const NEEDS: &'static [Need] = &[READ_GROUP];
    const RUNS_ON: RunsOn = RunsOn::Coordinator;
}

impl OneStage for LeaveGroup {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<LeaveGroupResponse, CloseReason> {
        let outcome = if may_read_group(&context, &request.group_id) {
            let group = GroupId::from(&**request.group_id);
            let leaving = members(&request, context.version);
            context.broker.groups.leave(&group, &leaving).await.map_err(|error| error.code())
        } else {
            Err(ResponseError::GroupAuthorizationFailed)
        };
        Ok(answer(outcome, context.version))
    }

    fn error_codes(response: &LeaveGroupResponse) -> impl IntoIterator<Item = i16> {
        let parts = response.members.iter().map(|member| member.error_code);
        std::iter::once(response.error_code).chain(parts)
    }
}

fn answer(outcome: Result<Vec<Left>, ResponseError>, version: i16) -> LeaveGroupResponse {
    let answer = LeaveGroupResponse::default();
    match outcome {
        Err(error) => answer.with_error_code(error.code()),
        Ok(left) if version >= 3 => answer.with_members(left.iter().map(member).collect()),
        Ok(left) => answer.with_error_code(left.iter().map(error_code).find(|code| *code != 0).unwrap_or(0)),
    }
}

fn members(request: &LeaveGroupRequest, version: i16) -> Vec<LeavingMember> {
    if version < 3 {
        return vec![LeavingMember { member_id: member_of(&request.member_id), instance: None }];
    }
    let one = |member_id, instance| LeavingMember { member_id: member_of(member_id), instance: instance_of(instance) };
    request.members.iter().map(|member| one(&member.member_id, member.group_instance_id.as_ref())).collect()
}

fn member(left: &Left) -> MemberResponse {
    MemberResponse::default()
        .with_member_id(text_of(left.member_id.as_str()))
        .with_group_instance_id(left.instance.as_ref().map(|instance| text_of(instance.as_str())))
        .with_error_code(error_code(left))
}

fn error_code(left: &Left) -> i16 {
    left.result.err().map_or(0, |error| error.code().code())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::protocol::Encodable;

    use super::*;

    use crate::group::error::GroupError;
    use crate::group::ids::MemberId;

    fn left() -> Vec<Left> {
        vec![Left {
            member_id: MemberId::from("m"),
            instance: Some("i".into()),
            result: Err(GroupError::FencedInstanceId),
        }]
    }

    #[test]
    fn every_answer_can_be_encoded_in_every_version() {
        for version in LeaveGroup::VERSIONS.min..=LeaveGroup::VERSIONS.max {
            for outcome in [Ok(left()), Err(ResponseError::GroupAuthorizationFailed)] {
                answer(outcome, version).encode(&mut BytesMut::new(), version).unwrap();
            }
        }
    }

    #[test]
    fn before_version_3_the_members_error_is_the_answers() {
        let fenced = ResponseError::FencedInstanceId.code();
        assert_eq!(answer(Ok(left()), 2).error_code, fenced);
        let batch = answer(Ok(left()), 3);
        assert_eq!((batch.error_code, batch.members[0].error_code), (0, fenced));
    }
}
