//! The gate: chooses lanes, prepares what they need while others run, and reports.

mod lane;
mod lanes;
mod need;
mod room;
mod workshop;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use lane::{Lane, Outcome};
use lanes::LANES;
use need::Need;
use room::Room;
use workshop::Workshop;

use barnabas_tests::harness::wait::Stopwatch;

/// The broker that lanes start.
#[derive(Debug, Clone)]
enum Against {
    /// Barnabas, built from this repository with the release profile.
    Built,
    /// Barnabas, this binary.
    Program(PathBuf),
    /// Apache Kafka 4.3.1. Lanes that have our own program beside it take this binary, or the last release build.
    Kafka(Option<PathBuf>),
}

impl Against {
    /// Whether a lane's need is one: nothing is built where another broker serves.
    fn wants(&self, need: Need) -> bool {
        !matches!(need, Need::Release | Need::GssapiRelease) || matches!(self, Self::Built)
    }
}

/// What the command line asks for.
struct Request {
    lanes: Vec<&'static Lane>,
    against: Against,
}

/// Runs the gate; `Ok(true)` if no lane failed, `Err` for a command line it does not understand.
pub(crate) fn run(arguments: &[String]) -> Result<bool, String> {
    if arguments.iter().any(|argument| argument == "--list") {
        for lane in LANES {
            let when = if lane.by_name { " (by name only)" } else { "" };
            println!("{:<22} {}{when}", lane.name, lane.about);
        }
        return Ok(true);
    }
    let request = parse(arguments)?;
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .canonicalize()
        .map_err(|error| format!("the repository is not where it was built: {error}"))?;
    let workshop = Arc::new(Workshop::new(root));
    let preparation = prepare_ahead(&workshop, &request);
    let verdict = run_lanes(&workshop, &request);
    preparation.join().map_err(|_| "preparation panicked".to_owned())?;
    Ok(verdict)
}

fn parse(arguments: &[String]) -> Result<Request, String> {
    let (mut kafka, mut program) = (false, None);
    let mut names = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--kafka" => kafka = true,
            "--broker" => {
                let path = arguments.next().ok_or("--broker wants the path of a barnabas binary")?;
                program = Some(PathBuf::from(path).canonicalize().map_err(|error| format!("{path}: {error}"))?);
            }
            name => names.push(name),
        }
    }
    let lanes = match names.as_slice() {
        [] => LANES.iter().filter(|lane| !lane.by_name).collect(),
        ["fast"] => LANES.iter().filter(|lane| lane.fast).collect(),
        names => names.iter().map(|name| find(name)).collect::<Result<_, _>>()?,
    };
    let against = match program {
        program if kafka => Against::Kafka(program),
        Some(program) => Against::Program(program),
        None => Against::Built,
    };
    Ok(Request { lanes, against })
}

fn find(name: &str) -> Result<&'static Lane, String> {
    LANES
        .iter()
        .find(|lane| lane.name == name)
        .ok_or_else(|| format!("no lane is called {name}; `cargo gate --list` names them"))
}

/// Prepares what the lanes need in the order they need it, while the first of them run.
fn prepare_ahead(workshop: &Arc<Workshop>, request: &Request) -> thread::JoinHandle<()> {
    let needs = request.lanes.iter().flat_map(|lane| lane.needs.iter().copied());
    let needs: Vec<Need> = needs.filter(|need| request.against.wants(*need)).collect();
    let workshop = Arc::clone(workshop);
    thread::spawn(move || {
        for need in needs {
            // The lane that waits for it reports what went wrong.
            let _ = workshop.ready(need);
        }
    })
}

fn run_lanes(workshop: &Workshop, request: &Request) -> bool {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let whole = Stopwatch::start();
    for lane in &request.lanes {
        let stopwatch = Stopwatch::start();
        let outcome = Room::new(workshop, lane, request.against.clone()).and_then(|room| room.run());
        let (word, detail) = match outcome {
            Ok(facts) => {
                passed += 1;
                ("ok", facts)
            }
            Err(Outcome::Skipped(why) | Outcome::Forbidden(why)) => {
                skipped += 1;
                ("skip", why)
            }
            Err(Outcome::Failed(why)) => {
                failed += 1;
                ("FAIL", why)
            }
        };
        println!("{word:<5} {:<22} {:>7.1} s  {detail}", lane.name, stopwatch.seconds());
    }
    println!("the gate took {:.0} s; its logs are in {}", whole.seconds(), workshop.place().display());
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    failed == 0
}
