//! APIs about rules of access: one file per API, and how rules and filters are numbered on the wire.

use barnabas_auth::{Acl, AclFilter, Operation, PatternFilter, PatternType, Permission, ResourceType};
use kafka_protocol::error::ResponseError;
use kafka_protocol::protocol::StrBytes;

use super::authorized_operations::CLUSTER_NAME;
use super::{CloseReason, Need, RequestContext};
use crate::audit::event::Subject;

pub mod create_acls;
pub mod delete_acls;
pub mod describe_acls;
#[cfg(test)]
mod tests;

const DESCRIBE_CLUSTER: Need = Need { operation: Operation::Describe, resource: ResourceType::Cluster };
const ALTER_CLUSTER: Need = Need { operation: Operation::Alter, resource: ResourceType::Cluster };

/// Kafka's UNKNOWN of every enumeration.
const UNKNOWN: i8 = 0;
/// Kafka's ANY of every enumeration.
const ANY: i8 = 1;
/// Kafka's `PatternType.MATCH`.
const MATCH: i8 = 2;

/// A code and Kafka's message for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    code: ResponseError,
    message: String,
}

impl Refusal {
    fn new(code: ResponseError, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn wire_message(&self) -> Option<StrBytes> {
        Some(text_of(&self.message))
    }
}

fn text_of(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A rule as the audit is told of it.
fn subject(acl: &Acl) -> Subject {
    Subject::new("ACL", &acl.principal)
        .with("rule", acl)
        .with("operation", acl.operation.name())
        .with("permission", acl.permission.name())
        .with("resource_type", acl.resource_type.name())
        .with("resource_name", &acl.resource_name)
        .with("pattern_type", acl.pattern_type.name())
        .with("host", &acl.host)
}

/// Whether the client may ask at all, and there are rules.
fn check(context: &RequestContext, need: Need, without: &str) -> Result<(), Refusal> {
    if !context.allowed(need.operation, need.resource, CLUSTER_NAME) {
        let code = ResponseError::ClusterAuthorizationFailed;
        return Err(Refusal::new(code, "Cluster authorization failed."));
    }
    if context.broker.authorizer.has_rules() {
        Ok(())
    } else {
        Err(Refusal::new(ResponseError::SecurityDisabled, without))
    }
}

/// Kafka fails to parse a request with a zero in it, and closes the connection.
fn refuse_unknown(codes: &[i8]) -> Result<(), CloseReason> {
    if codes.contains(&UNKNOWN) {
        Err(CloseReason::Malformed("a rule or filter has unknown elements".to_owned()))
    } else {
        Ok(())
    }
}

/// A filter as it comes over the wire.
struct WireFilter<'a> {
    resource_type: i8,
    resource_name: Option<&'a StrBytes>,
    pattern_type: i8,
    principal: Option<&'a StrBytes>,
    host: Option<&'a StrBytes>,
    operation: i8,
    permission: i8,
}

/// What Kafka calls a filter whose numbers it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UnknownFilter {
    Pattern,
    Entry,
}

/// What a number of a filter means: anything, or one value.
fn any_or<T>(code: i8, of_code: impl FnOnce(i8) -> Option<T>) -> Option<Option<T>> {
    if code == ANY { Some(None) } else { of_code(code).map(Some) }
}

impl WireFilter<'_> {
    fn read(&self) -> Result<AclFilter, UnknownFilter> {
        let text = |text: Option<&StrBytes>| text.map(|text| text.to_string());
        let pattern = match self.pattern_type {
            ANY => PatternFilter::Any,
            MATCH => PatternFilter::Match,
            code => PatternFilter::Only(PatternType::of_code(code).ok_or(UnknownFilter::Pattern)?),
        };
        Ok(AclFilter {
            resource_type: any_or(self.resource_type, ResourceType::of_code).ok_or(UnknownFilter::Pattern)?,
            resource_name: text(self.resource_name),
            pattern,
            principal: text(self.principal),
            host: text(self.host),
            operation: any_or(self.operation, Operation::of_code).ok_or(UnknownFilter::Entry)?,
            permission: any_or(self.permission, Permission::of_code).ok_or(UnknownFilter::Entry)?,
        })
    }
}
