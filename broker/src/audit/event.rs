//! An event of the audit and its JSON: the Open Cybersecurity Schema Framework (OCSF 1.3.0), so that the collectors of a
//! security team read it as it is. What is done over the API is an API Activity (6003), what changes users, rules and quotas
//! an Entity Management (3004), a login an Authentication (3002); that events were lost is a base event.
//!
//! Invariants:
//! 1. No secret is in an event: no password, salt, key, token or record, and no value of a setting.
//! 2. An event has a bounded size: each text of a peer's is cut at [`AUDIT_TEXT_BYTES_MAX`](crate::limits::AUDIT_TEXT_BYTES_MAX).
//!
//! Of a login or a handshake that failed the user is whom the peer claimed to be, as it wrote it, and unproven: OCSF wants whoever was to
//! be authenticated. Somebody who types a password in the name's place has it written there; of the password's own place nothing is.

use std::net::SocketAddr;
use std::sync::Arc;

use barnabas_storage::Timestamp;
use serde_json::{Map, Value, json};

mod text;

pub use text::Text;

const SCHEMA: &str = "1.3.0";

/// Something that is told to the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it was, or when it was first.
    pub time: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub deed: Deed,
    /// When the event stands for several that were alike, of a time: how many, and when the last one was.
    pub repeats: Option<(u64, Timestamp)>,
}

/// Who does something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who the connection is; of a login or a handshake that failed whom the peer claimed to be, where that is known.
    pub principal: Option<Text>,
    /// What the client calls itself.
    pub client_id: Text,
    /// The peer's side of the connection.
    pub peer: SocketAddr,
    /// Our side.
    pub local: SocketAddr,
    /// Name of the listener.
    pub listener: Arc<str>,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The authorizer said no.
    Denied {
        /// The API.
        api: &'static str,
        /// Kafka's name of the operation.
        operation: &'static str,
        /// What it was about.
        subject: Subject,
        /// The rule that denies; `None` when none allows.
        rule: Option<Text>,
    },
    /// An administrative operation.
    Operation {
        /// The API.
        api: &'static str,
        /// What kind of operation it is.
        activity: Activity,
        /// What it was about.
        subject: Subject,
        /// Kafka's error code and its name, when it was refused.
        refused: Option<(i16, String)>,
    },
    /// A login.
    Login {
        /// The mechanism of SASL, where it is known.
        mechanism: Option<&'static str>,
        /// Whether the connection is encrypted.
        is_encrypted: bool,
        /// What the client was told, when it failed.
        failed: Option<Text>,
    },
    /// A TLS handshake that was refused.
    Handshake {
        /// Which kind of refusal it is: one of few words.
        kind: &'static str,
        /// Why, and what to do about it.
        reason: Text,
    },
    /// Events were lost.
    Lost {
        /// How many.
        count: u64,
    },
}

/// OCSF's kinds of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Something is made.
    Create = 1,
    /// Something is looked at.
    Read = 2,
    /// Something is changed.
    Update = 3,
    /// Something is deleted.
    Delete = 4,
    /// None of these.
    Other = 99,
}

impl Activity {
    const fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::Other => "Other",
        }
    }
}

/// What an operation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its kind: Kafka's name of a resource type, or `USER`, `ACL`, `QUOTA`.
    pub kind: &'static str,
    /// Its name.
    pub name: Text,
    /// More about it, never a secret.
    pub details: Vec<(&'static str, Text)>,
}

impl Subject {
    /// Something without details.
    #[must_use]
    pub fn new(kind: &'static str, name: &str) -> Self {
        Self { kind, name: Text::of(name), details: Vec::new() }
    }

    /// With one more detail.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.details.push((name, Text::of(&value.to_string())));
        self
    }

    fn details(&self) -> Value {
        self.details
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value.as_str())))
            .collect::<Map<_, _>>()
            .into()
    }

    /// OCSF's number and name for what is administered as an entity: users and policies. `None` for what is not.
    fn entity_type(&self) -> Option<(u8, &'static str)> {
        match self.kind {
            "USER" => Some((2, "User")),
            "ACL" | "QUOTA" => Some((5, "Policy")),
            _ => None,
        }
    }
}

/// A class of OCSF: name and number, name and number of its category.
struct Class(&'static str, u32, &'static str, u32);

const BASE: Class = Class("Base Event", 0, "Uncategorized", 0);
const AUTHENTICATION: Class = Class("Authentication", 3002, "Identity & Access Management", 3);
const ENTITY_MANAGEMENT: Class = Class("Entity Management", 3004, "Identity & Access Management", 3);
const API_ACTIVITY: Class = Class("API Activity", 6003, "Application Activity", 6);

impl Event {
    /// Whether it tells of a refusal: those may be many, and are told together when they are alike.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match &self.deed {
            Deed::Denied { .. } => true,
            Deed::Operation { refused, .. } => refused.is_some(),
            Deed::Login { failed, .. } => failed.is_some(),
            Deed::Handshake { .. } => true,
            Deed::Lost { .. } => false,
        }
    }

    /// Whether it tells of a peer that has not shown who it is: anybody can make many of those.
    #[must_use]
    pub fn is_of_stranger(&self) -> bool {
        matches!(self.deed, Deed::Login { failed: Some(_), .. } | Deed::Handshake { .. })
    }

    /// One line of JSON without its end. `sequence` counts what this process has written, so that a gap shows.
    #[must_use]
    pub fn to_json(&self, node: i32, sequence: u64) -> String {
        let mut event = match &self.deed {
            Deed::Denied { api, operation, subject, rule } => self.denied(api, operation, subject, rule.as_ref()),
            Deed::Operation { api, activity, subject, refused } => match subject.entity_type() {
                Some(entity) => self.entity(api, *activity, subject, entity, refused.as_ref()),
                None => self.operation(api, *activity, subject, refused.as_ref()),
            },
            Deed::Login { mechanism, is_encrypted, failed } => self.login(*mechanism, *is_encrypted, failed.as_ref()),
            Deed::Handshake { kind, reason } => self.handshake(kind, reason),
            Deed::Lost { count } => lost(*count),
        };
        event.insert("time".to_owned(), json!(self.time.0));
        event.insert("metadata".to_owned(), metadata(sequence));
        if !matches!(self.deed, Deed::Lost { .. }) {
            let (peer, local) = (self.actor.peer, self.actor.local);
            let (peer_ip, local_ip) = (peer.ip().to_canonical().to_string(), local.ip().to_canonical().to_string());
            event.insert("src_endpoint".to_owned(), json!({"ip": peer_ip, "port": peer.port()}));
            let node = node.to_string();
            let local = json!({
                "ip": local_ip, "port": local.port(), "interface_name": &*self.actor.listener, "instance_uid": node,
            });
            event.insert("dst_endpoint".to_owned(), local);
        }
        if let Some((count, last)) = self.repeats {
            event.insert("count".to_owned(), json!(count));
            event.insert("start_time".to_owned(), json!(self.time.0));
            event.insert("end_time".to_owned(), json!(last.0));
        }
        Value::Object(event).to_string()
    }

    fn user(&self) -> Value {
        let name = self.actor.principal.as_ref().map_or("unknown", Text::as_str);
        json!({"name": name, "type_id": 0, "type": "Unknown"})
    }

    fn denied(&self, api: &str, operation: &str, subject: &Subject, rule: Option<&Text>) -> Map<String, Value> {
        let rule = rule.map_or("no rule allows it", Text::as_str);
        let mut event = head(&API_ACTIVITY, activity_of(operation), false);
        let policy = json!({"name": "ACL", "desc": rule});
        event.extend(members(json!({
            "actor": {"user": self.user(), "authorizations": [{"decision": "denied", "policy": policy}]},
            "api": {"operation": api, "service": {"name": "kafka"}},
            "resources": [{"type": subject.kind, "name": subject.name.as_str()}],
            "status_detail": rule,
            "message": format!("{operation} on {} {} denied", subject.kind, subject.name.as_str()),
            "unmapped": {"operation": operation, "client_id": self.actor.client_id.as_str()},
        })));
        event
    }

    fn operation(
        &self,
        api: &str,
        activity: Activity,
        subject: &Subject,
        refused: Option<&(i16, String)>,
    ) -> Map<String, Value> {
        let mut event = head(&API_ACTIVITY, activity, refused.is_none());
        let response = match refused {
            Some((code, name)) => json!({"code": code, "error": name}),
            None => json!({"code": 0}),
        };
        event.extend(members(json!({
            "actor": {"user": self.user()},
            "api": {"operation": api, "service": {"name": "kafka"}, "response": response},
            "resources": [{"type": subject.kind, "name": subject.name.as_str(), "data": subject.details()}],
            "message": format!("{api} {} {}", subject.kind, subject.name.as_str()),
            "unmapped": {"client_id": self.actor.client_id.as_str()},
        })));
        refusal(&mut event, refused);
        event
    }

    fn entity(
        &self,
        api: &str,
        activity: Activity,
        subject: &Subject,
        (type_id, type_name): (u8, &str),
        refused: Option<&(i16, String)>,
    ) -> Map<String, Value> {
        let mut event = head(&ENTITY_MANAGEMENT, activity, refused.is_none());
        let name = subject.name.as_str();
        event.extend(members(json!({
            "actor": {"user": self.user()},
            "entity": {"name": name, "type_id": type_id, "type": type_name, "data": subject.details()},
            "message": format!("{api} {} {name}", subject.kind),
            "unmapped": {"api": api, "kind": subject.kind, "client_id": self.actor.client_id.as_str()},
        })));
        refusal(&mut event, refused);
        event
    }

    fn login(&self, mechanism: Option<&str>, is_encrypted: bool, failed: Option<&Text>) -> Map<String, Value> {
        let mechanism = mechanism.unwrap_or("unknown");
        let mut event = self.authentication(&format!("SASL {mechanism}"), failed);
        event.extend(members(json!({
            "is_cleartext": !is_encrypted && mechanism == "PLAIN",
            "message": if failed.is_some() { "login failed" } else { "logged in" },
            "unmapped": {"client_id": self.actor.client_id.as_str()},
        })));
        event
    }

    fn handshake(&self, kind: &str, reason: &Text) -> Map<String, Value> {
        let mut event = self.authentication("TLS", Some(reason));
        event.extend(members(json!({
            "is_cleartext": false,
            "status_code": kind,
            "message": "TLS handshake refused",
        })));
        event
    }

    fn authentication(&self, protocol: &str, failed: Option<&Text>) -> Map<String, Value> {
        let mut event = head(&AUTHENTICATION, Activity::Create, failed.is_none());
        event.extend(members(json!({
            "activity_name": "Logon",
            "type_name": "Authentication: Logon",
            "user": self.user(),
            "auth_protocol_id": 99,
            "auth_protocol": protocol,
            "logon_type_id": 3,
            "logon_type": "Network",
            "is_remote": true,
            "service": {"name": "kafka"},
        })));
        if let Some(text) = failed {
            event.insert("status_detail".to_owned(), json!(text.as_str()));
        }
        event
    }
}

fn lost(count: u64) -> Map<String, Value> {
    let mut event = head(&BASE, Activity::Other, false);
    event.extend(members(json!({
        "severity_id": 4,
        "severity": "High",
        "count": count,
        "message": format!("{count} audit events were lost: the queue was full, too many refusals differed, or a write failed"),
    })));
    event
}

/// What every event begins with.
fn head(class: &Class, activity: Activity, is_success: bool) -> Map<String, Value> {
    let Class(name, uid, category, category_uid) = class;
    let (activity_id, activity_name) = (activity as u32, activity.name());
    let (status_id, status) = if is_success { (1, "Success") } else { (2, "Failure") };
    let (severity_id, severity) = if is_success { (1, "Informational") } else { (3, "Medium") };
    members(json!({
        "category_uid": category_uid, "category_name": category,
        "class_uid": uid, "class_name": name,
        "activity_id": activity_id, "activity_name": activity_name,
        "type_uid": uid * 100 + activity_id, "type_name": format!("{name}: {activity_name}"),
        "status_id": status_id, "status": status,
        "severity_id": severity_id, "severity": severity,
    }))
}

fn refusal(event: &mut Map<String, Value>, refused: Option<&(i16, String)>) {
    if let Some((code, name)) = refused {
        event.insert("status_code".to_owned(), json!(code.to_string()));
        event.insert("status_detail".to_owned(), json!(name));
    }
}

fn metadata(sequence: u64) -> Value {
    let product = json!({"name": "Barnabas", "vendor_name": "Barnabas", "version": env!("CARGO_PKG_VERSION")});
    json!({"version": SCHEMA, "product": product, "log_name": "audit", "sequence": sequence})
}

/// The members of an object.
fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// What an operation of the authorizer would have been.
fn activity_of(operation: &str) -> Activity {
    match operation {
        "CREATE" | "CREATE_TOKENS" => Activity::Create,
        "READ" | "DESCRIBE" | "DESCRIBE_CONFIGS" | "DESCRIBE_TOKENS" => Activity::Read,
        "WRITE" | "ALTER" | "ALTER_CONFIGS" | "IDEMPOTENT_WRITE" => Activity::Update,
        "DELETE" => Activity::Delete,
        _ => Activity::Other,
    }
}

#[cfg(test)]
mod tests;
