//! One partition's log: append, read, roll, index, recover, truncate, retain; producer state; checkpoints; log
//! directories; and the disk, clock, random and thread seams.
//!
//! Must not know: sockets, requests, what a topic means, ACLs, tokens, tokio.

pub mod batch;
mod checkpoint_file;
mod checkpointer;
mod clean_shutdown;
pub mod compression;
pub mod error;
pub mod ids;
mod journal;
pub mod log;
pub mod log_dir;
mod manifest;
mod meta_properties;
pub mod options;
mod record;
pub mod seam;
pub mod slice;
mod varint;
mod whole_file;

pub use error::{AppendError, LogDirError, ReadError};
pub use ids::{LeaderEpoch, Offset, PartitionIndex, ProducerEpoch, ProducerId, Timestamp, TopicId};
pub use log::{AppendOrigin, Appended, FoundOffset, Log, LogObserver, OffsetQuery, Read};
pub use log_dir::LogDir;
pub use options::{CleanupPolicy, DurabilityMode, LogOptions, TimestampType};
pub use slice::{LogSlice, MappedRange};
