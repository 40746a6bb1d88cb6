//! The simulator: seeds of the whole node; one seed twice, in two processes, trace against trace; the exam, in which every
//! seeded bug must be caught.

use std::fs;
use std::process::Command;

use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// Seeds that are run, unless `SIM_SEEDS` says otherwise.
const SEEDS: u64 = 16;
/// The seed that is run twice: it has kills, cuts and a full disk.
const COMPARED: &str = "3";

/// Runs the seeds from 1 on.
pub(crate) fn sim(room: &Room<'_>) -> Result<String, Outcome> {
    let traces = ["one", "two"].map(|name| room.path(&format!("{name}.trace")));
    for trace in &traces {
        let mut command = simulator(room);
        command.args(["--seed", COMPARED, "--trace"]).arg(trace);
        room.step("twice", command)?;
    }
    if fs::read(&traces[0])? != fs::read(&traces[1])? {
        let [one, two] = traces;
        return failed(format!("seed {COMPARED} gave two runs: compare {} and {}", one.display(), two.display()));
    }
    let seeds = std::env::var("SIM_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    let mut command = simulator(room);
    command.args(["--seed", "1", "--count", &seeds.to_string()]);
    room.step("seeds", command)?;
    let mut command = simulator(room);
    command.args(["--exam", "--hard"]);
    room.step("exam", command)?;
    Ok(format!("{}; {}", last_line(room, "seeds")?, last_line(room, "exam")?))
}

fn last_line(room: &Room<'_>, step: &str) -> Result<String, Outcome> {
    let told = fs::read_to_string(room.output(step))?;
    Ok(told.lines().last().unwrap_or_default().to_owned())
}

fn simulator(room: &Room<'_>) -> Command {
    Command::new(room.workshop.root().join("tests/sim/target/release/barnabas-sim"))
}
