//! `topics offsets`.

use std::collections::BTreeMap;

use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::exit::Exit;
use crate::cli::groups::seek::{bound, partitions};
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::client::Cluster;
use crate::client::offsets::{EARLIEST, LATEST};

/// What `offsets` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Topics, or some of their partitions as TOPIC:0,3.
    #[arg(required = true, value_name = "TOPIC[:PARTITIONS]", add = names::topics())]
    topics: Vec<String>,
}

const COLUMNS: &[Column] = &[
    column("TOPIC", "topic"),
    column("PARTITION", "partition"),
    column("START", "start"),
    column("END", "end"),
    column("OFFSETS", "offsets"),
];

pub(super) async fn run(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let wanted = partitions(cluster, &arguments.topics, &BTreeMap::new()).await?;
    let (starts, ends) = (bound(cluster, &wanted, EARLIEST).await?, bound(cluster, &wanted, LATEST).await?);
    let mut table = Table::new(COLUMNS);
    for at in &wanted {
        let (start, end) = (starts.get(at).copied(), ends.get(at).copied());
        table.row(vec![
            Cell::text(&*at.topic),
            Cell::Number(at.partition.0.into()),
            Cell::number(start),
            Cell::number(end),
            Cell::number(start.zip(end).map(|(start, end)| end - start)),
        ]);
    }
    output.show(&table)?;
    Ok(Exit::Done)
}
