//! The broker's own seams: the network and async tasks. (Disk, clock, rng and threads are in `barnabas_storage::seam`.)

pub mod net;
pub mod tasks;

pub use net::{BindOptions, Listener, Net, Outgoing, Stream, TcpNet, connect, resolve};
pub use tasks::{Stopping, Tasks};
