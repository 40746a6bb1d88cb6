//! A group as its record in `__consumer_offsets`, and back.

use std::collections::BTreeMap;

use barnabas_storage::Timestamp;
use bytes::Bytes;

use super::member::{Member, Protocol, Protocols};
use super::turn::{Now, Turn};
use super::{ClassicGroup, State};
use crate::group::ids::{GroupId, MemberId};
use crate::group::schema::{GroupMetadataValue, StoredMember};

impl ClassicGroup {
    /// The record of the present generation.
    pub(super) fn to_value(&self) -> GroupMetadataValue {
        let assignments = self.members.iter().map(|(id, member)| (id.clone(), member.assignment.clone())).collect();
        self.to_value_with(&assignments)
    }

    /// The record of the present generation with these assignments.
    pub(super) fn to_value_with(&self, assignments: &BTreeMap<MemberId, Bytes>) -> GroupMetadataValue {
        let subscription = |member: &Member| {
            self.protocol.as_ref().and_then(|name| member.protocols.metadata(name)).cloned().unwrap_or_else(Bytes::new)
        };
        GroupMetadataValue {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            state_timestamp: self.state_since.unwrap_or(Timestamp::NONE),
            members: self
                .members
                .iter()
                .map(|(id, member)| StoredMember {
                    id: id.clone(),
                    instance: member.instance.clone(),
                    client_id: member.client_id.clone(),
                    client_host: member.client_host.clone(),
                    rebalance_timeout_ms: member.rebalance_timeout_ms,
                    session_timeout_ms: member.session_timeout_ms,
                    subscription: subscription(member),
                    assignment: assignments.get(id).cloned().unwrap_or_else(Bytes::new),
                })
                .collect(),
        }
    }

    /// The group that a record tells of: Stable with members, else Empty.
    #[must_use]
    pub fn from_value(id: GroupId, value: GroupMetadataValue, now: Now) -> Self {
        let mut group = Self::new(id, now);
        group.generation = value.generation;
        group.protocol_type = value.protocol_type.clone();
        group.state_since = Some(value.state_timestamp).filter(|at| *at != Timestamp::NONE);
        for stored in value.members {
            let protocols = value
                .protocol
                .iter()
                .map(|name| Protocol { name: name.clone(), metadata: stored.subscription.clone() })
                .collect();
            let member = Member {
                instance: stored.instance,
                client_id: stored.client_id,
                client_host: stored.client_host,
                rebalance_timeout_ms: stored.rebalance_timeout_ms,
                session_timeout_ms: stored.session_timeout_ms,
                protocols: Protocols::new(protocols),
                assignment: stored.assignment,
                is_new: false,
            };
            let protocol_type = value.protocol_type.clone().unwrap_or_else(|| "".into());
            group.add_member(stored.id, member, &protocol_type);
        }
        if !group.members.is_empty() {
            group.state = State::Stable;
        }
        group.protocol = value.protocol;
        group.leader = value.leader;
        group.subscribed_topics = group.compute_subscribed_topics();
        group
    }

    /// The group has been read from the log: every member gets a whole session, and a group larger than a lowered
    /// `group.max.size` rebalances.
    pub fn resume(&mut self, turn: &mut Turn<'_>) {
        for id in self.members.keys() {
            self.reset_session(id, turn);
        }
        if self.members.len() > turn.settings.max_size {
            self.prepare_rebalance(turn);
        }
    }
}
