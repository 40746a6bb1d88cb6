//! Instructions of the hot functions, counted by valgrind, beside those of a baseline: a slow-down that no noise of a
//! machine hides.
//!
//! The release build serves one client with one request in flight, so that each function is called once a request and does
//! the same each time. What it costs is what callgrind adds up for it and all that it calls, by its calls. The counts are
//! those of a compiler, a C library and a valgrind: beside others than the baseline's the lane is skipped.
//! `UPDATE=1 cargo gate instructions` writes the baseline.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use barnabas_tests::harness::broker::{Broker, Server};

use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// The counts to compare with.
const BASELINE: &str = "benches/instructions.tsv";
/// A function may cost so many times the baseline.
const SLOWER_MAX: f64 = 1.05;
/// A function this much below its baseline is worth a new one.
const QUICKER: f64 = 0.95;
/// Records of the load: 500 batches of 148.
const RECORDS: &str = "74000";

/// What is counted, by the names that valgrind gives. None of them may be inlined, and none may wake others: whether they
/// sleep is the machine's mood (`Writer::mark` cost 941 to 1,035 instructions in the same build).
const HOT: &[(&str, &str)] = &[
    ("gate walk", "barnabas_broker::api::gate::whole_body"),
    ("open a frame", "barnabas_broker::api::dispatch::open"),
    ("validate", "barnabas_storage::validate::validate"),
    ("append", "barnabas_storage::log::append::<impl barnabas_storage::log::Log>::append_as_leader"),
    (
        "submit to the journal",
        "<barnabas_storage::journal::Journal as barnabas_storage::journal::sink::JournalSink>::submit",
    ),
    ("journal round", "barnabas_storage::journal::writer::Writer::write_round"),
    ("answer of a produce", "barnabas_broker::api::data::produce::response"),
    ("fetch look-up", "barnabas_storage::log::read::<impl barnabas_storage::log::Log>::read"),
    ("put an answer", "barnabas_broker::network::outbox::Outbox::put"),
];

/// Counts and compares.
pub(crate) fn instructions(room: &Room<'_>) -> Result<String, Outcome> {
    let baseline = room.workshop.root().join(BASELINE);
    let here = machine()?;
    let updating = std::env::var_os("UPDATE").is_some();
    if !updating {
        let text = fs::read_to_string(&baseline).unwrap_or_default();
        let there = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
        if there != here {
            return Err(Outcome::Skipped(format!(
                "the baseline is of {there}, here is {here}: UPDATE=1 cargo gate instructions writes another"
            )));
        }
    }
    let counted = count(room)?;
    if updating {
        fs::write(&baseline, rendered(&here, &counted))?;
        return Ok(format!("{BASELINE} is written: {} functions", counted.len()));
    }
    compare(&parsed(&fs::read_to_string(&baseline)?), &counted)
}

/// What the counts depend on beside our own code.
fn machine() -> Result<String, Outcome> {
    let says = |program: &str, argument: &str| -> Result<String, Outcome> {
        let output = Command::new(program).arg(argument).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let libc = says("getconf", "GNU_LIBC_VERSION")?;
    Ok(format!("{}, {}, {libc}, {}", says("rustc", "-V")?, says("valgrind", "--version")?, std::env::consts::ARCH))
}

/// Runs the load; the instructions of a call of each hot function, in the order of the table.
fn count(room: &Room<'_>) -> Result<Vec<(&'static str, f64)>, Outcome> {
    let barnabas = room.workshop.root().join("target/release/barnabas");
    let (profile, script) = (room.path("callgrind.out"), room.path("counted"));
    // The C library's choice between its versions of memcpy depends on the processor: all have this one.
    let text = format!(
        "#!/bin/sh\nGLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX512F,-ERMS exec valgrind --tool=callgrind \
         --callgrind-out-file={} {} \"$@\"\n",
        profile.display(),
        barnabas.display()
    );
    fs::write(&script, text)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    let mut broker = Broker::prepare(&Server::Barnabas(script), &room.path("broker"), &[])?;
    let outcome = broker.restart().map_err(Outcome::from).and_then(|_| load(room, &barnabas, &broker));
    room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    let per_call = per_call(&fs::read_to_string(&profile)?);
    let of = |(name, function): &(&'static str, &str)| match per_call.get(*function) {
        Some(count) => Ok((*name, *count)),
        None => failed(format!("{function} is not called by that name any more: the table of the lane names it")),
    };
    HOT.iter().map(of).collect()
}

fn load(room: &Room<'_>, barnabas: &Path, broker: &Broker) -> Result<(), Outcome> {
    let bench = |what: &str, arguments: &[&str]| {
        let mut command = Command::new(barnabas);
        command.args(["bench", what, "--bootstrap-server", &broker.bootstrap(), "--topic", "counted"]);
        command.args(["--connections", "1", "--partitions", "1", "--records", RECORDS]).args(arguments);
        room.step(what, command)
    };
    bench("produce", &["--record-size", "100", "--batch-size", "16384", "--in-flight", "1"])?;
    bench("consume", &["--partition-bytes", "16384"])
}

/// Instructions of a call of each function, what it calls included: the lines `cfn=(id) name` (the name only the first
/// time), `calls=count place` and the next one, which ends with the cost of these calls.
fn per_call(profile: &str) -> HashMap<String, f64> {
    let (mut names, mut sums) = (HashMap::<&str, &str>::new(), HashMap::<&str, (f64, f64)>::new());
    let (mut callee, mut calls) = ("", None);
    for line in profile.lines() {
        if let Some(calls) = calls.take() {
            let cost: f64 = line.rsplit(' ').next().and_then(|cost| cost.parse().ok()).unwrap_or(0.0);
            let (count, sum) = sums.entry(callee).or_default();
            (*count, *sum) = (*count + calls, *sum + cost);
        } else if let Some(count) = line.strip_prefix("calls=") {
            calls = count.split(' ').next().and_then(|count| count.parse::<f64>().ok());
        } else if let Some((is_callee, id)) =
            line.strip_prefix("cfn=").map(|id| (true, id)).or_else(|| line.strip_prefix("fn=").map(|id| (false, id)))
        {
            let (id, name) = id.split_once(' ').map_or((id, None), |(id, name)| (id, Some(name)));
            names.extend(name.map(|name| (id, name)));
            callee = if is_callee { id } else { callee };
        }
    }
    let named = |(id, (count, sum)): (&str, (f64, f64))| Some(((*names.get(id)?).to_owned(), sum / count));
    sums.into_iter().filter_map(named).collect()
}

fn rendered(machine: &str, counted: &[(&str, f64)]) -> String {
    let mut text = format!("# {machine}\n");
    for (name, count) in counted {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}\t{count:.0}");
    }
    text
}

fn parsed(text: &str) -> HashMap<&str, f64> {
    let rows = text.lines().filter_map(|line| line.split_once('\t'));
    rows.filter_map(|(name, count)| Some((name, count.parse().ok()?))).collect()
}

fn compare(baseline: &HashMap<&str, f64>, counted: &[(&str, f64)]) -> Result<String, Outcome> {
    let (mut slower, mut quicker) = (Vec::new(), Vec::new());
    for (name, now) in counted {
        let Some(before) = baseline.get(name) else {
            slower.push(format!("{name}: {now:.0}, and the baseline does not know it"));
            continue;
        };
        if *now > before * SLOWER_MAX {
            slower.push(format!("{name}: {now:.0} instructions a call, {before:.0} in the baseline"));
        } else if *now < before * QUICKER {
            quicker.push(*name);
        }
    }
    if !slower.is_empty() {
        return failed(format!(
            "{}\nif that is its price: UPDATE=1 cargo gate instructions, and a word in the commit",
            slower.join("\n")
        ));
    }
    let mut report = format!("{} functions within 5 % of the baseline", counted.len());
    if !quicker.is_empty() {
        let _ = write!(report, "; {} quicker: UPDATE=1 keeps it so", quicker.join(", "));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_a_call_is_read_with_names_that_come_once() {
        let profile =
            "fn=(1) main\n10 5\ncfn=(2) hot\ncalls=2 7\n11 100\n+1 3\nfn=(3) other\ncfn=(2)\ncalls=2 7\n* 300\n";
        assert_eq!(per_call(profile).get("hot"), Some(&100.0));
        assert_eq!(per_call(profile).len(), 1);
    }

    #[test]
    fn six_per_cent_more_fail_and_four_do_not() {
        let text = rendered("here", &[("append", 100.0)]);
        let baseline = parsed(&text);
        assert!(compare(&baseline, &[("append", 104.0)]).is_ok());
        assert!(compare(&baseline, &[("append", 106.0)]).is_err());
        assert!(compare(&baseline, &[("unknown", 1.0)]).is_err());
        assert!(compare(&baseline, &[("append", 90.0)]).unwrap().contains("append quicker"));
    }
}
