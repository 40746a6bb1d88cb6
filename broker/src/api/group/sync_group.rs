//! SyncGroup (key 14): the leader gives the assignment, every member gets its part. Held until the assignment is
//! durable.
//!
//! Where it differs from Apache Kafka: a second SyncGroup of a member whose first is still held answers the first with
//! REBALANCE_IN_PROGRESS, and a member that leaves while its SyncGroup is held gets UNKNOWN_MEMBER_ID there (Kafka
//! answers neither).
//!
//! Versions: 3 `group.instance.id` (KIP-345); 4 flexible; 5 protocol type and name, which must be there (KIP-559).

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use super::{READ_GROUP, instance_of, may_read_group, member_of, optional_text};
use crate::api::error_code::ErrorCode;
use crate::api::shape::{bytes, int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::group::classic::{SyncRequest, Synced};
use crate::group::ids::GroupId;

/// SyncGroup.
pub struct SyncGroup;

impl Api for SyncGroup {
    type Request = SyncGroupRequest;
    const NAME: &'static str = "SyncGroup";
    const VERSIONS: Versions = Versions::new(0, 5);
    const SHAPE: Shape = Shape {
        flexible: 4,
        fields: &[
            text(),
            int32(),
            text(),
            text().since(3).nullable(3),
            text().since(5).nullable(5),
            text().since(5).nullable(5),
            structs(&[text(), bytes()]),
        ],
    };
    const NEEDS: &'static [Need] = &[READ_GROUP];
    const RUNS_ON: RunsOn = RunsOn::Coordinator;
}

impl OneStage for SyncGroup {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<SyncGroupResponse, CloseReason> {
        let names_protocol = request.protocol_type.is_some() && request.protocol_name.is_some();
        let outcome = if context.version >= 5 && !names_protocol {
            Err(ResponseError::InconsistentGroupProtocol)
        } else if may_read_group(&context, &request.group_id) {
            let (group, sync) = (GroupId::from(&**request.group_id), read(&request));
            // The frame need not be kept while the request is parked.
            drop(request);
            context.broker.groups.sync(&group, sync).await.map_err(|error| error.code())
        } else {
            Err(ResponseError::GroupAuthorizationFailed)
        };
        Ok(match outcome {
            Ok(synced) => answer(synced),
            Err(error) => SyncGroupResponse::default().with_error_code(error.code()),
        })
    }

    fn error_codes(response: &SyncGroupResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

/// What the request says. Assignments are copied: they outlive the frame.
fn read(request: &SyncGroupRequest) -> SyncRequest {
    let assignments = request.assignments.iter();
    SyncRequest {
        member_id: member_of(&request.member_id),
        instance: instance_of(request.group_instance_id.as_ref()),
        generation: request.generation_id,
        protocol_type: request.protocol_type.as_deref().map(Arc::from),
        protocol: request.protocol_name.as_deref().map(Arc::from),
        assignments: assignments
            .map(|one| (member_of(&one.member_id), Bytes::copy_from_slice(&one.assignment)))
            .collect(),
    }
}

fn answer(synced: Synced) -> SyncGroupResponse {
    SyncGroupResponse::default()
        .with_protocol_type(optional_text(synced.protocol_type.as_ref()))
        .with_protocol_name(optional_text(synced.protocol.as_ref()))
        .with_assignment(synced.assignment)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::protocol::Encodable;

    use super::*;

    #[test]
    fn every_answer_can_be_encoded_in_every_version() {
        for version in SyncGroup::VERSIONS.min..=SyncGroup::VERSIONS.max {
            let synced = Synced {
                protocol_type: Some(Arc::from("consumer")),
                protocol: Some(Arc::from("range")),
                assignment: Bytes::from_static(&[1]),
            };
            answer(synced).encode(&mut BytesMut::new(), version).unwrap();
        }
    }
}
