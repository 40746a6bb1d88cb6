//! DescribeAcls (key 29): the rules of access that a filter means.
//!
//! Where it differs from Apache Kafka: resources and rules stand in order; the message of a refusal names the error and not
//! the request.
//!
//! Versions: 1 pattern types (KIP-290); 2 flexible; 3 resources of type User (KIP-373).

use barnabas_auth::AclFilter;
use barnabas_raft::MetadataImage;
use kafka_protocol::messages::describe_acls_response::{AclDescription, DescribeAclsResource};
use kafka_protocol::messages::{DescribeAclsRequest, DescribeAclsResponse};

use super::{DESCRIBE_CLUSTER, WireFilter, check, refuse_unknown, text_of};
use crate::api::shape::{int8, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};

/// DescribeAcls.
pub struct DescribeAcls;

impl Api for DescribeAcls {
    type Request = DescribeAclsRequest;
    const NAME: &'static str = "DescribeAcls";
    const VERSIONS: Versions = Versions::new(1, 3);
    const SHAPE: Shape = Shape {
        flexible: 2,
        fields: &[int8(), text().nullable(0), int8(), text().nullable(0), text().nullable(0), int8(), int8()],
    };
    const NEEDS: &'static [Need] = &[DESCRIBE_CLUSTER];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
    const ON_CONTROLLER: bool = true;
}

impl OneStage for DescribeAcls {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DescribeAclsResponse, CloseReason> {
        let filter = WireFilter {
            resource_type: request.resource_type_filter,
            resource_name: request.resource_name_filter.as_ref(),
            pattern_type: request.pattern_type_filter,
            principal: request.principal_filter.as_ref(),
            host: request.host_filter.as_ref(),
            operation: request.operation,
            permission: request.permission_type,
        };
        refuse_unknown(&[filter.resource_type, filter.pattern_type, filter.operation, filter.permission])?;
        if let Err(refusal) = check(&context, DESCRIBE_CLUSTER, "No Authorizer is configured on the broker") {
            return Ok(DescribeAclsResponse::default()
                .with_error_code(refusal.code.code())
                .with_error_message(refusal.wire_message()));
        }
        // A filter with numbers that nobody knows means no rule.
        let resources = filter.read().map(|filter| resources(&context.broker.controller.image(), &filter));
        let resources = resources.unwrap_or_default();
        Ok(DescribeAclsResponse::default().with_error_message(None).with_resources(resources))
    }

    fn error_codes(response: &DescribeAclsResponse) -> impl IntoIterator<Item = i16> {
        [response.error_code]
    }
}

/// The rules by the resources they are about.
fn resources(image: &MetadataImage, filter: &AclFilter) -> Vec<DescribeAclsResource> {
    let mut resources: Vec<DescribeAclsResource> = Vec::new();
    for (_, acl) in image.acls().filter(|(_, acl)| filter.matches(acl)) {
        let is_same = |resource: &&mut DescribeAclsResource| {
            resource.resource_type == acl.resource_type.code()
                && *resource.resource_name == *acl.resource_name
                && resource.pattern_type == acl.pattern_type.code()
        };
        let rule = AclDescription::default()
            .with_principal(text_of(&acl.principal))
            .with_host(text_of(&acl.host))
            .with_operation(acl.operation.code())
            .with_permission_type(acl.permission.code());
        if let Some(resource) = resources.last_mut().filter(is_same) {
            resource.acls.push(rule);
            continue;
        }
        resources.push(
            DescribeAclsResource::default()
                .with_resource_type(acl.resource_type.code())
                .with_resource_name(text_of(&acl.resource_name))
                .with_pattern_type(acl.pattern_type.code())
                .with_acls(vec![rule]),
        );
    }
    resources
}
