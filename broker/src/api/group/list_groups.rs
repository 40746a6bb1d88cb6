//! ListGroups (key 16): the groups that this broker coordinates; clients ask every broker.
//!
//! Where it differs from Apache Kafka: groups come in the order of their ids; Kafka's come in no order.
//!
//! Versions: 1 throttle time; 3 flexible; 4 filter by state (KIP-518); 5 filter by type (KIP-848).

use std::collections::HashSet;

use barnabas_auth::{Operation, ResourceType};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{GroupId as WireGroupId, ListGroupsRequest, ListGroupsResponse};

use super::{DESCRIBE_GROUP, text_of};
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::error_code::ErrorCode;
use crate::api::shape::{Kind, array};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::group::classic::Listed;

/// ListGroups.
pub struct ListGroups;

const DESCRIBE_CLUSTER: Need = Need { operation: Operation::Describe, resource: ResourceType::Cluster };

/// The type of every group so far.
const CLASSIC: &str = "Classic";

impl Api for ListGroups {
    type Request = ListGroupsRequest;
    const NAME: &'static str = "ListGroups";
    const VERSIONS: Versions = Versions::new(0, 5);
    const SHAPE: Shape = Shape { flexible: 3, fields: &[array(&Kind::Text).since(4), array(&Kind::Text).since(5)] };
    const NEEDS: &'static [Need] = &[DESCRIBE_CLUSTER, DESCRIBE_GROUP];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for ListGroups {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<ListGroupsResponse, CloseReason> {
        let listed = match context.broker.groups.list() {
            Ok(listed) => listed,
            Err(error) => return Ok(ListGroupsResponse::default().with_error_code(error.code().code())),
        };
        let wanted = Wanted::of(&request);
        let sees_all = context.allowed(DESCRIBE_CLUSTER.operation, DESCRIBE_CLUSTER.resource, CLUSTER_NAME);
        let seen = |group: &&Listed| {
            sees_all || context.allowed(DESCRIBE_GROUP.operation, DESCRIBE_GROUP.resource, group.id.as_str())
        };
        let groups = listed.iter().filter(|group| wanted.has(group)).filter(seen).map(shown).collect();
        Ok(ListGroupsResponse::default().with_groups(groups))
    }

    fn error_codes(response: &ListGroupsResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

/// What is asked for; nothing said is everything.
struct Wanted {
    states: HashSet<String>,
    types: HashSet<String>,
}

impl Wanted {
    /// States and types are compared without regard to case.
    fn of(request: &ListGroupsRequest) -> Self {
        let states = request.states_filter.iter().map(|state| state.trim().to_lowercase()).collect();
        let types = request.types_filter.iter().map(|kind| kind.to_lowercase()).collect();
        Self { states, types }
    }

    fn has(&self, group: &Listed) -> bool {
        let state = || self.states.contains(&group.state.name().to_lowercase());
        (self.states.is_empty() || state()) && (self.types.is_empty() || self.types.contains("classic"))
    }
}

fn shown(group: &Listed) -> ListedGroup {
    ListedGroup::default()
        .with_group_id(WireGroupId(text_of(group.id.as_str())))
        .with_protocol_type(text_of(&group.protocol_type))
        .with_group_state(text_of(group.state.name()))
        .with_group_type(text_of(CLASSIC))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::BytesMut;
    use kafka_protocol::protocol::{Encodable, StrBytes};

    use super::*;
    use crate::group::classic::State;

    fn listed() -> Listed {
        Listed { id: "g".into(), protocol_type: Arc::from("consumer"), state: State::PreparingRebalance }
    }

    #[test]
    fn every_answer_can_be_encoded_in_every_version() {
        for version in ListGroups::VERSIONS.min..=ListGroups::VERSIONS.max {
            let answer = ListGroupsResponse::default().with_groups(vec![shown(&listed())]);
            answer.encode(&mut BytesMut::new(), version).unwrap();
        }
    }

    #[test]
    fn filters_do_not_regard_case() {
        let has = |states: &[&'static str], types: &[&'static str]| {
            let texts = |of: &[&'static str]| of.iter().map(|text| StrBytes::from_static_str(text)).collect();
            let request =
                ListGroupsRequest::default().with_states_filter(texts(states)).with_types_filter(texts(types));
            Wanted::of(&request).has(&listed())
        };
        assert!(
            has(&[], &[]) && has(&["preparingREBALANCE"], &["classic"]) && has(&["Stable", "PreparingRebalance"], &[])
        );
        assert!(!has(&["Stable"], &[]) && !has(&[], &["consumer"]) && !has(&["nonsense"], &[]));
    }
}
