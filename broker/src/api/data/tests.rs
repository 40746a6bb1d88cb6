//! The data plane against a real broker on a real directory, handlers called without a socket.

pub(crate) mod bench;
mod deleting;
mod fetching;
mod offsets;
mod producing;
