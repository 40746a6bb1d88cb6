//! Listeners, connections, frames, the gate and the memory budget.
