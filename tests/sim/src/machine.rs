//! The machine that the node runs on: the five seams, all driven by the seed and by simulated time.

pub(crate) mod clock;
pub(crate) mod disk;
pub(crate) mod net;
pub(crate) mod threads;
