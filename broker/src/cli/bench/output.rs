//! What a run took, as a table for people or as JSON for programs.

use crate::bench::{Done, Histogram, connections};

/// The form of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Names above figures.
    Table,
    /// One object on one line.
    Json,
}

/// One figure of a run.
#[derive(Debug)]
struct Figure {
    /// Its name in a table's head.
    head: &'static str,
    /// Its name in JSON.
    key: &'static str,
    value: f64,
    /// Digits after the point.
    digits: usize,
}

/// What a run took.
#[derive(Debug)]
pub(super) struct Figures {
    work: &'static str,
    figures: Vec<Figure>,
}

impl Figures {
    pub(super) fn of_load(work: &'static str, done: &Done) -> Self {
        let mut figures = vec![
            figure("SECONDS", "seconds", done.elapsed.as_secs_f64(), 2),
            figure("RECORDS", "records", done.records as f64, 0),
            figure("MB", "megabytes", done.bytes as f64 / 1e6, 1),
            figure("REQUESTS", "requests", done.requests as f64, 0),
            figure("MB/s", "megabytes_per_second", done.megabytes_per_second(), 1),
            figure("RECORDS/s", "records_per_second", done.records_per_second(), 0),
            figure("REQUESTS/s", "requests_per_second", done.requests_per_second(), 0),
        ];
        figures.extend(times(&done.waits, ["P50 ms", "P99 ms", "P99.9 ms", "MAX ms"], LOAD_KEYS));
        Self { work, figures }
    }

    pub(super) fn of_connections(done: &connections::Done) -> Self {
        let per_second = done.connections as f64 / done.opened_in.as_secs_f64();
        let mut figures = vec![
            figure("CONNECTIONS", "connections", done.connections as f64, 0),
            figure("OPENED/s", "opened_per_second", per_second, 0),
        ];
        figures.extend(times(&done.opened, ["OPEN P50 ms", "P99 ms", "P99.9 ms", "MAX ms"], OPEN_KEYS));
        figures.extend(times(&done.asked, ["ASK P50 ms", "P99 ms", "P99.9 ms", "MAX ms"], ASK_KEYS));
        Self { work: "connections", figures }
    }

    pub(super) fn show(&self, format: Format) -> String {
        match format {
            Format::Table => self.table(),
            Format::Json => self.json(),
        }
    }

    fn table(&self) -> String {
        let (mut heads, mut values) = (format!("{:<11}", "WORK"), format!("{:<11}", self.work));
        for Figure { head, value, digits, .. } in &self.figures {
            let value = format!("{value:.digits$}");
            let width = head.len().max(value.len()) + 2;
            heads += &format!("{head:>width$}");
            values += &format!("{value:>width$}");
        }
        format!("{heads}\n{values}")
    }

    fn json(&self) -> String {
        let figures: String = self
            .figures
            .iter()
            .map(|Figure { key, value, digits, .. }| format!(",\"{key}\":{value:.digits$}"))
            .collect();
        format!("{{\"work\":\"{}\"{figures}}}", self.work)
    }
}

const LOAD_KEYS: [&str; 4] = ["p50_ms", "p99_ms", "p999_ms", "max_ms"];
const OPEN_KEYS: [&str; 4] = ["open_p50_ms", "open_p99_ms", "open_p999_ms", "open_max_ms"];
const ASK_KEYS: [&str; 4] = ["ask_p50_ms", "ask_p99_ms", "ask_p999_ms", "ask_max_ms"];

fn times(waits: &Histogram, heads: [&'static str; 4], keys: [&'static str; 4]) -> impl Iterator<Item = Figure> {
    let values = [waits.percentile(0.5), waits.percentile(0.99), waits.percentile(0.999), waits.longest()];
    let named = heads.into_iter().zip(keys).zip(values);
    named.map(|((head, key), value)| figure(head, key, value.as_secs_f64() * 1e3, 3))
}

/// A run without time has no rate: such a figure is 0, and JSON stays JSON.
fn figure(head: &'static str, key: &'static str, value: f64, digits: usize) -> Figure {
    Figure { head, key, value: if value.is_finite() { value } else { 0.0 }, digits }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn done() -> Done {
        let mut waits = Histogram::default();
        waits.record(Duration::from_millis(2));
        Done { requests: 1, records: 14, bytes: 16_000_000, elapsed: Duration::from_secs(2), waits }
    }

    #[test]
    fn a_table_has_every_figure_below_its_name() {
        let table = Figures::of_load("produce", &done()).show(Format::Table);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].len(), lines[1].len());
        assert!(lines[0].contains("MB/s") && lines[1].contains("  8.0  "), "{table}");
    }

    #[test]
    fn json_is_one_object_of_numbers() {
        assert_eq!(
            Figures::of_load("produce", &done()).show(Format::Json),
            "{\"work\":\"produce\",\"seconds\":2.00,\"records\":14,\"megabytes\":16.0,\"requests\":1,\
             \"megabytes_per_second\":8.0,\"records_per_second\":7,\"requests_per_second\":0,\
             \"p50_ms\":2.000,\"p99_ms\":2.000,\"p999_ms\":2.000,\"max_ms\":2.000}"
        );
        let nothing = Done { elapsed: Duration::ZERO, ..done() };
        assert!(!Figures::of_load("produce", &nothing).show(Format::Json).contains("inf"));
    }
}
