//! JoinGroup.

use std::sync::Arc;

use bytes::Bytes;

use super::member::{Member, Protocols, millis};
use super::turn::{Effect, GroupTimer, Ticket, Turn};
use super::{ClassicGroup, NEW_MEMBER_JOIN_TIMEOUT, PENDING_MEMBERS_MAX, State};
use crate::group::error::GroupError;
use crate::group::ids::{InstanceId, MemberId};

/// A JoinGroup.
#[derive(Clone, Debug)]
pub struct JoinRequest {
    /// "" for a member that has no id yet.
    pub member_id: MemberId,
    /// The id to give it in that case.
    pub new_member_id: MemberId,
    /// `group.instance.id`.
    pub instance: Option<InstanceId>,
    /// The client's id.
    pub client_id: Arc<str>,
    /// The client's address, with a leading slash.
    pub client_host: Arc<str>,
    /// Checked against the broker's bounds already.
    pub session_timeout_ms: i32,
    /// The session timeout when the version has none.
    pub rebalance_timeout_ms: i32,
    /// Type of the group.
    pub protocol_type: Arc<str>,
    /// What the member offers.
    pub protocols: Protocols,
    /// The version wants a dynamic member to join with its id (v4, KIP-394).
    pub requires_member_id: bool,
    /// The version knows `skip_assignment` (v9, KIP-814).
    pub may_skip_assignment: bool,
}

impl ClassicGroup {
    /// A JoinGroup came. Answered now or when the join phase ends.
    pub fn join(&mut self, request: &JoinRequest, ticket: Ticket, turn: &mut Turn<'_>) {
        if !self.accepts(&request.member_id, turn.settings.max_size) {
            self.remove_member(&request.member_id, turn);
            turn.refuse_join(ticket, GroupError::GroupMaxSizeReached, &MemberId::unknown());
        } else if self.state == State::Dead {
            turn.refuse_join(ticket, GroupError::CoordinatorNotAvailable, &request.member_id);
        } else if !self.fits(request) {
            turn.refuse_join(ticket, GroupError::InconsistentProtocol, &request.member_id);
        } else if request.member_id.is_unknown() {
            self.join_unknown(request, ticket, turn);
        } else if self.pending_joins.contains(&request.member_id) {
            self.join_pending(request, ticket, turn);
        } else {
            match self.check_member(&request.member_id, request.instance.as_ref()) {
                Ok(()) => self.join_known(request, ticket, turn),
                Err(error) => turn.refuse_join(ticket, error, &request.member_id),
            }
        }
    }

    /// Whether `group.max.size` has room. While members come back, those that wait are counted, so that the last to
    /// come are turned away when the limit was lowered; otherwise all members are.
    fn accepts(&self, member: &MemberId, max_size: usize) -> bool {
        match self.state {
            State::Empty | State::Dead => self.pending_joins.len() < PENDING_MEMBERS_MAX || !member.is_unknown(),
            State::PreparingRebalance => self.joining.contains_key(member) || self.joining.len() < max_size,
            State::CompletingRebalance | State::Stable => {
                self.members.contains_key(member) || self.members.len() < max_size
            }
        }
    }

    fn fits(&self, request: &JoinRequest) -> bool {
        if self.state == State::Empty {
            return !request.protocol_type.is_empty() && !request.protocols.is_empty();
        }
        self.protocol_type.as_ref() == Some(&request.protocol_type)
            && self.support.has_common(&request.protocols, self.members.len())
    }

    fn join_unknown(&mut self, request: &JoinRequest, ticket: Ticket, turn: &mut Turn<'_>) {
        let new_id = &request.new_member_id;
        if let Some(instance) = &request.instance {
            return match self.static_members.get(instance).cloned() {
                Some(old_id) => self.rejoin_static(request, instance, &old_id, ticket, turn),
                None => self.add_joining(request, new_id, ticket, turn),
            };
        }
        if !request.requires_member_id {
            return self.add_joining(request, new_id, ticket, turn);
        }
        if self.pending_joins.len() >= PENDING_MEMBERS_MAX {
            return turn.refuse_join(ticket, GroupError::GroupMaxSizeReached, &MemberId::unknown());
        }
        self.pending_joins.insert(new_id.clone());
        turn.set_timer(GroupTimer::Session(new_id.clone()), millis(request.session_timeout_ms));
        turn.refuse_join(ticket, GroupError::MemberIdRequired, new_id);
    }

    /// A member that was told MEMBER_ID_REQUIRED comes back. Such a member is never static.
    fn join_pending(&mut self, request: &JoinRequest, ticket: Ticket, turn: &mut Turn<'_>) {
        if request.instance.is_some() {
            return turn.refuse_join(ticket, GroupError::UnknownMemberId, &request.member_id);
        }
        self.add_joining(request, &request.member_id, ticket, turn);
    }

    fn add_joining(&mut self, request: &JoinRequest, id: &MemberId, ticket: Ticket, turn: &mut Turn<'_>) {
        let member = Member {
            instance: request.instance.clone(),
            client_id: request.client_id.clone(),
            client_host: request.client_host.clone(),
            rebalance_timeout_ms: request.rebalance_timeout_ms,
            session_timeout_ms: request.session_timeout_ms,
            protocols: request.protocols.clone(),
            assignment: Bytes::new(),
            is_new: true,
        };
        if let Some(initial) = &mut self.initial {
            initial.member_added = true;
        }
        self.add_member(id.clone(), member, &request.protocol_type);
        self.park_join(id, ticket, turn);
        turn.set_timer(GroupTimer::Session(id.clone()), NEW_MEMBER_JOIN_TIMEOUT);
        self.rebalance_or_complete(turn);
    }

    fn join_known(&mut self, request: &JoinRequest, ticket: Ticket, turn: &mut Turn<'_>) {
        let id = &request.member_id;
        let unchanged = self.members.get(id).is_some_and(|member| member.protocols == request.protocols);
        let rejoins = match self.state {
            State::PreparingRebalance => true,
            // The answer may have been lost: the same metadata gets the same generation.
            State::CompletingRebalance => !unchanged,
            // A leader that joins again wants to assign anew, because the topics have changed.
            State::Stable => self.is_leader(id) || !unchanged,
            State::Empty | State::Dead => {
                return turn.refuse_join(ticket, GroupError::UnknownMemberId, id);
            }
        };
        if rejoins {
            self.update_member(id, request);
            self.park_join(id, ticket, turn);
            self.rebalance_or_complete(turn);
        } else {
            turn.effects.push(Effect::Join(ticket, Ok(self.joined(id))));
        }
    }

    /// Takes over what a member says in a new JoinGroup.
    pub(super) fn update_member(&mut self, id: &MemberId, request: &JoinRequest) {
        self.change_member(id, &request.protocols, request.session_timeout_ms, request.rebalance_timeout_ms);
    }

    pub(super) fn change_member(&mut self, id: &MemberId, protocols: &Protocols, session_ms: i32, rebalance_ms: i32) {
        if let Some(member) = self.members.get_mut(id) {
            self.support.remove(&member.protocols);
            self.support.add(protocols);
            member.protocols = protocols.clone();
            member.session_timeout_ms = session_ms;
            member.rebalance_timeout_ms = rebalance_ms;
        }
    }
}
