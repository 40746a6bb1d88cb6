//! LeaveGroup.

use super::turn::{Effect, LeaveAnswer, Left, Purpose, Ticket, Turn};
use super::{ClassicGroup, State};
use crate::group::error::GroupError;
use crate::group::ids::{InstanceId, MemberId};

/// One member of a LeaveGroup.
#[derive(Clone, Debug)]
pub struct LeavingMember {
    /// "" to name a static member by its instance id alone, as administrators do.
    pub member_id: MemberId,
    /// `group.instance.id`.
    pub instance: Option<InstanceId>,
}

impl ClassicGroup {
    /// A LeaveGroup came. Its answer waits for the record when the group becomes empty by it.
    pub fn leave(&mut self, members: &[LeavingMember], ticket: Ticket, turn: &mut Turn<'_>) {
        if self.state == State::Dead {
            return turn.effects.push(Effect::Leave(ticket, Err(GroupError::CoordinatorNotAvailable)));
        }
        let left: Vec<Left> = members
            .iter()
            .map(|leaving| Left {
                member_id: leaving.member_id.clone(),
                instance: leaving.instance.clone(),
                result: self.leave_one(leaving, turn),
            })
            .collect();
        if left.iter().any(|left| left.result.is_ok()) {
            match self.state {
                State::Stable | State::CompletingRebalance => self.prepare_rebalance(turn),
                State::PreparingRebalance => self.maybe_complete_join(turn),
                State::Empty | State::Dead => {}
            }
        }
        answer_when_stored(ticket, left, turn);
    }

    fn leave_one(&mut self, leaving: &LeavingMember, turn: &mut Turn<'_>) -> Result<(), GroupError> {
        let id = if leaving.member_id.is_unknown() {
            let instance = leaving.instance.as_ref().ok_or(GroupError::UnknownMemberId)?;
            self.static_members.get(instance).cloned().ok_or(GroupError::UnknownMemberId)?
        } else {
            if !self.pending_joins.contains(&leaving.member_id) {
                self.check_member(&leaving.member_id, leaving.instance.as_ref())?;
            }
            leaving.member_id.clone()
        };
        self.remove_member(&id, turn);
        Ok(())
    }
}

fn answer_when_stored(ticket: Ticket, left: Vec<Left>, turn: &mut Turn<'_>) {
    for effect in &mut turn.effects {
        if let Effect::Store(store) = effect
            && let Purpose::Emptied(waiting @ None) = &mut store.purpose
        {
            *waiting = Some((ticket, left));
            return;
        }
    }
    let answer: LeaveAnswer = Ok(left);
    turn.effects.push(Effect::Leave(ticket, answer));
}
