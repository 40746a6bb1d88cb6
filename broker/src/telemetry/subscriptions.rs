//! The subscriptions to clients' metrics that there are, as `kafka-client-metrics` and `kafka-configs` make them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use barnabas_config::client_metrics::selector;
use barnabas_config::setting::list;
use barnabas_raft::MetadataImage;
use barnabas_raft::metadata::resource_configs::{Resource, ResourceKind};
use regex_automata::meta::Regex;

use super::{Identity, Terms};

/// How often clients ask and push where no subscription says otherwise, and the longest: Kafka never waits longer.
const INTERVAL_MAX: Duration = Duration::from_secs(5 * 60);
/// Stands for all metrics.
const ALL: &str = "*";

/// Whether a text is a regular expression that a client can be chosen by. Java's syntax, as far as it can be matched in
/// linear time.
pub(crate) fn is_pattern(text: &str) -> bool {
    Regex::new(text).is_ok()
}

/// Every subscription.
pub(super) struct Subscriptions {
    /// Counts their changes.
    pub(super) version: u64,
    pub(super) all: Vec<Subscription>,
}

/// One of them.
pub(super) struct Subscription {
    metrics: Vec<String>,
    interval: Duration,
    /// By selector: as it was written, and to be matched.
    patterns: BTreeMap<&'static str, (String, Regex)>,
}

impl PartialEq for Subscription {
    fn eq(&self, other: &Self) -> bool {
        let patterns = |of: &Self| -> Vec<(&str, String)> {
            of.patterns.iter().map(|(selector, (text, _))| (*selector, text.clone())).collect()
        };
        (&self.metrics, self.interval, patterns(self)) == (&other.metrics, other.interval, patterns(other))
    }
}

impl Subscriptions {
    pub(super) fn of(image: &MetadataImage, version: u64) -> Self {
        let kind = ResourceKind::ClientMetrics;
        let values = |name: &str| image.resource_configs(&Resource { kind, name: name.to_owned() });
        Self::of_each(image.resources(kind).map(values), version)
    }

    pub(super) fn of_each<'a>(all: impl Iterator<Item = &'a BTreeMap<String, String>>, version: u64) -> Self {
        Self { version, all: all.filter_map(Subscription::of).collect() }
    }

    /// What a client is to push: what all subscriptions that choose it say together.
    pub(super) fn terms(&self, identity: &Identity<'_>) -> Terms {
        let mut interval = INTERVAL_MAX;
        let mut metrics = BTreeSet::new();
        for subscription in self.all.iter().filter(|one| one.chooses(identity)) {
            interval = interval.min(subscription.interval);
            metrics.extend(subscription.metrics.iter().cloned());
        }
        if metrics.contains(ALL) {
            metrics = BTreeSet::from([ALL.to_owned()]);
        }
        let mut hasher = DefaultHasher::new();
        (identity.instance, &metrics, interval).hash(&mut hasher);
        // The lower half.
        let subscription_id = hasher.finish() as i32;
        Terms { subscription_id, metrics: metrics.into_iter().collect(), interval }
    }
}

impl Subscription {
    /// Of its settings, which were checked when they were set.
    fn of(values: &BTreeMap<String, String>) -> Option<Self> {
        let text = |name: &str| values.get(name).map_or("", String::as_str);
        let interval = text("interval.ms").trim().parse().map_or(INTERVAL_MAX, Duration::from_millis);
        let mut patterns = BTreeMap::new();
        for selection in list(text("match")) {
            let (selector, pattern) = selector(selection)?;
            let whole = Regex::new(&format!(r"\A(?:{pattern})\z")).ok()?;
            patterns.insert(selector, (pattern.to_owned(), whole));
        }
        Some(Self { metrics: list(text("metrics")).map(str::to_owned).collect(), interval, patterns })
    }

    fn chooses(&self, identity: &Identity<'_>) -> bool {
        let matches = |(selector, (_, pattern)): (&&str, &(String, Regex))| {
            identity.selected(selector).is_some_and(|value| pattern.is_match(&value))
        };
        self.patterns.iter().all(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_regular_expressions() {
        assert!(is_pattern("x.*") && is_pattern("") && is_pattern("(?i)a|b"));
        assert!(!is_pattern("[") && !is_pattern("(") && !is_pattern(r"(a)\1"));
    }
}
