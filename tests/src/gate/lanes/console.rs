//! The page for people in headless Chromium, with no topics, ten and a thousand: a group's lag is read off the page once its script
//! has run, the charts have been drawn, and a picture of each is in the lane's directory.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::port;

use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// Without a network, and without the services that a browser looks for at its start.
const QUIET: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];
/// What the page's script has for its work: time that passes as fast as it can.
const VIRTUAL_MS: u32 = 5000;
/// Records of a partition, and how many of them a group has read.
const RECORDS: usize = 10;
const READ: usize = 3;

/// Shows the page.
pub(crate) fn console(room: &Room<'_>) -> Result<String, Outcome> {
    if room.is_kafka() {
        return Err(Outcome::Skipped("Apache Kafka has no page".to_owned()));
    }
    let mut facts = Vec::new();
    for topics in [0, 10, 1000] {
        let port = port::free()?;
        let name = format!("broker-{topics}");
        let mut broker = room.broker(&name, &[("barnabas.http.listener", &port.to_string())])?;
        let outcome = fill(room, &broker, topics).and_then(|()| look(room, topics, port));
        facts.push(room.with_log_of(&mut broker, outcome)?);
        broker.stop()?;
    }
    Ok(facts.join("; "))
}

/// Topics, records in the first of them, and a group that has read some.
fn fill(room: &Room<'_>, broker: &Broker, topics: usize) -> Result<(), Outcome> {
    if topics == 0 {
        return Ok(());
    }
    let mut wanted = String::from("topics:\n");
    for n in 0..topics {
        // Writing to a string cannot fail.
        let _ = write!(wanted, "  - name: {}\n    partitions: 2\n", topic(n));
    }
    let file = room.path(&format!("topics-{topics}.yaml"));
    fs::write(&file, wanted)?;
    let lines = room.path("lines");
    fs::write(&lines, "a record\n".repeat(RECORDS))?;
    let ours = |arguments: &[&str]| {
        let mut command = Command::new(room.program());
        command.args(arguments).args(["-b", &broker.bootstrap()]);
        command
    };
    room.step("apply", ours(&["topics", "apply", &file.display().to_string(), "--yes"]))?;
    room.step_reading("produce", ours(&["produce", &topic(0), "--partition", "1"]), &lines)?;
    let place = format!("{}:1", topic(0));
    let seek = ["groups", "seek", "billing", "--topic", &place, "--to", &READ.to_string(), "--execute"];
    room.step("seek", ours(&seek))
}

fn topic(n: usize) -> String {
    format!("{}.{n:04}", ["orders", "payments", "clicks", "logs"][n % 4])
}

/// What a browser makes of the page.
fn look(room: &Room<'_>, topics: usize, port: u16) -> Result<String, Outcome> {
    let url = format!("http://127.0.0.1:{port}/");
    let picture = room.path(&format!("{topics}.png"));
    let mut command = browser(room, &format!("picture-{topics}"));
    command.arg(format!("--screenshot={}", picture.display())).args(["--window-size=1200,1000", &url]);
    room.step("picture", command)?;
    let mut command = browser(room, &format!("page-{topics}"));
    command.args(["--dump-dom", &url]);
    room.step("page", command)?;
    let page = fs::read_to_string(room.output("page"))?;
    let drawn = page.contains("/s</b>") && page.contains("points=\"0,");
    if !drawn || !picture.is_file() {
        return failed(format!("{topics} topics: the charts were not drawn: {}", room.output("page").display()));
    }
    let lag = cells(&page, "billing");
    let (read, behind) = (READ.to_string(), (RECORDS - READ).to_string());
    let wanted = ["billing", "Empty", "0", &topic(0), "1", &read, &behind];
    match topics {
        0 if page.contains("barnabas topics create NAME") => Ok("no topics: says how to make one".to_owned()),
        0 => failed("the page without topics does not say how to make one"),
        _ if lag.get(..wanted.len()).is_none_or(|found| found != wanted) => {
            failed(format!("{topics} topics: the row of the group is {lag:?}, expected {wanted:?}"))
        }
        _ if cells(&page, &topic(topics - 1)).is_empty() => failed(format!("{topics} topics: the last is not there")),
        _ => Ok(format!("{topics} topics: lag {behind} in {} KB", page.len() / 1000)),
    }
}

fn browser(room: &Room<'_>, name: &str) -> Command {
    let mut command = Command::new("chromium");
    command.args(QUIET).arg(format!("--virtual-time-budget={VIRTUAL_MS}")).stdin(Stdio::null());
    command.arg(format!("--user-data-dir={}", room.path(name).display()));
    command
}

/// The cells of the row that begins with `first`.
fn cells(page: &str, first: &str) -> Vec<String> {
    let Some((_, rest)) = page.split_once(&format!("<tr><td>{first}</td>")) else { return Vec::new() };
    let row = rest.split("</tr>").next().unwrap_or_default();
    let others = row.split("</td>").filter_map(|cell| cell.rsplit_once('>').map(|(_, text)| text.to_owned()));
    std::iter::once(first.to_owned()).chain(others).collect()
}
