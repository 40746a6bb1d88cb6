//! Rules over the wire.

use barnabas_auth::{Acl, AclFilter, Operation, PatternFilter, PatternType, Permission, ResourceType};
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::{
    CreateAclsRequest, CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse, DescribeAclsRequest,
};
use kafka_protocol::protocol::StrBytes;

use crate::cli::Failure;
use crate::client::Cluster;

/// The last version whose fields are all understood here.
const VERSION: i16 = 3;
/// Kafka takes 10,000 changes in one request.
const RULES_PER_REQUEST: usize = 1000;
/// Kafka's ANY and MATCH.
const ANY: i8 = 1;
const MATCH: i8 = 2;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn pattern_code(pattern: PatternFilter) -> i8 {
    match pattern {
        PatternFilter::Any => ANY,
        PatternFilter::Match => MATCH,
        PatternFilter::Only(pattern) => pattern.code(),
    }
}

/// The rules that a filter means; those with numbers that are not known here are left out.
pub(super) async fn describe(cluster: &mut Cluster, filter: &AclFilter) -> Result<Vec<Acl>, Failure> {
    let request = DescribeAclsRequest::default()
        .with_resource_type_filter(filter.resource_type.map_or(ANY, ResourceType::code))
        .with_resource_name_filter(filter.resource_name.as_deref().map(text))
        .with_pattern_type_filter(pattern_code(filter.pattern))
        .with_principal_filter(filter.principal.as_deref().map(text))
        .with_host_filter(filter.host.as_deref().map(text))
        .with_operation(filter.operation.map_or(ANY, Operation::code))
        .with_permission_type(filter.permission.map_or(ANY, Permission::code));
    let client = cluster.any();
    let version = client.version_of::<DescribeAclsRequest>(VERSION)?;
    let answer = client.call(&request, version).await?;
    if answer.error_code != 0 {
        return Err(Failure::refused("list rules", answer.error_code, answer.error_message.as_deref()));
    }
    let mut acls = Vec::new();
    for resource in &answer.resources {
        acls.extend(resource.acls.iter().filter_map(|rule| {
            Some(Acl {
                resource_type: ResourceType::of_code(resource.resource_type)?,
                resource_name: resource.resource_name.to_string(),
                pattern_type: PatternType::of_code(resource.pattern_type)?,
                principal: rule.principal.to_string(),
                host: rule.host.to_string(),
                operation: Operation::of_code(rule.operation)?,
                permission: Permission::of_code(rule.permission_type)?,
            })
        }));
    }
    acls.sort();
    Ok(acls)
}

/// Makes rules.
pub(super) async fn create(cluster: &mut Cluster, acls: &[Acl]) -> Result<(), Failure> {
    let one = |acl: &Acl| {
        AclCreation::default()
            .with_resource_type(acl.resource_type.code())
            .with_resource_name(text(&acl.resource_name))
            .with_resource_pattern_type(acl.pattern_type.code())
            .with_principal(text(&acl.principal))
            .with_host(text(&acl.host))
            .with_operation(acl.operation.code())
            .with_permission_type(acl.permission.code())
    };
    let mut failures = Vec::new();
    for acls in acls.chunks(RULES_PER_REQUEST) {
        let request = |_| CreateAclsRequest::default().with_creations(acls.iter().map(one).collect());
        let code = |answer: &CreateAclsResponse| answer.results.first().map_or(0, |result| result.error_code);
        let answer = cluster.ask_controller(VERSION, request, code).await?;
        for (acl, result) in acls.iter().zip(&answer.results).filter(|(_, result)| result.error_code != 0) {
            let act = format!("make the rule {acl}");
            failures.push(Failure::refused(act, result.error_code, result.error_message.as_deref()));
        }
    }
    let any_done = failures.len() < acls.len();
    Failure::all_or_some(failures, any_done).map(drop)
}

/// Removes exactly these rules; those of them that were there.
pub(super) async fn delete(cluster: &mut Cluster, acls: &[Acl]) -> Result<Vec<Acl>, Failure> {
    let one = |acl: &Acl| {
        DeleteAclsFilter::default()
            .with_resource_type_filter(acl.resource_type.code())
            .with_resource_name_filter(Some(text(&acl.resource_name)))
            .with_pattern_type_filter(acl.pattern_type.code())
            .with_principal_filter(Some(text(&acl.principal)))
            .with_host_filter(Some(text(&acl.host)))
            .with_operation(acl.operation.code())
            .with_permission_type(acl.permission.code())
    };
    let (mut removed, mut failures) = (Vec::new(), Vec::new());
    for acls in acls.chunks(RULES_PER_REQUEST) {
        let request = |_| DeleteAclsRequest::default().with_filters(acls.iter().map(one).collect());
        let code = |answer: &DeleteAclsResponse| answer.filter_results.first().map_or(0, |result| result.error_code);
        let answer = cluster.ask_controller(VERSION, request, code).await?;
        for (acl, result) in acls.iter().zip(&answer.filter_results) {
            if result.error_code != 0 {
                let act = format!("remove the rule {acl}");
                failures.push(Failure::refused(act, result.error_code, result.error_message.as_deref()));
            } else if !result.matching_acls.is_empty() {
                removed.push(acl.clone());
            }
        }
    }
    Failure::all_or_some(failures, !removed.is_empty()).map(|_| removed)
}
