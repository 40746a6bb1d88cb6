//! DeleteAcls (key 31): removes the rules of access that filters mean, all of them in one change. The answer comes when
//! they are no longer in force here.
//!
//! Where it differs from Apache Kafka: rules stand in order; the message of a refusal of the whole request names the error
//! and not the request.
//!
//! Versions: 1 pattern types (KIP-290); 2 flexible; 3 resources of type User (KIP-373).

use std::sync::Arc;

use barnabas_auth::{Acl, AclFilter};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::delete_acls_response::{DeleteAclsFilterResult, DeleteAclsMatchingAcl};
use kafka_protocol::messages::{DeleteAclsRequest, DeleteAclsResponse};

use super::{ALTER_CLUSTER, Refusal, UnknownFilter, WireFilter, check, refuse_unknown, text_of};
use crate::api::error_code::ErrorCode;
use crate::api::shape::{int8, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};

/// DeleteAcls.
pub struct DeleteAcls;

impl Api for DeleteAcls {
    type Request = DeleteAclsRequest;
    const NAME: &'static str = "DeleteAcls";
    const VERSIONS: Versions = Versions::new(1, 3);
    const SHAPE: Shape = Shape {
        flexible: 2,
        fields: &[structs(&[
            int8(),
            text().nullable(0),
            int8(),
            text().nullable(0),
            text().nullable(0),
            int8(),
            int8(),
        ])],
    };
    const NEEDS: &'static [Need] = &[ALTER_CLUSTER];
    const RUNS_ON: RunsOn = RunsOn::Controller;
}

/// The rules that a filter removed.
type Outcome = Result<Vec<Arc<Acl>>, Refusal>;

impl OneStage for DeleteAcls {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DeleteAclsResponse, CloseReason> {
        for filter in &request.filters {
            let DeleteAclsFilter { resource_type_filter, pattern_type_filter, operation, permission_type, .. } =
                *filter;
            refuse_unknown(&[resource_type_filter, pattern_type_filter, operation, permission_type])?;
        }
        let outcomes = match check(&context, ALTER_CLUSTER, "No Authorizer is configured.") {
            Ok(()) => delete(&context, &request.filters).await,
            Err(refusal) => vec![Err(refusal); request.filters.len()],
        };
        outcomes.iter().for_each(|outcome| tell(&context, outcome));
        Ok(DeleteAclsResponse::default().with_filter_results(outcomes.into_iter().map(result).collect()))
    }

    fn error_codes(response: &DeleteAclsResponse) -> impl IntoIterator<Item = i16> {
        response.filter_results.iter().map(|result| result.error_code)
    }
}

fn tell(context: &RequestContext, outcome: &Outcome) {
    match outcome {
        Ok(acls) => acls.iter().for_each(|acl| context.tell(Activity::Delete, None, || super::subject(acl))),
        Err(refusal) => context.tell(Activity::Delete, Some(refusal.code), || Subject::new("ACL", "")),
    }
}

async fn delete(context: &RequestContext, filters: &[DeleteAclsFilter]) -> Vec<Outcome> {
    let read: Vec<Result<AclFilter, Refusal>> = filters.iter().map(read).collect();
    let good: Vec<AclFilter> = read.iter().filter_map(|filter| filter.as_ref().ok().cloned()).collect();
    let asked = good.len();
    let deleted: Vec<Outcome> = match context.broker.controller.delete_acls(good).await {
        Ok(deleted) => {
            let refused = |error: barnabas_raft::AclError| Refusal::new(error.code(), error.to_string());
            deleted.into_iter().map(|outcome| outcome.map_err(refused)).collect()
        }
        Err(error) => vec![Err(Refusal::new(error.code(), error.to_string())); asked],
    };
    let mut deleted = deleted.into_iter();
    let nothing = || Err(Refusal::new(ResponseError::UnknownServerError, "the filter was not answered"));
    read.into_iter().map(|filter| filter.and_then(|_| deleted.next().unwrap_or_else(nothing))).collect()
}

fn read(filter: &DeleteAclsFilter) -> Result<AclFilter, Refusal> {
    let read = WireFilter {
        resource_type: filter.resource_type_filter,
        resource_name: filter.resource_name_filter.as_ref(),
        pattern_type: filter.pattern_type_filter,
        principal: filter.principal_filter.as_ref(),
        host: filter.host_filter.as_ref(),
        operation: filter.operation,
        permission: filter.permission_type,
    }
    .read();
    read.map_err(|unknown| {
        let message = match unknown {
            UnknownFilter::Pattern => "Unknown patternFilter.",
            UnknownFilter::Entry => "Unknown entryFilter.",
        };
        Refusal::new(ResponseError::InvalidRequest, message)
    })
}

fn result(outcome: Outcome) -> DeleteAclsFilterResult {
    match outcome {
        Ok(acls) => DeleteAclsFilterResult::default()
            .with_error_message(None)
            .with_matching_acls(acls.iter().map(|acl| matching(acl)).collect()),
        Err(refusal) => DeleteAclsFilterResult::default()
            .with_error_code(refusal.code.code())
            .with_error_message(refusal.wire_message()),
    }
}

fn matching(acl: &Acl) -> DeleteAclsMatchingAcl {
    DeleteAclsMatchingAcl::default()
        .with_error_message(None)
        .with_resource_type(acl.resource_type.code())
        .with_resource_name(text_of(&acl.resource_name))
        .with_pattern_type(acl.pattern_type.code())
        .with_principal(text_of(&acl.principal))
        .with_host(text_of(&acl.host))
        .with_operation(acl.operation.code())
        .with_permission_type(acl.permission.code())
}
