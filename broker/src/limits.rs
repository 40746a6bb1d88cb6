//! Every bound of the network and the gate that is not a setting, by name. A bound that Kafka has as a setting is read
//! from the configuration where it is used.

/// Elements of all arrays of one request together. The largest element takes 232 bytes in memory: 60 MiB at most.
pub const REQUEST_ELEMENTS_MAX: usize = 262_144;

/// Tagged fields of one request that its version does not know. Each costs up to half a kilobyte in memory.
pub const REQUEST_UNKNOWN_TAGS_MAX: usize = 1024;

/// Length of a string on the wire, as in Kafka: also where a compact length could say more.
pub const STRING_BYTES_MAX: usize = 0x7fff;
