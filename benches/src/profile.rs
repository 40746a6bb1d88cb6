//! Where a broker's time goes: CPU, system calls and context switches of a request, and the functions that take the time.
//!
//! Each load runs three times: undisturbed, under strace for the number of system calls, and under perf for the functions.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use barnabas_broker::bench::{BenchError, Done, Limit, consume, produce};
use clap::Args;

use crate::load::Load;
use crate::peer::{Peer, Programs};
use crate::process::{Switches, context_switches};
use crate::running::Running;
use crate::workload::{fetch_options, small};
use crate::{Outcome, report, say};

/// System calls and functions that are shown of each load.
const SHOWN: usize = 6;
/// How long a tracer may take to attach.
const ATTACHED: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    programs: Programs,
    /// How long each load runs.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
}

/// What is profiled.
#[derive(Clone, Copy, Debug)]
enum Work {
    Produce(usize),
    Fetch,
    OneRecord,
}

const WORKS: [Work; 4] = [Work::Produce(16), Work::Produce(512), Work::Fetch, Work::OneRecord];

/// What a load cost.
struct Profile {
    name: String,
    cpu_micros: f64,
    megabytes_per_second: f64,
    switches: Switches,
    requests: f64,
    /// By name, for each request.
    system_calls: Vec<(String, f64)>,
    /// Per cent of the samples.
    functions: Vec<(String, f64)>,
}

/// Profiles and prints the tables.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    options.programs.check()?;
    let mut profiles = Vec::new();
    for peer in options.programs.peers().filter(|peer| *peer != Peer::Kafka) {
        let running = Running::start(peer, &options.programs)?;
        for work in WORKS {
            profiles.push(profile(&running, work, Duration::from_secs(options.seconds))?);
        }
    }
    report(&tables(&profiles));
    Ok(())
}

fn profile(running: &Running, work: Work, time: Duration) -> Outcome<Profile> {
    let name = format!("{}, `{}`", work.name(), running.peer.word());
    say(&name);
    work.run(running, time / 4)?;
    let (before, switches_before) = (running.usage()?, context_switches(running.pid())?);
    let done = work.run(running, time)?;
    let (after, switches) = (running.usage()?, context_switches(running.pid())?);
    let requests = done.requests as f64;
    Ok(Profile {
        name,
        cpu_micros: (after.cpu_seconds - before.cpu_seconds) * 1e6 / requests,
        megabytes_per_second: done.megabytes_per_second(),
        switches: switches.since(&switches_before),
        requests,
        system_calls: system_calls(running, || work.run(running, time))?,
        functions: functions(running, || work.run(running, time))?,
    })
}

impl Work {
    fn name(self) -> String {
        match self {
            Self::Produce(batch_kib) => format!("produce, {batch_kib} KiB batches"),
            Self::Fetch => "fetch of 16 KiB batches, 1 MiB an answer".to_owned(),
            Self::OneRecord => "one record a request, one in flight".to_owned(),
        }
    }

    fn run(self, running: &Running, time: Duration) -> Result<Done, BenchError> {
        let load = |batch_kib| Load { record_bytes: 1024, batch_kib, partitions: 16, connections: 4, acks: -1 };
        let limit = Limit { time: Some(time), ..Limit::default() };
        match self {
            Self::Produce(batch_kib) => {
                produce::run(&produce::Options { limit, ..load(batch_kib).options(&running.bootstrap, 0) })
            }
            Self::Fetch => {
                let options = consume::Options { limit, ..fetch_options(&running.bootstrap, &load(16)) };
                crate::workload::again_and_again(time, || consume::run(&options))
            }
            Self::OneRecord => produce::run(&produce::Options { limit, ..small(running, "one-record", 1) }),
        }
    }
}

/// Counts of system calls for each request, by strace.
fn system_calls(running: &Running, load: impl FnOnce() -> Result<Done, BenchError>) -> Outcome<Vec<(String, f64)>> {
    let output = running.data().with_file_name("strace.txt");
    let mut strace = Command::new("strace");
    strace.args(["-c", "-f", "-p", &running.pid().to_string(), "-o"]).arg(&output);
    let Some(done) = traced(strace, load)? else { return Ok(Vec::new()) };
    let text = fs::read_to_string(&output)?;
    let mut calls: Vec<_> =
        counts(&text).into_iter().map(|(name, count)| (name, count as f64 / done.requests as f64)).collect();
    calls.sort_by(|left, right| right.1.total_cmp(&left.1));
    Ok(calls)
}

/// The functions with most samples, by perf.
fn functions(running: &Running, load: impl FnOnce() -> Result<Done, BenchError>) -> Outcome<Vec<(String, f64)>> {
    let output = running.data().with_file_name("perf.data");
    let mut perf = Command::new("perf");
    perf.args(["record", "-q", "-F", "997", "-p", &running.pid().to_string(), "-o"]).arg(&output);
    if traced(perf, load)?.is_none() {
        return Ok(Vec::new());
    }
    let shown = Command::new("perf")
        .args(["report", "--stdio", "-q", "-F", "overhead,symbol", "--percent-limit", "0.5", "-i"])
        .arg(&output)
        .output()?;
    Ok(samples(&String::from_utf8_lossy(&shown.stdout)))
}

/// Runs the load while the tracer is attached. A machine that does not have it, or forbids it, has no figures: said once.
fn traced(mut tracer: Command, load: impl FnOnce() -> Result<Done, BenchError>) -> Outcome<Option<Done>> {
    let name = tracer.get_program().to_string_lossy().into_owned();
    let spawned = tracer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut tracer) = spawned.inspect_err(|error| say(&format!("{name}: {error}"))) else { return Ok(None) };
    std::thread::sleep(ATTACHED);
    let done = load();
    let attached = tracer.try_wait()?.is_none();
    interrupt(&mut tracer)?;
    let done = done?;
    if !attached {
        say(&format!("{name} ended by itself: this machine forbids it"));
    }
    Ok(attached.then_some(done))
}

/// Ctrl-C: the tracer detaches and writes what it has.
fn interrupt(tracer: &mut Child) -> Outcome<()> {
    if let Some(pid) = i32::try_from(tracer.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    }
    tracer.wait()?;
    Ok(())
}

/// The table of `strace -c`: per cent, seconds, microseconds a call, calls, errors if any, name.
fn counts(text: &str) -> BTreeMap<String, u64> {
    let row = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields.first()?.parse::<f64>().ok()?;
        let name = fields.last().filter(|name| **name != "total")?;
        Some(((*name).to_owned(), fields.get(3)?.parse().ok()?))
    };
    text.lines().filter_map(row).collect()
}

/// Lines of `perf report`: per cent, where ([k] or [.]), name.
fn samples(text: &str) -> Vec<(String, f64)> {
    let row = |line: &str| {
        let (part, symbol) = line.trim().split_once('%')?;
        let (_, name) = symbol.split_once(']')?;
        let name = name.trim().split("::h").next().unwrap_or_default();
        Some((name.to_owned(), part.parse().ok()?))
    };
    text.lines().filter_map(row).collect()
}

fn tables(profiles: &[Profile]) -> String {
    let mut lines = vec![
        "| work | MB/s | broker CPU µs a request | system calls a request | context switches a request: wanted, forced |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    for profile in profiles {
        let all: f64 = profile.system_calls.iter().map(|(_, count)| count).sum();
        let calls: Vec<_> =
            profile.system_calls.iter().take(SHOWN).map(|(name, count)| format!("{name} {count:.2}")).collect();
        lines.push(format!(
            "| {} | {:.0} | {:.1} | {all:.2}: {} | {:.2}, {:.2} |",
            profile.name,
            profile.megabytes_per_second,
            profile.cpu_micros,
            calls.join(", "),
            profile.switches.voluntary as f64 / profile.requests,
            profile.switches.forced as f64 / profile.requests,
        ));
    }
    lines.extend(["".to_owned(), "| work | functions, % of the broker's samples |".to_owned(), "|---|---|".to_owned()]);
    for Profile { name, functions, .. } in profiles {
        let shown: Vec<_> =
            functions.iter().take(2 * SHOWN).map(|(function, part)| format!("`{function}` {part:.1}")).collect();
        lines.push(format!("| {name} | {} |", shown.join(", ")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_strace_is_read_with_and_without_errors() {
        let text = "% time     seconds  usecs/call     calls    errors syscall\n------ --- ---\n\
                    60.00    0.001000           1      1000       200 recvfrom\n \
                    40.00    0.000500           1       500           sendmsg\n------\n\
                    100.00    0.001500           1      1500       200 total\n";
        let counts = counts(text);
        assert_eq!(
            counts.into_iter().collect::<Vec<_>>(),
            [("recvfrom".to_owned(), 1000), ("sendmsg".to_owned(), 500)]
        );
    }

    #[test]
    fn lines_of_perf_are_read_without_the_hash_of_a_symbol() {
        let found = samples("    12.34%  [k] copy_user\n     5.00%  [.] storage::log::append::h0123456789abcdef\n\n");
        assert_eq!(found, [("copy_user".to_owned(), 12.34), ("storage::log::append".to_owned(), 5.0)]);
    }
}
