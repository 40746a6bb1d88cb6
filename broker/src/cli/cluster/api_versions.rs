//! `cluster api-versions`.

use crate::api::{Versions, table};
use crate::cli::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column, wide};
use crate::client::Cluster;
use crate::client::kafka_apis::{SPOKEN, name};

/// What `api-versions` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only of this broker; of every one when none is named.
    #[arg(long, value_name = "ID")]
    broker: Option<i32>,
    /// Also the APIs that Kafka's client knows and the broker does not serve.
    #[arg(long)]
    all: bool,
}

const COLUMNS: &[Column] = &[
    column("BROKER", "broker"),
    column("KEY", "key"),
    column("API", "api"),
    column("SERVED", "served"),
    column("KAFKA 4.3 USES", "kafka_client_uses"),
    column("BARNABAS SERVES", "barnabas_serves"),
    wide("KAFKA 4.3 SPEAKS", "kafka_client_speaks"),
];

pub(super) async fn run(told: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let brokers = match told.broker {
        Some(id) => vec![id],
        None => cluster.brokers().await?.into_keys().collect(),
    };
    let mut rows = Table::new(COLUMNS);
    let (mut failures, any_asked) = (Vec::new(), brokers.len());
    for id in brokers {
        match cluster.broker(id).await {
            Ok(broker) => {
                let answer = broker.api_versions();
                let served: Vec<_> = answer
                    .api_keys
                    .iter()
                    .map(|api| (api.api_key, Versions::new(api.min_version, api.max_version)))
                    .collect();
                rows_of(id, &served, told.all).into_iter().for_each(|row| rows.row(row));
            }
            Err(error) => failures.push(Failure::from(error)),
        }
    }
    if !rows.is_empty() {
        output.show(&rows)?;
    }
    let any_done = failures.len() < any_asked;
    Failure::all_or_some(failures, any_done)
}

/// One row for each API, ordered by its key.
fn rows_of(broker: i32, served: &[(i16, Versions)], all: bool) -> Vec<Vec<Cell>> {
    let mut keys: Vec<i16> = served.iter().map(|(key, _)| *key).collect();
    if all {
        keys.extend(SPOKEN.iter().map(|(key, ..)| *key));
    }
    keys.sort_unstable();
    keys.dedup();
    let row = |key: i16| {
        let there = served.iter().find(|(known, _)| *known == key).map(|(_, versions)| *versions);
        let spoken = SPOKEN.iter().find(|(known, ..)| *known == key);
        let spoken = spoken.map(|(_, _, least, last)| Versions::new(*least, *last));
        let here = table().iter().find(|row| row.key == key).map(|row| row.versions);
        vec![
            Cell::Number(broker.into()),
            Cell::Number(key.into()),
            Cell::optional(name(key)),
            range(there),
            Cell::number(there.zip(spoken).and_then(|(there, spoken)| used(there, spoken)).map(i64::from)),
            range(here),
            range(spoken),
        ]
    };
    keys.into_iter().map(row).collect()
}

/// The version that both sides settle on.
fn used(served: Versions, spoken: Versions) -> Option<i16> {
    Some(served.max.min(spoken.max)).filter(|version| served.contains(*version) && spoken.contains(*version))
}

fn range(versions: Option<Versions>) -> Cell {
    Cell::optional(versions.map(|versions| match (versions.min, versions.max) {
        (min, max) if min == max => min.to_string(),
        (min, max) => format!("{min}-{max}"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_told_with_what_the_broker_kafkas_client_and_this_program_speak() {
        let served = [(999, Versions::new(0, 1)), (18, Versions::new(0, 40)), (3, Versions::new(50, 60))];
        let rows = rows_of(1, &served, false);
        let shown: Vec<_> = rows.iter().map(|row| (&row[1], &row[3], &row[4])).collect();
        assert_eq!(shown[0], (&Cell::Number(3), &Cell::text("50-60"), &Cell::Nothing), "it is too new");
        assert_eq!(shown[1], (&Cell::Number(18), &Cell::text("0-40"), &Cell::Number(4)));
        assert_eq!((shown[2].0, &rows[2][2], &rows[2][5]), (&Cell::Number(999), &Cell::Nothing, &Cell::Nothing));
        assert_eq!(rows_of(1, &served, true).len(), SPOKEN.len() + 1);
    }
}
