//! Quotas as kafka-configs describes and changes them.

use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::describe_client_quotas_response::EntryData as Described;
use kafka_protocol::messages::{AlterClientQuotasRequest, DescribeClientQuotasRequest};
use kafka_protocol::protocol::StrBytes;

use super::Changes;
use super::entity::{Entities, EntityKind};
use crate::cli::failure::Failure;
use crate::cli::shims::{java_exception, java_message};
use crate::client::Cluster;

/// The last version whose fields are all understood here, of both APIs.
const VERSION: i16 = 1;
/// Kafka's match types.
const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const ANY: i8 = 2;
/// Kafka's words for the parts of an entity, and those that the tool shows, in its order.
const PARTS: [(EntityKind, &str, &str); 3] = [
    (EntityKind::User, "user", "user-principal"),
    (EntityKind::Client, "client-id", "client-id"),
    (EntityKind::Ip, "ip", "ip"),
];

fn word(kind: EntityKind) -> &'static str {
    PARTS.iter().find(|(known, ..)| *known == kind).map_or("", |(_, word, _)| word)
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// The quotas of exactly these types; a type without a name means every one that has one.
pub(super) async fn found(entities: &Entities, cluster: &mut Cluster) -> Result<Vec<Described>, Failure> {
    let component = |(at, kind): (usize, &EntityKind)| {
        let component = ComponentData::default().with_entity_type(text(word(*kind))).with_match(None);
        match entities.names.get(at).map(String::as_str) {
            Some("") => component.with_match_type(DEFAULT),
            Some(name) => component.with_match_type(EXACT).with_match(Some(text(name))),
            None => component.with_match_type(ANY),
        }
    };
    let request = DescribeClientQuotasRequest::default()
        .with_components(entities.kinds.iter().enumerate().map(component).collect())
        .with_strict(true);
    let broker = cluster.any();
    let version = broker.version_of::<DescribeClientQuotasRequest>(VERSION)?;
    let answer = broker.call(&request, version).await?;
    match answer.error_code {
        0 => Ok(answer.entries.unwrap_or_default()),
        code => Err(java_exception(code, answer.error_message.as_deref()).into()),
    }
}

/// One line of what is described.
pub(super) fn line(entry: &Described) -> String {
    let part = |(_, word, shown): &(EntityKind, &str, &str)| {
        let part = entry.entity.iter().find(|part| part.entity_type.as_str() == *word)?;
        Some(match &part.entity_name {
            Some(name) => format!("{shown} '{name}'"),
            None => format!("the default {shown}"),
        })
    };
    let whose: Vec<String> = PARTS.iter().filter_map(part).collect();
    let values = entry.values.iter().map(|value| format!("{}={}", value.key, java_double(value.value)));
    format!("Quota configs for {} are {}\n", whose.join(", "), values.collect::<Vec<_>>().join(", "))
}

pub(super) async fn alter(entities: &Entities, changes: &Changes, cluster: &mut Cluster) -> Result<(), Failure> {
    let there = found(entities, cluster).await?;
    let has = |key: &&String| there.iter().flat_map(|entry| &entry.values).any(|value| value.key.as_str() == **key);
    let absent: Vec<&str> = changes.delete.iter().filter(|key| !has(key)).map(String::as_str).collect();
    if !absent.is_empty() {
        return Err(Failure::usage(format!("Invalid config(s): {}", absent.join(","))));
    }
    let part = |(kind, name): (&EntityKind, &String)| {
        EntityData::default()
            .with_entity_type(text(word(*kind)))
            .with_entity_name(Some(name.as_str()).filter(|name| !name.is_empty()).map(text))
    };
    let set = changes.add.iter().map(|(key, value)| {
        let wrong = || Failure::usage(format!("Cannot parse quota configuration value for {key}: {value}"));
        Ok(OpData::default().with_key(text(key)).with_value(value.parse().map_err(|_| wrong())?))
    });
    let mut ops = set.collect::<Result<Vec<OpData>, Failure>>()?;
    ops.extend(changes.delete.iter().map(|key| OpData::default().with_key(text(key)).with_remove(true)));
    let entity = entities.kinds.iter().zip(&entities.names).map(part).collect();
    let entry = EntryData::default().with_entity(entity).with_ops(ops);
    let request = |_| AlterClientQuotasRequest::default().with_entries(vec![entry.clone()]);
    let answer = cluster.ask_controller(VERSION, request, |_| 0).await?;
    match answer.entries.first() {
        Some(outcome) if outcome.error_code != 0 => {
            Err(java_message(outcome.error_code, outcome.error_message.as_deref()).into())
        }
        _ => Ok(()),
    }
}

/// A number as Java's `Double.toString` writes it.
fn java_double(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e7).contains(&size) || !value.is_finite() {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::describe_client_quotas_response::{EntityData as Part, ValueData};

    use super::*;

    #[test]
    fn numbers_are_written_as_java_writes_them() {
        let shown = [0.0, 1000.0, 12.5, 9_999_999.0, 1e7, 10_485_760.0, 0.000_5].map(java_double);
        assert_eq!(shown, ["0.0", "1000.0", "12.5", "9999999.0", "1.0E7", "1.048576E7", "5.0E-4"]);
    }

    #[test]
    fn whose_quotas_is_told_in_the_tools_words() {
        let part = |kind: &str, name: Option<&str>| {
            Part::default().with_entity_type(text(kind)).with_entity_name(name.map(text))
        };
        let entry = Described::default()
            .with_entity(vec![part("client-id", None), part("user", Some("u"))])
            .with_values(vec![ValueData::default().with_key(text("consumer_byte_rate")).with_value(5.0)]);
        assert_eq!(
            line(&entry),
            "Quota configs for user-principal 'u', the default client-id are consumer_byte_rate=5.0\n"
        );
    }
}
