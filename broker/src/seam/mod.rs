//! The broker's own seams: the network and async tasks. (Disk, clock, rng and threads are in `barnabas_storage::seam`.)
