//! What administrators see of a group, and when they may delete it or its offsets.

use std::sync::Arc;

use bytes::Bytes;

use super::{CONSUMER, ClassicGroup, State};
use crate::group::error::GroupError;
use crate::group::ids::{GroupId, InstanceId, MemberId};

/// A group in a list of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: GroupId,
    /// Its type; "" for a group that only keeps offsets.
    pub protocol_type: Arc<str>,
    /// Where it stands.
    pub state: State,
}

/// A group in detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Where it stands.
    pub state: State,
    /// Its type; "" for a group that only keeps offsets.
    pub protocol_type: Arc<str>,
    /// The protocol that the members agreed on; "" unless it is Stable.
    pub protocol: Arc<str>,
    /// Everyone.
    pub members: Vec<DescribedMember>,
}

/// A member in detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub id: MemberId,
    /// `group.instance.id`, for a static member.
    pub instance: Option<InstanceId>,
    /// The client's id when it joined.
    pub client_id: Arc<str>,
    /// The client's address, with a leading slash.
    pub client_host: Arc<str>,
    /// Its metadata for the chosen protocol; empty unless the group is Stable.
    pub metadata: Bytes,
    /// What the leader gave it; empty unless the group is Stable.
    pub assignment: Bytes,
}

impl State {
    /// As Kafka writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
            Self::Dead => "Dead",
        }
    }
}

impl ClassicGroup {
    /// As a list shows it.
    #[must_use]
    pub fn listed(&self) -> Listed {
        Listed { id: self.id.clone(), protocol_type: self.shown_type(), state: self.state }
    }

    /// In detail.
    #[must_use]
    pub fn described(&self) -> Described {
        let protocol = self.protocol.as_ref().filter(|_| self.state == State::Stable);
        let members = self.members.iter().map(|(id, member)| {
            let metadata = protocol.and_then(|name| member.protocols.metadata(name)).cloned();
            DescribedMember {
                id: id.clone(),
                instance: member.instance.clone(),
                client_id: member.client_id.clone(),
                client_host: member.client_host.clone(),
                metadata: metadata.unwrap_or_else(Bytes::new),
                assignment: if protocol.is_some() { member.assignment.clone() } else { Bytes::new() },
            }
        });
        Described {
            state: self.state,
            protocol_type: self.shown_type(),
            protocol: protocol.cloned().unwrap_or_else(|| Arc::from("")),
            members: members.collect(),
        }
    }

    /// Whether it may be deleted.
    ///
    /// # Errors
    /// It has members, or is gone.
    pub fn check_delete(&self) -> Result<(), GroupError> {
        match self.state {
            State::Empty => Ok(()),
            State::PreparingRebalance | State::CompletingRebalance | State::Stable => Err(GroupError::NonEmptyGroup),
            State::Dead => Err(GroupError::GroupIdNotFound),
        }
    }

    /// Whether offsets may be deleted, of topics that nobody reads ([`Self::is_subscribed`]).
    ///
    /// # Errors
    /// It has members of which nobody can say what they read, or is gone.
    pub fn check_offset_delete(&self) -> Result<(), GroupError> {
        match self.state {
            State::Empty => Ok(()),
            State::PreparingRebalance | State::CompletingRebalance | State::Stable => {
                if self.protocol_type.as_deref() == Some(CONSUMER) { Ok(()) } else { Err(GroupError::NonEmptyGroup) }
            }
            State::Dead => Err(GroupError::GroupIdNotFound),
        }
    }

    fn shown_type(&self) -> Arc<str> {
        self.protocol_type.clone().unwrap_or_else(|| Arc::from(""))
    }
}
