//! JoinGroup (key 11): a member comes into the next generation of its group. The answer is held until the join phase
//! ends.
//!
//! Where it differs from Apache Kafka: a second JoinGroup of a member whose first is still held answers the first with
//! REBALANCE_IN_PROGRESS (Kafka never answers it), and a group holds at most 10,000 members that were told
//! MEMBER_ID_REQUIRED and have not come back (Kafka has no bound).
//!
//! Versions: 0 has no rebalance timeout: the session timeout is used; 4 a first join of a dynamic member gets its id
//! and MEMBER_ID_REQUIRED (KIP-394); 5 `group.instance.id` (KIP-345); 6 flexible; 7 protocol type, and a protocol name
//! that may be null; 8 reason (KIP-800); 9 `skip_assignment` for a static leader that comes back (KIP-814).

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use kafka_protocol::protocol::StrBytes;

use super::{READ_GROUP, instance_of, may_read_group, member_of, optional_text, text_of};
use crate::api::error_code::ErrorCode;
use crate::api::shape::{bytes, int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::group::classic::{JoinRequest, Joined, JoinedMember, Protocol, Protocols};
use crate::group::ids::{GroupId, MemberId};

/// JoinGroup.
pub struct JoinGroup;

impl Api for JoinGroup {
    type Request = JoinGroupRequest;
    const NAME: &'static str = "JoinGroup";
    const VERSIONS: Versions = Versions::new(0, 9);
    const SHAPE: Shape = Shape {
        flexible: 6,
        fields: &[
            text(),
            int32(),
            int32().since(1),
            text(),
            text().since(5).nullable(5),
            text(),
            structs(&[text(), bytes()]),
            text().since(8).nullable(8),
        ],
    };
    const NEEDS: &'static [Need] = &[READ_GROUP];
    const RUNS_ON: RunsOn = RunsOn::Coordinator;
}

impl OneStage for JoinGroup {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<JoinGroupResponse, CloseReason> {
        if !may_read_group(&context, &request.group_id) {
            return Ok(refused(ResponseError::GroupAuthorizationFailed, request.member_id, context.version));
        }
        let (group, join) = (GroupId::from(&**request.group_id), read(&context, &request));
        // The frame need not be kept while the request is parked.
        drop(request);
        Ok(match context.broker.groups.join(&group, join).await {
            Ok(joined) => accepted(&joined, context.version),
            Err(refusal) => refused(refusal.error.code(), text_of(refusal.member_id.as_str()), context.version),
        })
    }

    fn error_codes(response: &JoinGroupResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

/// What the request says. Text and metadata are copied: they outlive the frame.
fn read(context: &RequestContext, request: &JoinGroupRequest) -> JoinRequest {
    let protocol = |name: &StrBytes, metadata: &Bytes| Protocol {
        name: Arc::from(&**name),
        metadata: Bytes::copy_from_slice(metadata),
    };
    let instance = instance_of(request.group_instance_id.as_ref());
    let named_after = instance.as_ref().map_or(&*context.client_id, |instance| instance.as_str());
    let has_rebalance_timeout = context.version >= 1;
    JoinRequest {
        member_id: member_of(&request.member_id),
        new_member_id: MemberId::from(format!("{named_after}-{}", context.broker.seams.rng.uuid())),
        client_id: Arc::clone(&context.client_id),
        client_host: Arc::from(context.client_host()),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: if has_rebalance_timeout {
            request.rebalance_timeout_ms
        } else {
            request.session_timeout_ms
        },
        protocol_type: Arc::from(&*request.protocol_type),
        protocols: Protocols::new(request.protocols.iter().map(|one| protocol(&one.name, &one.metadata)).collect()),
        requires_member_id: context.version >= 4,
        may_skip_assignment: context.version >= 9,
        instance,
    }
}

fn accepted(joined: &Joined, version: i16) -> JoinGroupResponse {
    let leader = joined.leader.as_ref().map_or_else(StrBytes::default, |leader| text_of(leader.as_str()));
    JoinGroupResponse::default()
        .with_generation_id(joined.generation)
        .with_protocol_type(optional_text(joined.protocol_type.as_ref()))
        .with_protocol_name(protocol_name(optional_text(joined.protocol.as_ref()), version))
        .with_leader(leader)
        .with_skip_assignment(joined.skip_assignment)
        .with_member_id(text_of(joined.member_id.as_str()))
        .with_members(joined.members.iter().map(member).collect())
}

fn refused(error: ResponseError, member_id: StrBytes, version: i16) -> JoinGroupResponse {
    JoinGroupResponse::default()
        .with_error_code(error.code())
        .with_member_id(member_id)
        .with_protocol_name(protocol_name(None, version))
}

fn member(member: &JoinedMember) -> JoinGroupResponseMember {
    JoinGroupResponseMember::default()
        .with_member_id(text_of(member.id.as_str()))
        .with_group_instance_id(member.instance.as_ref().map(|instance| text_of(instance.as_str())))
        .with_metadata(member.metadata.clone())
}

/// Before version 7 the name cannot be null: "" stands for none.
fn protocol_name(name: Option<StrBytes>, version: i16) -> Option<StrBytes> {
    if version >= 7 { name } else { Some(name.unwrap_or_default()) }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::protocol::Encodable;

    use super::*;

    fn joined(skip_assignment: bool) -> Joined {
        Joined {
            member_id: MemberId::from("m"),
            generation: 3,
            protocol_type: Some(Arc::from("consumer")),
            protocol: Some(Arc::from("range")),
            leader: Some(MemberId::from("m")),
            skip_assignment,
            members: vec![JoinedMember {
                id: MemberId::from("m"),
                instance: Some("i".into()),
                metadata: Bytes::from_static(&[1]),
            }],
        }
    }

    #[test]
    fn every_answer_can_be_encoded_in_every_version() {
        for version in JoinGroup::VERSIONS.min..=JoinGroup::VERSIONS.max {
            for answer in [
                accepted(&joined(version >= 9), version),
                refused(ResponseError::MemberIdRequired, text_of("m"), version),
            ] {
                answer.encode(&mut BytesMut::new(), version).unwrap();
            }
        }
    }

    #[test]
    fn a_protocol_name_is_null_only_from_version_7() {
        assert_eq!(refused(ResponseError::UnknownMemberId, text_of(""), 6).protocol_name.as_deref(), Some(""));
        assert_eq!(refused(ResponseError::UnknownMemberId, text_of(""), 7).protocol_name, None);
    }
}
