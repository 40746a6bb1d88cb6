//! CreateAcls (key 30): makes rules of access, each on its own merits. The answer comes when they are in force here.
//!
//! Where it differs from Apache Kafka: the message of a refusal of the whole request names the error and not the request; a
//! principal without a colon is refused with INVALID_REQUEST, where Kafka takes it and then fails on it.
//!
//! Versions: 1 pattern types (KIP-290); 2 flexible; 3 resources of type User (KIP-373).

use barnabas_auth::{Acl, Operation, PatternType, Permission, ResourceType};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::{CreateAclsRequest, CreateAclsResponse};

use super::{ALTER_CLUSTER, ANY, MATCH, Refusal, check, refuse_unknown};
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::error_code::ErrorCode;
use crate::api::shape::{int8, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};

/// CreateAcls.
pub struct CreateAcls;

impl Api for CreateAcls {
    type Request = CreateAclsRequest;
    const NAME: &'static str = "CreateAcls";
    const VERSIONS: Versions = Versions::new(1, 3);
    const SHAPE: Shape =
        Shape { flexible: 2, fields: &[structs(&[int8(), text(), int8(), text(), text(), int8(), int8()])] };
    const NEEDS: &'static [Need] = &[ALTER_CLUSTER];
    const RUNS_ON: RunsOn = RunsOn::Controller;
}

impl OneStage for CreateAcls {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<CreateAclsResponse, CloseReason> {
        for creation in &request.creations {
            let AclCreation { resource_type, resource_pattern_type, operation, permission_type, .. } = *creation;
            refuse_unknown(&[resource_type, resource_pattern_type, operation, permission_type])?;
        }
        let outcomes = match check(&context, ALTER_CLUSTER, "No Authorizer is configured.") {
            Ok(()) => create(&context, &request.creations).await,
            Err(refusal) => vec![Err(refusal); request.creations.len()],
        };
        for (creation, outcome) in request.creations.iter().zip(&outcomes) {
            let refused = outcome.as_ref().err().map(|refusal| refusal.code);
            context.tell(Activity::Create, refused, || subject(creation));
        }
        Ok(CreateAclsResponse::default().with_results(outcomes.into_iter().map(result).collect()))
    }

    fn error_codes(response: &CreateAclsResponse) -> impl IntoIterator<Item = i16> {
        response.results.iter().map(|result| result.error_code)
    }
}

async fn create(context: &RequestContext, creations: &[AclCreation]) -> Vec<Result<(), Refusal>> {
    let read: Vec<Result<Acl, Refusal>> = creations.iter().map(read).collect();
    let good: Vec<Acl> = read.iter().filter_map(|acl| acl.as_ref().ok().cloned()).collect();
    let made = if good.is_empty() {
        Ok(())
    } else {
        match context.broker.controller.create_acls(good).await {
            Ok(outcome) => outcome.map_err(|error| Refusal::new(error.code(), error.to_string())),
            Err(error) => Err(Refusal::new(error.code(), error.to_string())),
        }
    };
    read.into_iter().map(|acl| acl.and_then(|_| made.clone())).collect()
}

/// What the audit is told of it, rule or not.
fn subject(creation: &AclCreation) -> Subject {
    match read(creation) {
        Ok(acl) => super::subject(&acl),
        Err(_) => Subject::new("ACL", &creation.principal).with("resource_name", creation.resource_name.as_str()),
    }
}

/// The rule, or why it cannot be. In Kafka's order of checks.
fn read(creation: &AclCreation) -> Result<Acl, Refusal> {
    let invalid = |message: String| Refusal::new(ResponseError::InvalidRequest, message);
    let called = |code: i8| if code == ANY { "ANY" } else { "UNKNOWN" };
    let name = &creation.resource_name;
    if creation.resource_type == ResourceType::Cluster.code() && **name != *CLUSTER_NAME {
        return Err(invalid(format!("The only valid name for the CLUSTER resource is {CLUSTER_NAME}")));
    }
    if name.is_empty() {
        return Err(invalid("Invalid empty resource name".to_owned()));
    }
    let resource_type = ResourceType::of_code(creation.resource_type)
        .ok_or_else(|| invalid(format!("Invalid resourceType {}", called(creation.resource_type))))?;
    let pattern_type = PatternType::of_code(creation.resource_pattern_type).ok_or_else(|| {
        let code = creation.resource_pattern_type;
        invalid(format!("Invalid patternType {}", if code == MATCH { "MATCH" } else { called(code) }))
    })?;
    let operation = Operation::of_code(creation.operation)
        .ok_or_else(|| invalid(format!("Invalid operation {}", called(creation.operation))))?;
    let permission = Permission::of_code(creation.permission_type)
        .ok_or_else(|| invalid(format!("Invalid permissionType {}", called(creation.permission_type))))?;
    if !creation.principal.contains(':') {
        let message = format!(
            "Could not parse principal from `{}` (no colon is present separating the principal type from the principal \
             name)",
            &*creation.principal
        );
        return Err(invalid(message));
    }
    Ok(Acl {
        resource_type,
        resource_name: name.to_string(),
        pattern_type,
        principal: creation.principal.to_string(),
        host: creation.host.to_string(),
        operation,
        permission,
    })
}

fn result(outcome: Result<(), Refusal>) -> AclCreationResult {
    match outcome {
        Ok(()) => AclCreationResult::default().with_error_message(None),
        Err(refusal) => {
            AclCreationResult::default().with_error_code(refusal.code.code()).with_error_message(refusal.wire_message())
        }
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    fn creation(
        resource_type: i8,
        name: &str,
        pattern: i8,
        principal: &str,
        operation: i8,
        permission: i8,
    ) -> AclCreation {
        let text = |text: &str| StrBytes::from_string(text.to_owned());
        AclCreation::default()
            .with_resource_type(resource_type)
            .with_resource_name(text(name))
            .with_resource_pattern_type(pattern)
            .with_principal(text(principal))
            .with_host(text("*"))
            .with_operation(operation)
            .with_permission_type(permission)
    }

    #[test]
    fn what_is_no_rule_is_refused_with_kafkas_words() {
        for (creation, message) in [
            (creation(4, "other", 3, "User:a", 3, 3), "The only valid name for the CLUSTER resource is kafka-cluster"),
            (creation(2, "", 3, "User:a", 3, 3), "Invalid empty resource name"),
            (creation(1, "t", 3, "User:a", 3, 3), "Invalid resourceType ANY"),
            (creation(99, "t", 3, "User:a", 3, 3), "Invalid resourceType UNKNOWN"),
            (creation(2, "t", 2, "User:a", 3, 3), "Invalid patternType MATCH"),
            (creation(2, "t", 3, "User:a", 1, 3), "Invalid operation ANY"),
            (creation(2, "t", 3, "User:a", 3, 1), "Invalid permissionType ANY"),
        ] {
            assert_eq!(read(&creation), Err(Refusal::new(ResponseError::InvalidRequest, message)));
        }
        assert!(read(&creation(2, "t", 4, "User:a", 3, 2)).is_ok());
        assert!(read(&creation(2, "t", 4, "a", 3, 2)).is_err());
    }
}
