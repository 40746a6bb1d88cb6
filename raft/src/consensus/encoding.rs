//! Raft's own values in bytes, for the write-ahead log and the snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use openraft::EmptyNode;
use openraft::entry::{EntryPayload, RaftEntry as _};
use openraft::impls::leader_id_adv::LeaderId;
use openraft::vote::RaftVote as _;

use super::type_config::{LogId, Membership, Proposal, RaftEntry, StoredMembership, Vote};
use crate::metadata::Entry;
use crate::metadata::codec::{DecodeError, Reader, Writer};

const BLANK: u8 = 0;
const NORMAL: u8 = 1;
const MEMBERSHIP: u8 = 2;

pub(crate) fn put_log_id(out: &mut Writer, id: &LogId) {
    out.unsigned(id.leader_id.term);
    out.unsigned(id.leader_id.node_id);
    out.unsigned(id.index);
}

pub(crate) fn log_id(from: &mut Reader<'_>) -> Result<LogId, DecodeError> {
    let leader_id = LeaderId { term: from.unsigned()?, node_id: from.unsigned()? };
    Ok(LogId { leader_id, index: from.unsigned()? })
}

pub(crate) fn put_vote(out: &mut Writer, vote: &Vote) {
    out.unsigned(vote.leader_id().term);
    out.unsigned(vote.leader_id().node_id);
    out.flag(vote.is_committed());
}

pub(crate) fn vote(from: &mut Reader<'_>) -> Result<Vote, DecodeError> {
    let leader_id = LeaderId { term: from.unsigned()?, node_id: from.unsigned()? };
    Ok(Vote::from_leader_id(leader_id, from.flag()?))
}

fn put_membership(out: &mut Writer, membership: &Membership) {
    out.list(membership.get_joint_config(), |out, voters| {
        let voters: Vec<u64> = voters.iter().copied().collect();
        out.list(&voters, |out, voter| out.unsigned(*voter));
    });
    let nodes: Vec<u64> = membership.nodes().map(|(id, _)| *id).collect();
    out.list(&nodes, |out, node| out.unsigned(*node));
}

fn membership(from: &mut Reader<'_>) -> Result<Membership, DecodeError> {
    let voters = from.list(|from| Ok(from.list(Reader::unsigned)?.into_iter().collect::<BTreeSet<_>>()))?;
    let nodes: BTreeMap<u64, EmptyNode> =
        from.list(Reader::unsigned)?.into_iter().map(|id| (id, EmptyNode::default())).collect();
    if voters.is_empty() && nodes.is_empty() {
        return Ok(Membership::default());
    }
    Membership::new(voters, nodes).map_err(|_| DecodeError::Range)
}

pub(crate) fn put_stored_membership(out: &mut Writer, stored: &StoredMembership) {
    out.optional(stored.log_id().as_ref(), put_log_id);
    put_membership(out, stored.membership());
}

pub(crate) fn stored_membership(from: &mut Reader<'_>) -> Result<StoredMembership, DecodeError> {
    Ok(StoredMembership::new(from.optional(log_id)?, membership(from)?))
}

pub(crate) fn put_entry(out: &mut Writer, entry: &RaftEntry) {
    put_log_id(out, &entry.log_id());
    match &entry.payload {
        EntryPayload::Blank => out.byte(BLANK),
        EntryPayload::Normal(proposal) => {
            out.byte(NORMAL);
            out.bytes(&proposal.0.encode());
        }
        EntryPayload::Membership(membership) => {
            out.byte(MEMBERSHIP);
            put_membership(out, membership);
        }
    }
}

pub(crate) fn entry(from: &mut Reader<'_>) -> Result<RaftEntry, DecodeError> {
    let log_id = log_id(from)?;
    let payload = match from.byte()? {
        BLANK => EntryPayload::Blank,
        NORMAL => EntryPayload::Normal(Proposal(Arc::new(Entry::decode(from.bytes()?)?))),
        MEMBERSHIP => EntryPayload::Membership(membership(from)?),
        kind => {
            return Err(DecodeError::Unknown { what: "raft entry", kind: u64::from(kind), version: 0 });
        }
    };
    Ok(RaftEntry::new(log_id, payload))
}
