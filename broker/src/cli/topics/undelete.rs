//! `topics undelete`, and what `topics delete` says of it.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;

use crate::cli::Failure;
use crate::cli::confirm::Confirm;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::cli::remark::remark;
use crate::client::Cluster;
use crate::client::configs::ConfigResource;
use crate::client::topics::NewTopic;

/// What `undelete` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The topic.
    name: String,
    /// Its id, when several deleted topics had that name.
    #[arg(long)]
    id: Option<String>,
    /// Only shows what would come back.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    confirm: Confirm,
}

const COLUMNS: &[Column] =
    &[column("TOPIC", "topic"), column("ID", "id"), column("PARTITIONS", "partitions"), column("REPLICAS", "replicas")];

/// The topic's setting that says for how long it is kept.
const KEEP_MS: &str = "barnabas.delete.keep.ms";

/// Brings a deleted topic back; shows it first.
pub(super) async fn run(told: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let found = ask(told, true, cluster).await?;
    let mut table = Table::new(COLUMNS);
    table.row(vec![
        Cell::text(found.name.as_str()),
        Cell::text(barnabas_storage::TopicId(found.topic_id).to_string()),
        Cell::number(Some(found.num_partitions.into()).filter(|number| *number >= 0)),
        Cell::number(Some(found.replication_factor.into()).filter(|number| *number >= 0)),
    ]);
    output.show(&table)?;
    if told.dry_run {
        return Ok(Exit::Done);
    }
    told.confirm.ask(&format!("Bring topic {} back from its deletion", told.name))?;
    ask(told, false, cluster).await?;
    remark(format_args!("topic {} is back with everything in it, but not what groups had committed of it", told.name));
    Ok(Exit::Done)
}

async fn ask(told: &Arguments, dry_run: bool, cluster: &mut Cluster) -> Result<CreatableTopicResult, Failure> {
    let topic = NewTopic::undeleted(&told.name, told.id.as_deref());
    let results = cluster.create_topics(&[topic], dry_run).await?;
    let result = results.into_iter().next().ok_or("the broker answered for no topic")?;
    if result.error_code == 0 {
        return Ok(result);
    }
    let act = format!("undelete topic {}", told.name);
    let failure = Failure::refused(act, result.error_code, result.error_message.as_deref());
    Err(match ResponseError::try_from_code(result.error_code) {
        // What a broker says that knows no such setting.
        Some(ResponseError::InvalidConfig) => {
            failure.next("a Barnabas broker that can: other brokers keep nothing of a topic that was deleted")
        }
        Some(ResponseError::InvalidRequest) => failure.next("the same with --id ID"),
        Some(ResponseError::UnknownTopicOrPartition) => {
            failure.next(format!("barnabas configs get cluster {KEEP_MS}, which says whether topics are kept"))
        }
        Some(ResponseError::TopicAlreadyExists) => failure.next(format!("barnabas topics delete {} first", told.name)),
        _ => failure,
    })
}

/// For how long the deletion of a topic can be undone, in milliseconds; `None` when the broker does not say.
pub(super) async fn kept_for(name: &str, cluster: &mut Cluster) -> Option<i64> {
    let settings = cluster.settings_of(ConfigResource::Topic, name, false).await.ok()?.ok()?;
    let keep = settings.into_iter().find(|setting| &*setting.name == KEEP_MS)?.value?;
    keep.parse().ok().filter(|keep| *keep > 0)
}

/// A time in the largest unit that has no rest.
pub(super) fn period(millis: i64) -> String {
    const UNITS: [(i64, &str); 4] =
        [(86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes"), (1000, "seconds")];
    let unit = UNITS.iter().find(|(unit, _)| millis % unit == 0);
    unit.map_or_else(|| format!("{millis} milliseconds"), |(unit, name)| format!("{} {name}", millis / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_told_in_its_largest_whole_unit() {
        let told: Vec<String> = [604_800_000, 5_400_000, 1500, 60_000].map(period).into();
        assert_eq!(told, ["7 days", "90 minutes", "1500 milliseconds", "1 minutes"]);
    }
}
