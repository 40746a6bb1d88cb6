//! ListPartitionReassignments (key 46): the partitions that are moving (KIP-455).
//!
//! Where it differs from Apache Kafka: one node has nowhere to move to, so that none ever is.
//!
//! Versions: 0.

use barnabas_auth::{Operation, ResourceType};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};
use kafka_protocol::protocol::StrBytes;

use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::shape::{Kind, array, int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};

/// ListPartitionReassignments.
pub struct ListPartitionReassignments;

impl Api for ListPartitionReassignments {
    type Request = ListPartitionReassignmentsRequest;
    const NAME: &'static str = "ListPartitionReassignments";
    const VERSIONS: Versions = Versions::new(0, 0);
    const SHAPE: Shape =
        Shape { flexible: 0, fields: &[int32(), structs(&[text(), array(&Kind::Fixed(4))]).nullable(0)] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Describe, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::Controller;
}

impl OneStage for ListPartitionReassignments {
    async fn handle(
        context: RequestContext,
        _request: Self::Request,
    ) -> Result<ListPartitionReassignmentsResponse, CloseReason> {
        let response = ListPartitionReassignmentsResponse::default().with_error_message(None);
        if context.allowed(Operation::Describe, ResourceType::Cluster, CLUSTER_NAME) {
            return Ok(response);
        }
        let message = StrBytes::from_static_str("Cluster authorization failed.");
        let error = ResponseError::ClusterAuthorizationFailed.code();
        Ok(response.with_error_code(error).with_error_message(Some(message)))
    }

    fn error_codes(response: &ListPartitionReassignmentsResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}
