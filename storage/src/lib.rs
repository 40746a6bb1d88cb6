//! One partition's log: append, read, roll, index, recover, truncate, retain; producer state; checkpoints; log
//! directories; and the disk, clock, random and thread seams.
//!
//! Must not know: sockets, requests, what a topic means, ACLs, tokens, tokio.

pub mod advice;
pub mod batch;
mod batch_scan;
mod checkpoint_file;
mod checkpointer;
mod checksums;
mod clean_shutdown;
pub mod compression;
pub mod dump;
pub mod error;
pub mod failed_sync;
pub mod ids;
mod index_file;
mod journal;
mod leader_epoch;
pub mod log;
pub mod log_dir;
mod manifest;
mod meta_properties;
mod mmap;
mod offset_index;
pub mod options;
mod parallel;
mod partition_metadata;
mod producer_state;
mod record;
pub mod repair;
pub mod reserve;
pub mod seam;
mod segment;
mod segment_file;
mod segments;
pub mod slice;
mod time_index;
mod validate;
mod varint;
pub mod verify;
mod whole_file;

pub use error::{AppendError, LogDirError, ReadError, RefusedRecord};
pub use ids::{LeaderEpoch, Offset, PartitionIndex, ProducerEpoch, ProducerId, Timestamp, TopicId};
pub use log::{AppendOrigin, Appended, FoundOffset, Log, LogObserver, OffsetQuery, Read};
pub use log_dir::LogDir;
pub use mmap::give_back_code;
pub use options::{CleanupPolicy, DurabilityMode, LogOptions, TimestampType};
pub use producer_state::ActiveProducer;
pub use slice::{LogSlice, MappedRange};
