//! The table of settings, split by family. Everything about settings derives from it: checking, defaults, the list in
//! `SETTINGS.md`, and what DescribeConfigs shows.

use crate::setting::Setting;

/// Rows as they read best: the documentation above, then name, type, default, and marks that are methods of
/// [`Setting`]: range, how it changes, what it falls back to, and whether it is honoured (inert if nothing is said).
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:literal: $kind:ident
       $(= $default:literal)? $(, $mark:ident $(($($argument:expr),*))?)*;)*) => {
        pub(super) static ROWS: &[crate::setting::Setting] = &[$(
            crate::setting::Setting::new($name, crate::setting::Kind::$kind, concat!($($doc),+))
                $(.default($default))? $(.$mark($($($argument),*)?))*
        ),*];
    };
}

mod barnabas;
mod cleaner;
mod client_metrics;
mod dynamic_only;
mod group;
mod groups;
mod listeners;
mod log;
mod metrics;
mod quorum;
mod quotas;
mod remote;
mod replication;
mod retired;
mod sasl;
mod security;
mod share_groups;
mod sockets;
mod ssl;
mod topic;
mod transactions;

/// A family of broker settings: its heading and its rows.
pub type Family = (&'static str, &'static [Setting]);

/// The broker settings by family.
pub static BROKER: [Family; 17] = [
    ("Barnabas's own", barnabas::ROWS),
    ("Roles and quorum", quorum::ROWS),
    ("Listeners", listeners::ROWS),
    ("Sockets and requests", sockets::ROWS),
    ("Log", log::ROWS),
    ("Compaction", cleaner::ROWS),
    ("Replication", replication::ROWS),
    ("Groups", groups::ROWS),
    ("Share groups", share_groups::ROWS),
    ("Transactions and producers", transactions::ROWS),
    ("Security", security::ROWS),
    ("SASL", sasl::ROWS),
    ("TLS", ssl::ROWS),
    ("Quotas", quotas::ROWS),
    ("Metrics", metrics::ROWS),
    ("Tiered storage", remote::ROWS),
    ("Retired", retired::ROWS),
];

/// The topic settings.
pub static TOPIC: &[Setting] = topic::ROWS;

/// The settings of a group.
pub static GROUP: &[Setting] = group::ROWS;

/// The settings of a subscription to clients' metrics.
pub static CLIENT_METRICS: &[Setting] = client_metrics::ROWS;

/// Families of retired names.
static RETIRED_PREFIXES: [&str; 2] = ["zookeeper.", "password.encoder."];

/// Settings of plug-ins and providers, which Kafka hands on unseen.
static PLUG_IN_PREFIXES: [&str; 5] =
    ["config.providers.", "rsm.config.", "rlmm.config.", "client.quota.callback.", "metric.reporter."];

/// The row of a broker setting.
#[must_use]
pub fn broker(name: &str) -> Option<&'static Setting> {
    BROKER.iter().flat_map(|(_, rows)| rows.iter()).find(|setting| setting.name == name)
}

/// The row of a topic setting.
#[must_use]
pub fn topic(name: &str) -> Option<&'static Setting> {
    TOPIC.iter().find(|setting| setting.name == name)
}

/// The row of a group's setting.
#[must_use]
pub fn group(name: &str) -> Option<&'static Setting> {
    GROUP.iter().find(|setting| setting.name == name)
}

/// The row of a broker setting that stands in no file.
#[must_use]
pub(crate) fn dynamic_only(name: &str) -> Option<&'static Setting> {
    dynamic_only::ROWS.iter().find(|setting| setting.name == name)
}

/// The names of all broker settings.
pub fn names() -> impl Iterator<Item = &'static str> {
    BROKER.iter().flat_map(|(_, rows)| rows.iter()).map(|setting| setting.name)
}

/// Whether values of a broker's setting must not be shown: passwords, and whatever is not known, as in Kafka.
#[must_use]
pub fn is_secret(key: &str) -> bool {
    of_key(key).or_else(|| dynamic_only(key)).is_none_or(Setting::is_secret)
}

/// The row that a key of a file belongs to: by itself, as `listener.name.NAME.` or `listener.name.NAME.MECHANISM.`
/// before a setting, or as one of a retired family.
pub(crate) fn of_key(key: &str) -> Option<&'static Setting> {
    let of_listener = |key: &str| {
        let (_, rest) = key.strip_prefix("listener.name.")?.split_once('.')?;
        broker(rest).or_else(|| broker(rest.split_once('.')?.1))
    };
    let of_family = |key: &str| broker(RETIRED_PREFIXES.iter().find(|prefix| key.starts_with(**prefix))?);
    broker(key).or_else(|| of_listener(key)).or_else(|| of_family(key))
}

/// True for a key that Kafka would hand to a plug-in.
pub(crate) fn is_of_a_plug_in(key: &str) -> bool {
    PLUG_IN_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests;
