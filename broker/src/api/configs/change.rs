//! How settings change: what both altering APIs share. Each resource is judged on its own: it changes as a whole or
//! not at all.
//!
//! A change is judged against the settings as they are now, and made only if they still are so: whoever comes second
//! is judged again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use barnabas_auth::Operation;
use barnabas_config::dynamic::{ListChange, change_list, changed, check_broker_change};
use barnabas_config::setting::Kind;
use barnabas_config::{TopicConfig, Values, client_metrics, group, table};
use barnabas_raft::metadata::resource_configs::{Resource, ResourceKind};
use barnabas_raft::{AlterConfigError, ConfigChange, ConfigOwner, MetadataImage};
use kafka_protocol::error::ResponseError;

use super::owner::{OwnerKind, check_broker};
use crate::api::RequestContext;
use crate::api::refusal::Refusal;
use crate::audit::event::{Activity, Subject};
use crate::limits::{ALTERED_SETTINGS_MAX, CONFIG_RACES_MAX};
use crate::topics::check_name;

/// Settings whose names the audit is told of one request.
const TOLD_SETTINGS_MAX: usize = 64;

/// What is to happen to one setting.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Set(Option<String>),
    Delete,
    List(ListChange, Option<String>),
    /// A number that stands for nothing.
    Unknown(i8),
}

/// What is to happen to the settings of one resource.
pub(super) struct Wanted {
    pub(super) number: i8,
    pub(super) name: String,
    /// What is not named goes.
    pub(super) replace: bool,
    pub(super) changes: Vec<(String, Change)>,
}

/// Makes the changes; the outcomes in the order of the request.
pub(super) async fn make(context: &RequestContext, wanted: &[Wanted], validate_only: bool) -> Vec<Result<(), Refusal>> {
    if wanted.iter().map(|one| one.changes.len()).sum::<usize>() > ALTERED_SETTINGS_MAX {
        let message = "Unable to perform excessively large batch operation.";
        return vec![Err(Refusal::new(ResponseError::PolicyViolation, message)); wanted.len()];
    }
    let mut times: HashMap<(i8, &str), usize> = HashMap::new();
    for one in wanted {
        *times.entry((one.number, &*one.name)).or_default() += 1;
    }
    let twice = |one: &Wanted| times.get(&(one.number, &*one.name)).is_some_and(|times| *times > 1);
    let mut outcomes: Vec<Option<Result<(), Refusal>>> =
        wanted.iter().map(|one| preprocess(context, one, twice(one), validate_only).transpose()).collect();
    for _ in 0..CONFIG_RACES_MAX {
        let open: Vec<usize> =
            (0..).zip(&outcomes).filter(|(_, outcome)| outcome.is_none()).map(|(at, _)| at).collect();
        if open.is_empty() {
            break;
        }
        let (mut changes, mut places) = (Vec::new(), Vec::new());
        let image = context.broker.controller.image();
        for at in open {
            let judged = match judge(context, &image, &wanted[at]) {
                Ok(change) => try_out(context, &change).await.map(|()| change),
                Err(refusal) => Err(refusal),
            };
            match judged {
                Ok(change) => {
                    changes.push(change);
                    places.push(at);
                }
                Err(refusal) => outcomes[at] = Some(Err(refusal)),
            }
        }
        let made = context.broker.controller.alter_configs(changes, validate_only).await;
        for (number, at) in places.into_iter().enumerate() {
            outcomes[at] = match &made {
                Err(error) => Some(Err(Refusal::of(error))),
                Ok(made) => match made.get(number) {
                    Some(Err(AlterConfigError::Raced | AlterConfigError::UnknownTopic(_))) => None,
                    Some(Ok(())) | None => Some(Ok(())),
                },
            };
        }
    }
    let raced = || Err(Refusal::of(&AlterConfigError::Raced));
    let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(raced)).collect();
    if !validate_only {
        wanted.iter().zip(&outcomes).for_each(|(one, outcome)| tell(context, one, outcome));
        read_files_again(context, wanted, &outcomes).await;
    }
    outcomes
}

/// Listeners have to be able to do what a broker's settings are to become: files are read for it, which are nobody's to ask
/// after who may not change settings.
async fn try_out(context: &RequestContext, change: &ConfigChange) -> Result<(), Refusal> {
    let ConfigOwner::Resource(Resource { kind: ResourceKind::Broker, name }) = &change.owner else { return Ok(()) };
    // What is not touched is not judged: it may be what keeps a listener at the files' settings since the start.
    let (tls, sasl) = (is_touched(change, "ssl."), is_touched(change, "sasl."));
    if !(tls || sasl) {
        return Ok(());
    }
    let broker = Arc::clone(&context.broker);
    let config = broker.settings.with(!name.is_empty(), change.after.clone());
    let (certificates, logins) = (Arc::clone(&broker.certificates), Arc::clone(&broker.logins));
    let tried = broker.tasks.blocking(move || {
        let checked = if tls { certificates.check(&config).map_err(|error| error.to_string()) } else { Ok(()) };
        checked.and_then(|()| if sasl { logins.check(&config).map_err(|error| error.to_string()) } else { Ok(()) })
    });
    let refused = |reason| invalid(format!("Invalid value {reason} for configuration Invalid dynamic configuration"));
    tried.await.or_else(refused)
}

/// Whether a setting with this beginning changes, of all listeners or of one.
fn is_touched(change: &ConfigChange, beginning: &str) -> bool {
    let of_family = |name: &str| match name.strip_prefix("listener.name.") {
        Some(of_listener) => of_listener.contains(&format!(".{beginning}")),
        None => name.starts_with(beginning),
    };
    let differs = |name: &String| change.before.get(name) != change.after.get(name);
    change.before.keys().chain(change.after.keys()).any(|name| of_family(name) && differs(name))
}

/// Whatever changes of one broker, Kafka looks at its key and trust stores: one sets the same path again to have it read.
async fn read_files_again(context: &RequestContext, wanted: &[Wanted], outcomes: &[Result<(), Refusal>]) {
    let is_broker = |one: &Wanted| OwnerKind::of(one.number) == Some(OwnerKind::Broker) && !one.name.is_empty();
    if wanted.iter().zip(outcomes).any(|(one, outcome)| is_broker(one) && outcome.is_ok()) {
        let certificates = Arc::clone(&context.broker.certificates);
        context.broker.tasks.blocking(move || certificates.reload_when_changed()).await;
    }
}

/// The names of settings only: a value may be a secret.
fn tell(context: &RequestContext, wanted: &Wanted, outcome: &Result<(), Refusal>) {
    context.tell(Activity::Update, outcome.as_ref().err().map(|refusal| refusal.code), || {
        let kind = OwnerKind::of(wanted.number).map_or("UNKNOWN", OwnerKind::name);
        let names = wanted.changes.iter().map(|(name, change)| match change {
            Change::Set(_) => name.clone(),
            Change::Delete => format!("-{name}"),
            Change::List(..) | Change::Unknown(_) => format!("+{name}"),
        });
        let names: Vec<String> = names.take(TOLD_SETTINGS_MAX).collect();
        let settings = names.join(",");
        let mode = if wanted.replace { "all" } else { "named" };
        Subject::new(kind, &wanted.name).with("settings", settings).with("replaced", mode)
    });
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(ResponseError::InvalidRequest, message))
}

fn invalid_value<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(ResponseError::InvalidConfig, message))
}

/// What can be said of the request alone, in Kafka's order. `Some` when that is all: levels of the log.
fn preprocess(
    context: &RequestContext,
    wanted: &Wanted,
    twice: bool,
    validate_only: bool,
) -> Result<Option<()>, Refusal> {
    if twice {
        return invalid("Each resource must appear at most once.");
    }
    let mut seen = HashSet::new();
    if !wanted.changes.iter().all(|(name, _)| seen.insert(name)) {
        return invalid("Error due to duplicate config keys");
    }
    let is_null = |change: &Change| matches!(change, Change::Set(None) | Change::List(_, None));
    let null: Vec<&str> =
        wanted.changes.iter().filter(|(_, change)| is_null(change)).map(|(name, _)| name.as_str()).collect();
    if !null.is_empty() {
        return invalid(format!("Null value not supported for : {}", null.join(", ")));
    }
    if let Some(Change::Unknown(number)) =
        wanted.changes.iter().map(|(_, change)| change).find(|change| matches!(change, Change::Unknown(_)))
    {
        return invalid(format!("Unknown operations type {number}"));
    }
    match OwnerKind::of(wanted.number) {
        None => invalid(format!("Unknown resource type {}", wanted.number)),
        Some(OwnerKind::BrokerLogger) if wanted.replace => invalid("Unknown resource type 8"),
        Some(OwnerKind::BrokerLogger) => set_levels(context, wanted, validate_only).map(Some),
        Some(OwnerKind::Broker) if !wanted.name.is_empty() => {
            let this = context.broker.id;
            check_broker(&wanted.name, this, "Node", &format!("{}, but", this.0)).map(|()| None)
        }
        Some(OwnerKind::Broker | OwnerKind::Topic | OwnerKind::ClientMetrics | OwnerKind::Group) => Ok(None),
    }
}

/// Levels of the log are this process's: they are set here and not stored.
fn set_levels(context: &RequestContext, wanted: &Wanted, validate_only: bool) -> Result<(), Refusal> {
    OwnerKind::BrokerLogger.authorize(context, Operation::AlterConfigs, &wanted.name)?;
    let this = context.broker.id;
    check_broker(&wanted.name, this, "Node", &format!("{}, but", this.0))?;
    let loggers = &context.broker.loggers;
    let mut levels = Vec::new();
    for (logger, change) in &wanted.changes {
        let level = match change {
            Change::Set(level) => level.as_deref(),
            Change::Delete | Change::Unknown(_) => None,
            Change::List(change, _) => {
                let message = format!("{} operation is not allowed for the BROKER_LOGGER resource", verb(*change));
                return invalid(message);
            }
        };
        loggers.check(logger, level).map_err(|error| Refusal::of(&error))?;
        levels.push((logger, level));
    }
    if !validate_only {
        levels.into_iter().for_each(|(logger, level)| loggers.set(logger, level));
    }
    Ok(())
}

/// Kafka's word.
fn verb(change: ListChange) -> &'static str {
    match change {
        ListChange::Append => "APPEND",
        ListChange::Subtract => "SUBTRACT",
    }
}

/// What a resource's settings are and what they are to be.
fn judge(context: &RequestContext, image: &MetadataImage, wanted: &Wanted) -> Result<ConfigChange, Refusal> {
    let Some(kind) = OwnerKind::of(wanted.number) else { return invalid("Unknown resource type") };
    let resource = |kind| Resource { kind, name: wanted.name.clone() };
    match kind {
        OwnerKind::Topic => judge_topic(context, image, wanted),
        OwnerKind::Broker => {
            let resource = resource(ResourceKind::Broker);
            let before = image.resource_configs(&resource);
            let after = of_broker(before, wanted)?;
            let of_one = !wanted.name.is_empty();
            check_broker_change(&after, of_one).or_else(|error| invalid(error.to_string()))?;
            kind.authorize(context, Operation::AlterConfigs, &wanted.name)?;
            Ok(ConfigChange { before: before.clone(), after, owner: ConfigOwner::Resource(resource) })
        }
        OwnerKind::ClientMetrics | OwnerKind::BrokerLogger => {
            kind.authorize(context, Operation::AlterConfigs, &wanted.name)?;
            let resource = resource(ResourceKind::ClientMetrics);
            let before = image.resource_configs(&resource);
            let after = of_others(before, wanted, |_| None)?;
            client_metrics::validate(&wanted.name, &after, crate::telemetry::is_pattern)
                .map_err(|error| Refusal::of(&error))?;
            Ok(ConfigChange { before: before.clone(), after, owner: ConfigOwner::Resource(resource) })
        }
        OwnerKind::Group => {
            kind.authorize(context, Operation::AlterConfigs, &wanted.name)?;
            let resource = resource(ResourceKind::Group);
            let before = image.resource_configs(&resource);
            let after = of_others(before, wanted, |_| None)?;
            if wanted.name.is_empty() {
                return invalid("Default group resources are not allowed.");
            }
            let broker = context.broker.settings.config();
            group::validate(&broker, &after).map_err(|error| Refusal::of(&error))?;
            Ok(ConfigChange { before: before.clone(), after, owner: ConfigOwner::Resource(resource) })
        }
    }
}

fn judge_topic(context: &RequestContext, image: &MetadataImage, wanted: &Wanted) -> Result<ConfigChange, Refusal> {
    OwnerKind::Topic.authorize(context, Operation::AlterConfigs, &wanted.name)?;
    let topic = image.topic(&wanted.name);
    let before = topic.map_or_else(Values::new, |topic| topic.configs.clone());
    let list_default = |name: &str| table::topic(name).filter(|row| row.kind == Kind::List)?.default;
    let after = of_others(&before, wanted, list_default)?;
    if wanted.name.is_empty() {
        return invalid("Default topic resources are not allowed.");
    }
    check_name(&wanted.name).map_err(|error| Refusal::of(&error))?;
    TopicConfig::validate(&after).map_err(|error| Refusal::of(&error))?;
    let Some(topic) = topic else {
        let message = format!("The topic '{}' does not exist.", wanted.name);
        return Err(Refusal::new(ResponseError::UnknownTopicOrPartition, message));
    };
    Ok(ConfigChange { before, after, owner: ConfigOwner::Topic(topic.id) })
}

/// A broker's settings after the changes. Lists begin with the table's default.
fn of_broker(before: &Values, wanted: &Wanted) -> Result<Values, Refusal> {
    after(before, wanted, |present, name, change, elements| {
        change_list(name, present, change, elements).or_else(|error| invalid_value(error.to_string()))
    })
}

/// The settings of anything else after the changes; `list_default` knows which are lists.
fn of_others(
    before: &Values,
    wanted: &Wanted,
    list_default: impl Fn(&str) -> Option<&'static str>,
) -> Result<Values, Refusal> {
    after(before, wanted, |present, name, change, elements| match list_default(name) {
        Some(default) => Ok(changed(present.unwrap_or(default), change, elements)),
        None => invalid_value(format!("Can't {} to key {name} because its type is not LIST.", verb(change))),
    })
}

fn after(
    before: &Values,
    wanted: &Wanted,
    list: impl Fn(Option<&str>, &str, ListChange, &str) -> Result<String, Refusal>,
) -> Result<Values, Refusal> {
    let mut after = if wanted.replace { Values::new() } else { before.clone() };
    for (name, change) in &wanted.changes {
        match change {
            Change::Set(Some(value)) => drop(after.insert(name.clone(), value.clone())),
            Change::List(change, Some(elements)) => {
                let value = list(after.get(name).map(String::as_str), name, *change, elements)?;
                after.insert(name.clone(), value);
            }
            Change::Delete => drop(after.remove(name)),
            // Refused before.
            Change::Set(None) | Change::List(_, None) | Change::Unknown(_) => {}
        }
    }
    Ok(after)
}
