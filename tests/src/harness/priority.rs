//! Who gets a processor first.

/// How far a load steps back.
const NICE: i32 = 19;

/// Lets the calling thread step back: a load stands for other machines, and should not take the processors of this one
/// from those that are measured.
pub fn step_back() {
    // Without it the load is only heavier.
    let _ = rustix::process::setpriority_process(None, NICE);
}
