//! The table of APIs: one file per API, one line per API in [`table`], in key order. Dispatch, ApiVersions, the gate,
//! memory permits and the generated `broker/APIS.md` all derive from it.
//!
//! A handler does four things in this order: check, ask permission per item, call one method of a partition, group or
//! controller, shape the answer. No lock, file, clock or spawn in `api/`.

use std::future::Future;
use std::pin::Pin;

use barnabas_auth::{Operation, ResourceType};
use kafka_protocol::protocol::{Decodable, Request};

pub mod acl;
mod audited;
pub mod authorized_operations;
pub mod brokers;
pub mod cluster;
pub mod configs;
pub mod context;
pub mod data;
pub mod dispatch;
pub mod error_code;
pub mod gate;
pub mod group;
pub mod later_version;
pub mod quota;
mod refusal;
pub mod reply;
pub mod sasl;
pub mod shape;
pub mod table;
pub mod telemetry;
pub mod throttle;
pub mod token;
pub mod topic;

pub use context::RequestContext;
pub use later_version::LaterVersion;
pub use reply::{Chunk, CloseReason, Reply};
pub use shape::Shape;
pub use table::Row;
use table::{row, two_stage};

/// The table: one line per API, in key order.
const ROWS: &[Row] = &[
    two_stage::<data::produce::Produce>(),                                        // 0
    two_stage::<data::fetch::Fetch>(),                                            // 1
    row::<data::list_offsets::ListOffsets>(),                                     // 2
    row::<topic::metadata::Metadata>(),                                           // 3
    row::<group::offset_commit::OffsetCommit>(),                                  // 8
    row::<group::offset_fetch::OffsetFetch>(),                                    // 9
    row::<group::find_coordinator::FindCoordinator>(),                            // 10
    row::<group::join_group::JoinGroup>(),                                        // 11
    row::<group::heartbeat::Heartbeat>(),                                         // 12
    row::<group::leave_group::LeaveGroup>(),                                      // 13
    row::<group::sync_group::SyncGroup>(),                                        // 14
    row::<group::describe_groups::DescribeGroups>(),                              // 15
    row::<group::list_groups::ListGroups>(),                                      // 16
    row::<sasl::sasl_handshake::SaslHandshake>(),                                 // 17
    row::<cluster::api_versions::ApiVersions>(),                                  // 18
    row::<topic::create_topics::CreateTopics>(),                                  // 19
    row::<topic::delete_topics::DeleteTopics>(),                                  // 20
    row::<data::delete_records::DeleteRecords>(),                                 // 21
    row::<data::init_producer_id::InitProducerId>(),                              // 22
    row::<data::offset_for_leader_epoch::OffsetForLeaderEpoch>(),                 // 23
    row::<acl::describe_acls::DescribeAcls>(),                                    // 29
    row::<acl::create_acls::CreateAcls>(),                                        // 30
    row::<acl::delete_acls::DeleteAcls>(),                                        // 31
    row::<configs::describe_configs::DescribeConfigs>(),                          // 32
    row::<configs::alter_configs::AlterConfigs>(),                                // 33
    row::<cluster::alter_replica_log_dirs::AlterReplicaLogDirs>(),                // 34
    row::<cluster::describe_log_dirs::DescribeLogDirs>(),                         // 35
    row::<sasl::sasl_authenticate::SaslAuthenticate>(),                           // 36
    row::<topic::create_partitions::CreatePartitions>(),                          // 37
    row::<token::create_delegation_token::CreateDelegationToken>(),               // 38
    row::<token::renew_delegation_token::RenewDelegationToken>(),                 // 39
    row::<token::expire_delegation_token::ExpireDelegationToken>(),               // 40
    row::<token::describe_delegation_token::DescribeDelegationToken>(),           // 41
    row::<group::delete_groups::DeleteGroups>(),                                  // 42
    row::<topic::elect_leaders::ElectLeaders>(),                                  // 43
    row::<configs::incremental_alter_configs::IncrementalAlterConfigs>(),         // 44
    row::<topic::alter_partition_reassignments::AlterPartitionReassignments>(),   // 45
    row::<topic::list_partition_reassignments::ListPartitionReassignments>(),     // 46
    row::<group::offset_delete::OffsetDelete>(),                                  // 47
    row::<quota::describe_client_quotas::DescribeClientQuotas>(),                 // 48
    row::<quota::alter_client_quotas::AlterClientQuotas>(),                       // 49
    row::<sasl::describe_user_scram_credentials::DescribeUserScramCredentials>(), // 50
    row::<sasl::alter_user_scram_credentials::AlterUserScramCredentials>(),       // 51
    row::<cluster::describe_quorum::DescribeQuorum>(),                            // 55
    row::<cluster::update_features::UpdateFeatures>(),                            // 57
    row::<cluster::describe_cluster::DescribeCluster>(),                          // 60
    row::<data::describe_producers::DescribeProducers>(),                         // 61
    row::<cluster::unregister_broker::UnregisterBroker>(),                        // 64
    row::<telemetry::get_telemetry_subscriptions::GetTelemetrySubscriptions>(),   // 71
    row::<telemetry::push_telemetry::PushTelemetry>(),                            // 72
    row::<configs::list_config_resources::ListConfigResources>(),                 // 74
    row::<topic::describe_topic_partitions::DescribeTopicPartitions>(),           // 75
];

const _: () = table::check(ROWS);

/// Key of ApiVersions, the one API whose unknown versions are answered.
pub const API_VERSIONS_KEY: i16 = 18;

/// Key of SaslHandshake, the one API that a session which has ended still takes.
pub const SASL_HANDSHAKE_KEY: i16 = 17;

/// Every API that is served, in key order.
#[must_use]
pub fn table() -> &'static [Row] {
    ROWS
}

/// First and last version served, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// First.
    pub min: i16,
    /// Last.
    pub max: i16,
}

impl Versions {
    /// A range, inclusive.
    #[must_use]
    pub const fn new(min: i16, max: i16) -> Self {
        Self { min, max }
    }

    /// Whether `version` lies inside.
    #[must_use]
    pub const fn contains(self, version: i16) -> bool {
        self.min <= version && version <= self.max
    }
}

/// A permission that an API may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// What.
    pub operation: Operation,
    /// On what kind of resource.
    pub resource: ResourceType,
}

/// When a connection may send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Also before authentication (ApiVersions, SASL).
    Always,
    /// Only after authentication; at once on listeners without it.
    Authenticated,
}

/// Which broker can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunsOn {
    /// Any broker.
    AnyBroker,
    /// The leader of the partition.
    PartitionLeader,
    /// The coordinator of the group.
    Coordinator,
    /// The active controller (a broker forwards).
    Controller,
}

/// Which client quota a request counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaClass {
    /// `producer_byte_rate`.
    Produce,
    /// `consumer_byte_rate`.
    Fetch,
    /// `request_percentage` only.
    Request,
    /// `controller_mutation_rate`.
    ControllerMutation,
    /// None.
    Exempt,
}

/// What every API declares. Implemented by a unit struct in the API's own file.
pub trait Api: 'static {
    /// The codec's request type: gives the key and the response type.
    type Request: Request + Decodable + Default + Send + 'static;
    /// Kafka's name, e.g. `Metadata`.
    const NAME: &'static str;
    /// Versions that are served: ours, never the codec's.
    const VERSIONS: Versions;
    /// Versions that ApiVersions shows; differs only for Produce (advertised from 0).
    const ADVERTISED: Versions = Self::VERSIONS;
    /// The version above the codec's that is served all the same.
    const LATER_VERSION: Option<LaterVersion<Self::Request>> = None;
    /// The request's shape, for the gate that walks a frame before it is decoded.
    const SHAPE: Shape;
    /// Every permission the handler may ask for.
    const NEEDS: &'static [Need];
    /// Before or after authentication.
    const GATE: Gate = Gate::Authenticated;
    /// Which broker can answer.
    const RUNS_ON: RunsOn;
    /// Whether the controller's listeners serve it, as those of Apache Kafka do (KIP-919).
    const ON_CONTROLLER: bool = matches!(Self::RUNS_ON, RunsOn::Controller);
    /// Memory that answering may take beside the frame, in bytes, given the frame's length.
    const COST: fn(frame_bytes: usize) -> usize = |frame_bytes| 4 * frame_bytes + 4096;
    /// Client quota.
    const QUOTA: QuotaClass = QuotaClass::Request;
}

/// An API that does its work in one go. It starts when every earlier request of the connection has been answered or
/// is in its second stage, and later requests wait for it: effects keep the order of the connection.
pub trait OneStage: Api {
    /// Answers. An `Err` closes the connection without an answer.
    fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> impl Future<Output = Result<<Self::Request as Request>::Response, CloseReason>> + Send;

    /// Every error code of an answer, 0 where there is none: they are counted.
    fn error_codes(response: &<Self::Request as Request>::Response) -> impl IntoIterator<Item = i16>;
}

/// The second stage of a two-stage API: awaited, in order, while later requests already run their first stage.
pub type SecondStage = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// Produce and Fetch: the first stage runs in request order and does not wait; the second is awaited, so that requests
/// pipeline and answers still leave in order.
pub trait TwoStage: Api {
    /// Runs the first stage.
    fn begin(context: RequestContext, request: Self::Request) -> SecondStage;
}
