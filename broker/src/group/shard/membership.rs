//! JoinGroup, SyncGroup, Heartbeat and LeaveGroup of one shard: finds the group, parks the request, lets the group act.

use tokio::sync::oneshot;

use super::{Parked, Shard};
use crate::group::classic::{
    ClassicGroup, JoinAnswer, JoinRefused, JoinRequest, LeaveAnswer, LeavingMember, Left, Now, SyncAnswer, SyncRequest,
};
use crate::group::error::GroupError;
use crate::group::ids::{GroupId, InstanceId, MemberId};

impl Shard {
    /// A JoinGroup: makes the group when it is new and the member has no id yet.
    pub fn join(&mut self, id: &GroupId, request: &JoinRequest, now: Now) -> oneshot::Receiver<JoinAnswer> {
        let (reply, answer) = oneshot::channel();
        let refused = match self.check_alive() {
            Err(error) => Some(error),
            Ok(()) if !self.groups.contains_key(id) && !request.member_id.is_unknown() => {
                Some(GroupError::UnknownMemberId)
            }
            Ok(()) => None,
        };
        if let Some(error) = refused {
            let _ = reply.send(Err(JoinRefused { error, member_id: request.member_id.clone() }));
            return answer;
        }
        self.groups.entry(id.clone()).or_insert_with(|| ClassicGroup::new(id.clone(), now));
        let ticket = self.park(Parked::Join(reply));
        self.turn(id, now, |group, turn| group.join(request, ticket, turn));
        answer
    }

    /// A SyncGroup.
    pub fn sync(&mut self, id: &GroupId, request: &SyncRequest, now: Now) -> oneshot::Receiver<SyncAnswer> {
        let (reply, answer) = oneshot::channel();
        if let Err(error) = self.check_member_group(id) {
            let _ = reply.send(Err(error));
            return answer;
        }
        let ticket = self.park(Parked::Sync(reply));
        self.turn(id, now, |group, turn| group.sync(request, ticket, turn));
        answer
    }

    /// A Heartbeat.
    ///
    /// # Errors
    /// What the member is told.
    pub fn heartbeat(
        &mut self,
        id: &GroupId,
        member: &MemberId,
        instance: Option<&InstanceId>,
        generation: i32,
        now: Now,
    ) -> Result<(), GroupError> {
        self.check_member_group(id)?;
        let mut outcome = Ok(());
        self.turn(id, now, |group, turn| outcome = group.heartbeat(member, instance, generation, turn));
        outcome
    }

    /// A LeaveGroup.
    pub fn leave(&mut self, id: &GroupId, members: &[LeavingMember], now: Now) -> oneshot::Receiver<LeaveAnswer> {
        let (reply, answer) = oneshot::channel();
        match self.check_member_group(id) {
            Ok(()) => {
                let ticket = self.park(Parked::Leave(reply));
                self.turn(id, now, |group, turn| group.leave(members, ticket, turn));
            }
            Err(GroupError::UnknownMemberId) => {
                let _ = reply.send(Ok(members.iter().map(unknown_member).collect()));
            }
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
        answer
    }

    fn check_member_group(&self, id: &GroupId) -> Result<(), GroupError> {
        self.check_alive()?;
        if self.groups.contains_key(id) { Ok(()) } else { Err(GroupError::UnknownMemberId) }
    }
}

fn unknown_member(member: &LeavingMember) -> Left {
    Left {
        member_id: member.member_id.clone(),
        instance: member.instance.clone(),
        result: Err(GroupError::UnknownMemberId),
    }
}
