//! What a frame says: one change of what this voter must remember.

use openraft::entry::RaftEntry as _;

use crate::consensus::encoding::{entry, log_id, put_entry, put_log_id, put_vote, vote};
use crate::consensus::type_config::{LogId, RaftEntry, Vote};
use crate::metadata::codec::{DecodeError, Reader, Writer};

/// The format of the segment, in its first frame.
const FORMAT: u64 = 0;

const HEAD: u8 = 1;
const VOTE: u8 = 2;
const APPEND: u8 = 3;
const TRUNCATE: u8 = 4;
const COMMIT: u8 = 5;
const PURGE: u8 = 6;

/// The first frame of a segment: everything of the earlier ones but their entries, so that they can be removed once
/// their entries are purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// This voter, a number that is never used again: not Kafka's `node.id`.
    pub(crate) node: u64,
    pub(crate) vote: Option<Vote>,
    pub(crate) committed: Option<LogId>,
    pub(crate) purged: Option<LogId>,
    /// The entry before the first one of this segment.
    pub(crate) last: Option<LogId>,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// A segment begins.
    Head(Head),
    /// The vote is this one now.
    Vote(Vote),
    /// An entry follows the last one.
    Append(RaftEntry),
    /// Entries after this one never were.
    TruncateAfter(Option<LogId>),
    /// Entries up to this one are committed.
    Commit(Option<LogId>),
    /// Entries up to this one are in a snapshot.
    Purge(LogId),
}

impl Change {
    pub(crate) const fn kind(&self) -> u8 {
        match self {
            Self::Head(_) => HEAD,
            Self::Vote(_) => VOTE,
            Self::Append(_) => APPEND,
            Self::TruncateAfter(_) => TRUNCATE,
            Self::Commit(_) => COMMIT,
            Self::Purge(_) => PURGE,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        match self {
            Self::Head(head) => put_head(&mut out, head),
            Self::Vote(vote) => put_vote(&mut out, vote),
            Self::Append(entry) => put_entry(&mut out, entry),
            Self::TruncateAfter(id) | Self::Commit(id) => out.optional(id.as_ref(), put_log_id),
            Self::Purge(id) => put_log_id(&mut out, id),
        }
        out.into_bytes()
    }

    pub(crate) fn decode(kind: u8, payload: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(payload);
        let change = match kind {
            HEAD => Self::Head(head(&mut from)?),
            VOTE => Self::Vote(vote(&mut from)?),
            APPEND => Self::Append(entry(&mut from)?),
            TRUNCATE => Self::TruncateAfter(from.optional(log_id)?),
            COMMIT => Self::Commit(from.optional(log_id)?),
            PURGE => Self::Purge(log_id(&mut from)?),
            _ => return Err(DecodeError::Unknown { what: "frame", kind: u64::from(kind), version: FORMAT }),
        };
        from.end()?;
        Ok(change)
    }

    /// The entry's log id, when it is an append.
    pub(crate) fn appended(&self) -> Option<LogId> {
        match self {
            Self::Append(entry) => Some(entry.log_id()),
            Self::Head(_) | Self::Vote(_) | Self::TruncateAfter(_) | Self::Commit(_) | Self::Purge(_) => None,
        }
    }
}

fn put_head(out: &mut Writer, head: &Head) {
    out.unsigned(FORMAT);
    out.unsigned(head.node);
    out.optional(head.vote.as_ref(), put_vote);
    out.optional(head.committed.as_ref(), put_log_id);
    out.optional(head.purged.as_ref(), put_log_id);
    out.optional(head.last.as_ref(), put_log_id);
}

fn head(from: &mut Reader<'_>) -> Result<Head, DecodeError> {
    let version = from.unsigned()?;
    if version != FORMAT {
        return Err(DecodeError::Unknown { what: "write-ahead log", kind: 0, version });
    }
    Ok(Head {
        node: from.unsigned()?,
        vote: from.optional(vote)?,
        committed: from.optional(log_id)?,
        purged: from.optional(log_id)?,
        last: from.optional(log_id)?,
    })
}
