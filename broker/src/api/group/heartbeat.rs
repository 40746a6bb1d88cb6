//! Heartbeat (key 12): a member is alive.
//!
//! Where it differs from Apache Kafka: it does not. In CompletingRebalance the answer is NONE; while the group is being
//! loaded it is NONE too, because nothing is known yet.
//!
//! Versions: 3 `group.instance.id` (KIP-345); 4 flexible.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use super::{READ_GROUP, instance_of, may_read_group, member_of};
use crate::api::error_code::ErrorCode;
use crate::api::shape::{int32, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::group::ids::GroupId;

/// Heartbeat.
pub struct Heartbeat;

impl Api for Heartbeat {
    type Request = HeartbeatRequest;
    const NAME: &'static str = "Heartbeat";
    const VERSIONS: Versions = Versions::new(0, 4);
    const SHAPE: Shape = Shape { flexible: 4, fields: &[text(), int32(), text(), text().since(3).nullable(3)] };
    const NEEDS: &'static [Need] = &[READ_GROUP];
    const RUNS_ON: RunsOn = RunsOn::Coordinator;
}

impl OneStage for Heartbeat {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<HeartbeatResponse, CloseReason> {
        let outcome = if may_read_group(&context, &request.group_id) {
            let (member, instance) = (member_of(&request.member_id), instance_of(request.group_instance_id.as_ref()));
            let groups = &context.broker.groups;
            groups
                .heartbeat(&GroupId::from(&**request.group_id), &member, instance.as_ref(), request.generation_id)
                .map_err(|error| error.code())
        } else {
            Err(ResponseError::GroupAuthorizationFailed)
        };
        Ok(HeartbeatResponse::default().with_error_code(outcome.err().map_or(0, |error| error.code())))
    }

    fn error_codes(response: &HeartbeatResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}
