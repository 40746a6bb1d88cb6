//! Newtypes for every id and offset, so that no bare integer crosses a function boundary.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

number!(
    /// The position of a record in a partition, counted in records from 0; -1 means "none".
    Offset(i64)
);
number!(
    /// Which leadership of a partition wrote a batch; rises at every change of leader; -1 means "unknown".
    LeaderEpoch(i32)
);
number!(
    /// The index of a partition within its topic, from 0.
    PartitionIndex(i32)
);
number!(
    /// An idempotent producer's id (KIP-98); -1 means "not idempotent".
    ProducerId(i64)
);
number!(
    /// The generation of a producer id (KIP-98); -1 means "none".
    ProducerEpoch(i16)
);
number!(
    /// Milliseconds since 1970-01-01 UTC; -1 means "none".
    Timestamp(i64)
);

impl Offset {
    /// The value that stands for "no offset" on the wire.
    pub const NONE: Self = Self(-1);
    /// The first offset of a new log.
    pub const ZERO: Self = Self(0);
}

impl LeaderEpoch {
    /// The value that stands for "unknown" on the wire.
    pub const NONE: Self = Self(-1);
}

impl ProducerId {
    /// A batch of a producer that is not idempotent.
    pub const NONE: Self = Self(-1);
}

impl Timestamp {
    /// No timestamp.
    pub const NONE: Self = Self(-1);
}

/// A topic's identity (KIP-516): unlike its name it is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub Uuid);

impl TopicId {
    /// The id that stands for "no id" on the wire.
    pub const ZERO: Self = Self(Uuid::nil());

    /// Reads the 22 characters of base64url that Kafka writes. `None` when they are not 16 bytes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(Uuid::from_slice(&bytes).ok()?))
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0.as_bytes()))
    }
}
