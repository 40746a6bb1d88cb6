//! The types openraft works with here.

use std::fmt;
use std::sync::Arc;

use openraft::EmptyNode;
use openraft::type_config::alias::{EntryOf, LogIdOf, SnapshotMetaOf, StoredMembershipOf, VoteOf};

use crate::metadata::Entry;

openraft::declare_raft_types!(
    /// Entries of records, voters without an address: with one voter nobody is called.
    pub(crate) TypeConfig:
        D = Proposal,
        R = (),
        NodeId = u64,
        Node = EmptyNode,
);

/// What the log is asked to carry: shared, because log, state machine and proposer hold it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal(pub(crate) Arc<Entry>);

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records", self.0.records.len())
    }
}

/// Position of an entry: which leader wrote it, and its index.
pub(crate) type LogId = LogIdOf<TypeConfig>;
/// Who this node votes for, in which term.
pub(crate) type Vote = VoteOf<TypeConfig>;
/// One entry of the raft log.
pub(crate) type RaftEntry = EntryOf<TypeConfig>;
/// The voters, and where in the log they were set.
pub(crate) type StoredMembership = StoredMembershipOf<TypeConfig>;
/// The voters.
pub(crate) type Membership = openraft::Membership<u64, EmptyNode>;
/// What a snapshot covers.
pub(crate) type SnapshotMeta = SnapshotMetaOf<TypeConfig>;
