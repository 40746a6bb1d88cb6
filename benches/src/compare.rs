//! The side-by-side run: every workload on every broker in turn, several rounds, medians, and ratios to Apache Kafka.

use std::time::Instant;

use clap::Args;

use crate::peer::{Peer, Programs};
use crate::running::Running;
use crate::table::{Figures, Table};
use crate::workload::Workload;
use crate::{Outcome, process, report, restart, say};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    programs: Programs,
    /// Rounds; the table shows medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Megabytes that each produce workload writes.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    megabytes: u64,
    /// Only workloads whose word begins with one of these: start, idle, produce, produce-100, fetch, fetch-cold, one-record,
    /// latency, memory, ...
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Every combination of records, batches, partitions and acks instead of the chosen ones: takes three times as long.
    #[arg(long)]
    matrix: bool,
    /// Instead of the workloads: write so many GiB, kill -9, and take the time of the start after it.
    #[arg(long, value_name = "GIB", value_parser = clap::value_parser!(u64).range(1..=1000))]
    restart_gib: Option<u64>,
}

/// Runs it and prints the table.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let started = Instant::now();
    options.programs.check()?;
    let workloads = chosen(&Workload::all(options.matrix), &options.only)?;
    let mut table = Table::new(options.programs.peers().collect());
    for round in 0..options.rounds {
        for peer in options.programs.peers() {
            let load = process::machine_load();
            say(&format!("round {} of {}: {}, machine's load {load}", round + 1, options.rounds, peer.name()));
            table.add(peer, measure(options, peer, &workloads)?);
        }
    }
    say(&format!("took {:.0} s", started.elapsed().as_secs_f64()));
    report(&table.markdown());
    Ok(())
}

fn measure(options: &Options, peer: Peer, workloads: &[Workload]) -> Outcome<Figures> {
    let mut figures = Figures::default();
    let mut running = Running::start(peer, &options.programs)?;
    if let Some(gib) = options.restart_gib {
        restart::measure(&mut running, &options.programs, gib, &mut figures)?;
        return Ok(figures);
    }
    for workload in workloads {
        let word = workload.word();
        let measured = workload.run(&running, options.megabytes, &mut figures);
        measured.map_err(|error| format!("{word} on {}: {error}", peer.name()))?;
    }
    Ok(figures)
}

fn chosen(all: &[Workload], only: &[String]) -> Outcome<Vec<Workload>> {
    for wanted in only {
        if !all.iter().any(|workload| workload.word().starts_with(wanted.as_str())) {
            let words: Vec<_> = all.iter().map(Workload::word).collect();
            return Err(format!("no workload is called {wanted}; there are {}", words.join(", ")).into());
        }
    }
    let wanted =
        |workload: &&Workload| only.is_empty() || only.iter().any(|word| workload.word().starts_with(word.as_str()));
    Ok(all.iter().filter(wanted).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_are_chosen_by_the_beginning_of_their_word() {
        let all = Workload::all(false);
        assert_eq!(chosen(&all, &[]).unwrap(), all);
        let some = chosen(&all, &["fetch-hot".to_owned(), "latency".to_owned()]).unwrap();
        assert_eq!(some.iter().map(Workload::word).collect::<Vec<_>>(), ["fetch-hot-16k", "fetch-hot-512k", "latency"]);
        assert!(chosen(&all, &["fech".to_owned()]).unwrap_err().to_string().contains("fetch-cold-16k"));
    }
}
