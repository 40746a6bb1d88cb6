//! DeleteGroups (key 42): deletes groups without members, and their offsets.
//!
//! Where it differs from Apache Kafka: it does not.
//!
//! Versions: 2 flexible.

use std::collections::HashSet;

use barnabas_auth::{Operation, ResourceType};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse, GroupId as WireGroupId};

use super::text_of;
use crate::api::error_code::ErrorCode;
use crate::api::shape::{Kind, array};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};
use crate::group::ids::GroupId;

/// DeleteGroups.
pub struct DeleteGroups;

const DELETE_GROUP: Need = Need { operation: Operation::Delete, resource: ResourceType::Group };

impl Api for DeleteGroups {
    type Request = DeleteGroupsRequest;
    const NAME: &'static str = "DeleteGroups";
    const VERSIONS: Versions = Versions::new(0, 2);
    const SHAPE: Shape = Shape { flexible: 2, fields: &[array(&Kind::Text)] };
    const NEEDS: &'static [Need] = &[DELETE_GROUP];
    const RUNS_ON: RunsOn = RunsOn::Coordinator;
}

impl OneStage for DeleteGroups {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DeleteGroupsResponse, CloseReason> {
        let may_delete =
            |group: &WireGroupId| context.allowed(DELETE_GROUP.operation, DELETE_GROUP.resource, group.as_str());
        let (mine, others): (Vec<_>, Vec<_>) = each_once(request.groups_names).into_iter().partition(may_delete);
        let mine: Vec<GroupId> = mine.iter().map(|group| GroupId::from(&***group)).collect();
        let outcomes = context.broker.groups.delete(&mine).await;
        let deleted = mine.iter().zip(outcomes).map(|(group, outcome)| {
            let refused = outcome.err().map(|error| error.code());
            context.tell(Activity::Delete, refused, || Subject::new(ResourceType::Group.name(), group.as_str()));
            result(WireGroupId(text_of(group.as_str())), refused)
        });
        let refused = others.into_iter().map(|group| result(group, Some(ResponseError::GroupAuthorizationFailed)));
        Ok(DeleteGroupsResponse::default().with_results(deleted.chain(refused).collect()))
    }

    fn error_codes(response: &DeleteGroupsResponse) -> impl IntoIterator<Item = i16> {
        response.results.iter().map(|result| result.error_code)
    }
}

/// In the order of the request.
fn each_once(groups: Vec<WireGroupId>) -> Vec<WireGroupId> {
    let mut seen = HashSet::new();
    groups.into_iter().filter(|group| seen.insert(group.clone())).collect()
}

fn result(group: WireGroupId, error: Option<ResponseError>) -> DeletableGroupResult {
    DeletableGroupResult::default().with_group_id(group).with_error_code(error.map_or(0, |error| error.code()))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::protocol::Encodable;

    use super::*;

    #[test]
    fn every_answer_can_be_encoded_in_every_version() {
        for version in DeleteGroups::VERSIONS.min..=DeleteGroups::VERSIONS.max {
            let results = vec![result(WireGroupId(text_of("g")), Some(ResponseError::NonEmptyGroup))];
            DeleteGroupsResponse::default().with_results(results).encode(&mut BytesMut::new(), version).unwrap();
        }
    }

    #[test]
    fn a_group_that_is_named_twice_is_deleted_once() {
        let groups = ["g", "h", "g"].map(|name| WireGroupId(text_of(name))).to_vec();
        assert_eq!(each_once(groups).len(), 2);
    }
}
