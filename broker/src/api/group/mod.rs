//! The group family of APIs.

pub mod delete_groups;
pub mod describe_groups;
pub mod find_coordinator;
pub mod heartbeat;
pub mod join_group;
pub mod leave_group;
pub mod list_groups;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod sync_group;

use std::sync::Arc;

use barnabas_auth::{Operation, ResourceType};
use kafka_protocol::protocol::StrBytes;

use super::{Need, RequestContext};
use crate::group::ids::{InstanceId, MemberId};

/// What whoever looks at a group asks for.
const DESCRIBE_GROUP: Need = Need { operation: Operation::Describe, resource: ResourceType::Group };
/// What membership asks for.
const READ_GROUP: Need = Need { operation: Operation::Read, resource: ResourceType::Group };

fn may_read_group(context: &RequestContext, group: &str) -> bool {
    context.allowed(READ_GROUP.operation, READ_GROUP.resource, group)
}

/// Text for an answer.
fn text_of(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn optional_text(text: Option<&Arc<str>>) -> Option<StrBytes> {
    text.map(|text| text_of(text))
}

fn member_of(text: &StrBytes) -> MemberId {
    MemberId::from(&**text)
}

fn instance_of(text: Option<&StrBytes>) -> Option<InstanceId> {
    text.map(|text| InstanceId::from(&**text))
}
