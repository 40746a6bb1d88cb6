//! AlterClientQuotas (key 49): sets and removes quotas of users, client ids, both together, and addresses (KIP-546).
//!
//! Each entity stands for itself: one that is refused does not hold up the others.
//!
//! Where it differs from Apache Kafka: a value that is not a finite number is refused (Kafka stores NaN); an address by
//! a host's name is refused, since it would be looked up anew by each broker; more than 10,000 changes in one request
//! are refused as a whole with POLICY_VIOLATION; answers are in the order of the request.
//!
//! Versions: 0; 1 flexible.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::{AlteredQuotas, QuotaEntity, QuotaName, QuotaValue};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::alter_client_quotas_request::{EntryData, OpData};
use kafka_protocol::messages::alter_client_quotas_response::{EntityData, EntryData as Answer};
use kafka_protocol::messages::{AlterClientQuotasRequest, AlterClientQuotasResponse};
use kafka_protocol::protocol::StrBytes;

use super::{CLIENT_ID, IP, USER, part_mut};
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::error_code::ErrorCode;
use crate::api::shape::{boolean, int64, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};

/// AlterClientQuotas.
pub struct AlterClientQuotas;

/// Changes in one request, as in Kafka.
const CHANGES_MAX: usize = 10_000;
/// Above this, part of a whole number counts as a fraction, as in Kafka.
const FRACTION: f64 = 1e-6;

impl Api for AlterClientQuotas {
    type Request = AlterClientQuotasRequest;
    const NAME: &'static str = "AlterClientQuotas";
    const VERSIONS: Versions = Versions::new(0, 1);
    const SHAPE: Shape = Shape {
        flexible: 1,
        fields: &[
            structs(&[structs(&[text(), text().nullable(0)]), structs(&[text(), int64(), boolean()])]),
            boolean(),
        ],
    };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::AlterConfigs, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::Controller;
}

/// A code and Kafka's message.
type Refused = (ResponseError, String);

impl OneStage for AlterClientQuotas {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<AlterClientQuotasResponse, CloseReason> {
        let mut outcomes: Vec<Result<AlteredQuotas, Refused>> =
            if !context.allowed(Operation::AlterConfigs, ResourceType::Cluster, CLUSTER_NAME) {
                let refused = (ResponseError::ClusterAuthorizationFailed, "Cluster authorization failed.".to_owned());
                request.entries.iter().map(|_| Err(refused.clone())).collect()
            } else if request.entries.iter().map(|entry| entry.ops.len()).sum::<usize>() > CHANGES_MAX {
                let message = "Unable to perform excessively large batch operation.".to_owned();
                request.entries.iter().map(|_| Err((ResponseError::PolicyViolation, message.clone()))).collect()
            } else {
                check_all(&request.entries)
            };
        let altered: Vec<AlteredQuotas> = outcomes.iter().filter_map(|outcome| outcome.clone().ok()).collect();
        if !request.validate_only
            && !altered.is_empty()
            && let Err(error) = context.broker.controller.alter_client_quotas(altered).await
        {
            for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_ok()) {
                *outcome = Err((error.code(), error.to_string()));
            }
        }
        if !request.validate_only {
            request.entries.iter().zip(&outcomes).for_each(|(entry, outcome)| tell(&context, entry, outcome));
        }
        let entries = request.entries.into_iter().zip(outcomes).map(|(entry, outcome)| answer(entry, outcome.err()));
        Ok(AlterClientQuotasResponse::default().with_entries(entries.collect()))
    }

    fn error_codes(response: &AlterClientQuotasResponse) -> impl IntoIterator<Item = i16> {
        response.entries.iter().map(|entry| entry.error_code)
    }
}

fn tell(context: &RequestContext, entry: &EntryData, outcome: &Result<AlteredQuotas, Refused>) {
    context.tell(Activity::Update, outcome.as_ref().err().map(|(code, _)| *code), || {
        let part =
            |kind: &str, name: Option<&StrBytes>| format!("{kind}={}", name.map_or("<default>", |name| name.as_str()));
        let parts = entry.entity.iter().map(|one| part(&one.entity_type, one.entity_name.as_ref()));
        let value = |op: &OpData| if op.remove { "removed".to_owned() } else { op.value.to_string() };
        let ops = entry.ops.iter().map(|op| format!("{}={}", op.key.as_str(), value(op)));
        let ops: Vec<String> = ops.collect();
        Subject::new("QUOTA", &parts.collect::<Vec<_>>().join(",")).with("quotas", ops.join(","))
    });
}

fn answer(entry: EntryData, refused: Option<Refused>) -> Answer {
    let part = |part: kafka_protocol::messages::alter_client_quotas_request::EntityData| {
        EntityData::default().with_entity_type(part.entity_type).with_entity_name(part.entity_name)
    };
    let answer = Answer::default().with_entity(entry.entity.into_iter().map(part).collect()).with_error_message(None);
    match refused {
        None => answer,
        Some((code, message)) => {
            answer.with_error_code(code.code()).with_error_message(Some(StrBytes::from_string(message)))
        }
    }
}

fn check_all(entries: &[EntryData]) -> Vec<Result<AlteredQuotas, Refused>> {
    let (mut seen, mut outcomes) = (HashSet::new(), Vec::with_capacity(entries.len()));
    for entry in entries {
        // Kafka gathers an entity's parts in a map: of two of a kind the last one counts.
        let named: BTreeMap<&str, Option<&str>> =
            entry.entity.iter().map(|part| (&*part.entity_type, part.entity_name.as_deref())).collect();
        let outcome = check(&named, &entry.ops);
        let duplicate = || invalid(format!("Ignoring duplicate entity {}", shown(&named)));
        outcomes.push(if seen.contains(&named) { duplicate() } else { outcome });
        seen.insert(named);
    }
    outcomes
}

/// An entity as Kafka writes it into messages.
fn shown(named: &BTreeMap<&str, Option<&str>>) -> String {
    let parts: Vec<String> = named.iter().map(|(kind, name)| format!("{kind}={}", name.unwrap_or("null"))).collect();
    format!("ClientQuotaEntity(entries={{{}}})", parts.join(", "))
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Refused> {
    Err((ResponseError::InvalidRequest, message.into()))
}

/// In Kafka's order of checks.
fn check(named: &BTreeMap<&str, Option<&str>>, ops: &[OpData]) -> Result<AlteredQuotas, Refused> {
    let mut keys = HashMap::new();
    for op in ops {
        if keys.insert(&*op.key, op).is_some() {
            let (key, entity) = (&op.key, shown(named));
            return invalid(format!(
                "Duplicate quota key {} not updating quota for this entity {entity}",
                key.as_str()
            ));
        }
    }
    let entity = check_entity(named)?;
    let mut values = BTreeMap::new();
    for (key, op) in keys {
        let value = if op.remove { None } else { Some(check_value(&entity, key, op.value)?) };
        values.insert(key.to_owned(), value);
    }
    Ok(AlteredQuotas { entity, values })
}

fn check_entity(named: &BTreeMap<&str, Option<&str>>) -> Result<QuotaEntity, Refused> {
    if named.is_empty() {
        return invalid("Invalid empty client quota entity");
    }
    let mut entity = QuotaEntity::default();
    for (kind, name) in named {
        let Some(part) = part_mut(&mut entity, kind) else {
            return invalid(format!("Unhandled client quota entity type: {kind}"));
        };
        if *name == Some("") {
            return invalid(format!("Empty {kind} not supported"));
        }
        *part = Some(QuotaName::of(*name));
    }
    if named.contains_key(IP) && (named.contains_key(USER) || named.contains_key(CLIENT_ID)) {
        // Kafka's message lacks the space too.
        return invalid("Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId");
    }
    match named.get(IP) {
        Some(Some(ip)) if ip.parse::<IpAddr>().is_err() => {
            invalid(format!("{ip} is not a valid IP or resolvable host."))
        }
        _ => Ok(entity),
    }
}

/// What a value of a quota must be.
#[derive(Clone, Copy)]
enum Type {
    /// A whole number up to this one, and Kafka's name of its type.
    Whole(f64, &'static str),
    Double,
}

fn type_of(entity: &QuotaEntity, key: &str) -> Option<Type> {
    match key {
        "connection_creation_rate" if entity.ip.is_some() => Some(Type::Whole(f64::from(i32::MAX), "an INT")),
        "producer_byte_rate" | "consumer_byte_rate" if entity.ip.is_none() => {
            Some(Type::Whole(i64::MAX as f64, "a LONG"))
        }
        "request_percentage" | "controller_mutation_rate" if entity.ip.is_none() => Some(Type::Double),
        _ => None,
    }
}

fn check_value(entity: &QuotaEntity, key: &str, value: f64) -> Result<QuotaValue, Refused> {
    let Some(kind) = type_of(entity, key) else { return invalid(format!("Invalid configuration key {key}")) };
    if value <= 0.0 || !value.is_finite() {
        return invalid(format!("Quota {key} must be greater than 0"));
    }
    match kind {
        Type::Whole(most, name) if value > most => {
            invalid(format!("Proposed value for {key} is too large for {name}."))
        }
        Type::Whole(..) if value.fract() > FRACTION => invalid(format!("{key} cannot be a fractional value.")),
        Type::Whole(..) | Type::Double => Ok(QuotaValue::new(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(entity: &[(&str, Option<&str>)], key: &str, value: f64) -> String {
        let op = OpData::default().with_key(StrBytes::from_string(key.to_owned())).with_value(value);
        check(&entity.iter().copied().collect(), &[op]).err().map(|(_, message)| message).unwrap_or_default()
    }

    #[test]
    fn what_kafka_refuses_is_refused_in_its_words() {
        let (user, ip) = ([("user", Some("a"))], [("ip", None)]);
        for (entity, key, value, message) in [
            (&[][..], "producer_byte_rate", 1.0, "Invalid empty client quota entity"),
            (&[("group", None)][..], "x", 1.0, "Unhandled client quota entity type: group"),
            (&[("user", Some(""))][..], "x", 1.0, "Empty user not supported"),
            (&[("ip", Some("1.2.3"))][..], "x", 1.0, "1.2.3 is not a valid IP or resolvable host."),
            (&user[..], "connection_creation_rate", 1.0, "Invalid configuration key connection_creation_rate"),
            (&ip[..], "producer_byte_rate", 1.0, "Invalid configuration key producer_byte_rate"),
            (&user[..], "producer_byte_rate", 0.0, "Quota producer_byte_rate must be greater than 0"),
            (&user[..], "producer_byte_rate", f64::NAN, "Quota producer_byte_rate must be greater than 0"),
            (&user[..], "producer_byte_rate", 1.5, "producer_byte_rate cannot be a fractional value."),
            (&user[..], "consumer_byte_rate", 1e19, "Proposed value for consumer_byte_rate is too large for a LONG."),
            (
                &ip[..],
                "connection_creation_rate",
                3e9,
                "Proposed value for connection_creation_rate is too large for an INT.",
            ),
            (&user[..], "request_percentage", 0.5, ""),
            (&ip[..], "connection_creation_rate", 5.0, ""),
            (&[("user", None), ("client-id", Some("c"))][..], "controller_mutation_rate", 1.0, ""),
        ] {
            assert_eq!(refused(entity, key, value), message, "{entity:?} {key} {value}");
        }
    }

    #[test]
    fn an_entity_or_a_key_that_is_named_twice_is_refused() {
        let part = kafka_protocol::messages::alter_client_quotas_request::EntityData::default()
            .with_entity_type(StrBytes::from_static_str("user"))
            .with_entity_name(Some(StrBytes::from_static_str("a")));
        let op = OpData::default().with_key(StrBytes::from_static_str("request_percentage")).with_value(1.0);
        let entry = EntryData::default().with_entity(vec![part]).with_ops(vec![op.clone()]);
        let twice = entry.clone().with_ops(vec![op.clone(), op]);
        let outcomes = check_all(&[entry.clone(), entry]);
        assert!(outcomes[0].is_ok());
        let message = outcomes[1].as_ref().unwrap_err().1.as_str();
        assert_eq!(message, "Ignoring duplicate entity ClientQuotaEntity(entries={user=a})");
        assert!(
            check_all(&[twice])[0].as_ref().unwrap_err().1.starts_with("Duplicate quota key request_percentage not")
        );
    }
}
