//! `cluster metadata-dump`: what Kafka's protocol tells of the metadata, as one document that can be kept and compared.
//!
//! It asks a cluster, not the files of a controller: so it works on Apache Kafka too, shows what clients are shown, and needs no
//! more rights than the single questions do. The records themselves are for `kafka-dump-log --cluster-metadata-decoder` on
//! Kafka's directories; our log of metadata is a format of our own.

use kafka_protocol::ResponseError;
use serde_json::{Map, Value, json};

use super::{features, quorum};
use crate::cli::exit::Exit;
use crate::cli::output::{Format, Output, Table};
use crate::cli::{Failure, acls, configs, quotas, tokens, users};
use crate::client::topics::{PartitionView, TopicView};
use crate::client::{CallError, Cluster};

pub(super) async fn run(cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let mut dump = Dump::default();
    dump.add(
        "cluster",
        super::ask(cluster, true).await.map(|(cluster, brokers)| {
            let mut cluster = first(&cluster);
            cluster["brokers"] = brokers.value();
            cluster
        }),
    );
    dump.add("features", features::ask(cluster).await.map(|table| table.value()));
    dump.add(
        "quorum",
        quorum::ask(cluster).await.map(|(quorum, replicas)| {
            let mut quorum = first(&quorum);
            quorum["replicas"] = replicas.value();
            quorum
        }),
    );
    dump.add("topics", topics(cluster).await);
    dump.add("settings_of_topics", configs::own_of_topics(cluster).await.map(settings));
    dump.add("settings_of_others", configs::own_of_others(cluster).await.map(settings));
    dump.add("users", users::table(cluster).await.map(|table| table.value()));
    dump.add("acls", acls::table(cluster).await.map(|table| table.value()));
    dump.add("quotas", quotas::table(cluster, &[]).await.map(|table| table.value()));
    dump.add("tokens", tokens::table(&[], cluster).await.map(|table| table.value()));
    let (document, exit) = dump.finish()?;
    as_document(output).show_document(&document, "")?;
    Ok(exit)
}

/// It is no table.
fn as_document(output: Output) -> Output {
    match output.format {
        Format::Yaml => output,
        _ => Output { format: Format::Json },
    }
}

/// The parts so far.
#[derive(Default)]
struct Dump {
    parts: Map<String, Value>,
    missing: Vec<Value>,
    refused: Vec<Failure>,
}

impl Dump {
    /// A part that was not told is null, and said to be missing.
    fn add(&mut self, part: &'static str, told: Result<Value, Failure>) {
        let value = told.unwrap_or_else(|failure| {
            self.missing.push(json!({ "part": part, "why": why(&failure), "reason": failure.message() }));
            if why(&failure) == REFUSED {
                self.refused.push(failure);
            }
            Value::Null
        });
        self.parts.insert(part.to_owned(), value);
    }

    /// All of it, and how the command ends.
    ///
    /// # Errors
    /// Nothing was told at all: why.
    fn finish(mut self) -> Result<(Value, Exit), Failure> {
        if self.parts.values().all(Value::is_null) && !self.refused.is_empty() {
            return Err(self.refused.swap_remove(0));
        }
        let exit = if self.refused.is_empty() { Exit::Done } else { Exit::Partly };
        self.parts.insert("missing".to_owned(), Value::Array(self.missing));
        Ok((Value::Object(self.parts), exit))
    }
}

const REFUSED: &str = "refused";
const UNSUPPORTED: &str = "unsupported";
const OFF: &str = "off";

/// Why a part is missing, in a word: `off` where the cluster has no such thing, or does not tell of it over such a connection.
fn why(failure: &Failure) -> &'static str {
    use ResponseError as E;
    match failure.code().and_then(ResponseError::try_from_code) {
        Some(E::SecurityDisabled | E::DelegationTokenAuthDisabled | E::DelegationTokenRequestNotAllowed) => OFF,
        Some(E::UnsupportedVersion) => UNSUPPORTED,
        None if failure.is_unsupported() => UNSUPPORTED,
        _ => REFUSED,
    }
}

/// The only row of a table.
fn first(table: &Table) -> Value {
    table.value().as_array_mut().and_then(Vec::pop).unwrap_or_default()
}

async fn topics(cluster: &mut Cluster) -> Result<Value, Failure> {
    let mut topics = cluster.topics(None).await?;
    let described = cluster.add_eligible_leaders(&mut topics).await;
    // Who leads and follows is known without it.
    if let Err(error) = described
        && !matches!(error, CallError::Refused { .. } | CallError::Unsupported { .. })
    {
        return Err(error.into());
    }
    topics.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(topics.iter().map(topic).collect())
}

fn topic(topic: &TopicView) -> Value {
    let TopicView { name, id, is_internal, partitions, error_code } = topic;
    let error = (*error_code != 0).then(|| crate::client::code::name(*error_code));
    let partitions: Vec<Value> = partitions.iter().map(partition).collect();
    json!({ "topic": name, "id": id, "internal": is_internal, "error": error, "partitions": partitions })
}

fn partition(partition: &PartitionView) -> Value {
    let PartitionView { index, leader, leader_epoch, replicas, isr, elr, last_known_elr } = partition;
    json!({
        "partition": index,
        "leader": leader,
        "leader_epoch": leader_epoch,
        "replicas": replicas,
        "in_sync": isr,
        "eligible": elr,
        "last_known_eligible": last_known_elr,
    })
}

/// What was set, by whose it is; a value that nobody is shown is null.
fn settings(own: configs::OwnSettings) -> Value {
    let set = own.into_iter().filter(|(_, settings)| !settings.is_empty()).map(|(resource, settings)| {
        let values = settings.into_iter().map(|setting| {
            let value = setting.value.filter(|_| !setting.is_sensitive);
            (setting.name.to_string(), value.map_or(Value::Null, |value| json!(value.as_str())))
        });
        (resource.to_string(), Value::Object(values.collect()))
    });
    Value::Object(set.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(error: ResponseError) -> Result<Value, Failure> {
        Err(Failure::refused("list", error.code(), None))
    }

    #[test]
    fn a_part_that_is_refused_is_said_to_be_missing_and_the_others_are_there() {
        let mut dump = Dump::default();
        dump.add("topics", Ok(json!([])));
        dump.add("acls", refused(ResponseError::SecurityDisabled));
        let missing = dump.missing.clone();
        assert_eq!(missing[0]["why"], OFF);
        assert!(dump.refused.is_empty(), "what is not there at all is not refused");
        dump.add("users", refused(ResponseError::ClusterAuthorizationFailed));
        let (document, exit) = dump.finish().unwrap();
        assert_eq!(exit, Exit::Partly);
        assert_eq!((&document["topics"], &document["users"]), (&json!([]), &Value::Null));
        assert_eq!(
            (&document["missing"][1]["part"], &document["missing"][1]["why"]),
            (&json!("users"), &json!(REFUSED))
        );
    }

    #[test]
    fn with_nothing_told_the_first_refusal_ends_it() {
        let mut dump = Dump::default();
        dump.add("cluster", refused(ResponseError::ClusterAuthorizationFailed));
        assert_eq!(dump.finish().unwrap_err().exit(), Exit::Denied);
    }
}
