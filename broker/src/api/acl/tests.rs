//! Rules are made, seen and removed over the APIs, and are in force when the answer is there.

use barnabas_auth::ResourceType;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::{CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest};

use super::create_acls::CreateAcls;
use super::delete_acls::DeleteAcls;
use super::describe_acls::DescribeAcls;
use super::*;
use crate::api::OneStage;
use crate::api::data::tests::bench::Bench;

const RULES: [&str; 2] = ["authorizer.class.name=standard", "super.users=User:ANONYMOUS"];

fn creation(name: &str, pattern: PatternType) -> AclCreation {
    AclCreation::default()
        .with_resource_type(ResourceType::Topic.code())
        .with_resource_name(text_of(name))
        .with_resource_pattern_type(pattern.code())
        .with_principal(text_of("User:a"))
        .with_host(text_of("*"))
        .with_operation(Operation::Read.code())
        .with_permission_type(Permission::Allow.code())
}

fn describe(pattern_type: i8, name: Option<&str>) -> DescribeAclsRequest {
    DescribeAclsRequest::default()
        .with_resource_type_filter(ANY)
        .with_resource_name_filter(name.map(text_of))
        .with_pattern_type_filter(pattern_type)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(ANY)
        .with_permission_type(ANY)
}

#[tokio::test]
async fn rules_are_made_once_seen_and_removed() {
    let bench = Bench::with(&RULES).await;
    let creations = vec![creation("orders", PatternType::Literal), creation("or", PatternType::Prefixed)];
    for _ in 0..2 {
        let request = CreateAclsRequest::default().with_creations(creations.clone());
        let made = CreateAcls::handle(bench.context::<CreateAcls>(3), request).await.unwrap();
        assert!(made.results.iter().all(|result| result.error_code == 0 && result.error_message.is_none()));
    }
    for (pattern, name, expected) in
        [(ANY, None, 2), (MATCH, Some("orders"), 2), (ANY, Some("orders"), 1), (99, None, 0)]
    {
        let seen = DescribeAcls::handle(bench.context::<DescribeAcls>(3), describe(pattern, name)).await.unwrap();
        assert_eq!((seen.error_code, seen.resources.len()), (0, expected), "{pattern} {name:?}");
    }
    let filter = DeleteAclsFilter::default()
        .with_resource_type_filter(ANY)
        .with_resource_name_filter(Some(text_of("orders")))
        .with_pattern_type_filter(MATCH)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(ANY)
        .with_permission_type(ANY);
    let filters = vec![filter.clone(), filter.with_operation(99)];
    let request = DeleteAclsRequest::default().with_filters(filters);
    let gone = DeleteAcls::handle(bench.context::<DeleteAcls>(3), request).await.unwrap().filter_results;
    assert_eq!((gone[0].error_code, gone[0].matching_acls.len()), (0, 2));
    assert_eq!((gone[1].error_code, gone[1].error_message.as_deref()), (42, Some("Unknown entryFilter.")));
}

#[tokio::test]
async fn without_an_authorizer_security_is_disabled() {
    let bench = Bench::start().await;
    let seen = DescribeAcls::handle(bench.context::<DescribeAcls>(3), describe(ANY, None)).await.unwrap();
    assert_eq!(seen.error_code, 54);
    let request = CreateAclsRequest::default().with_creations(vec![creation("t", PatternType::Literal)]);
    let made = CreateAcls::handle(bench.context::<CreateAcls>(3), request).await.unwrap();
    assert_eq!(made.results[0].error_code, 54);
}

#[tokio::test]
async fn a_filter_with_a_zero_closes_the_connection() {
    let bench = Bench::with(&RULES).await;
    let closed = DescribeAcls::handle(bench.context::<DescribeAcls>(3), describe(UNKNOWN, None)).await;
    assert!(closed.is_err());
}
