//! What a subscription to clients' metrics must satisfy (KIP-714).

use crate::dynamic::Values;
use crate::setting::list;
use crate::table;

/// Shortest and longest interval, in milliseconds.
pub const INTERVAL_MS: (i64, i64) = (100, 3_600_000);

/// What a client may be chosen by.
pub const SELECTORS: [&str; 6] = [
    "client_id",
    "client_instance_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// Why a subscription was refused: the message is Kafka's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubscription {
    /// The request makes no sense: INVALID_REQUEST.
    #[error("{0}")]
    Request(String),
    /// A value makes no sense: INVALID_CONFIG.
    #[error("{0}")]
    Value(String),
}

/// Checks a subscription as a whole. `is_pattern` says whether a text is a regular expression.
///
/// # Errors
/// The first thing that is wrong.
pub fn validate(name: &str, values: &Values, is_pattern: impl Fn(&str) -> bool) -> Result<(), InvalidSubscription> {
    if name.is_empty() {
        return Err(InvalidSubscription::Request("Subscription name can't be empty".to_owned()));
    }
    let known = |name: &str| table::CLIENT_METRICS.iter().any(|setting| setting.name == name);
    if let Some(unknown) = values.keys().find(|name| !known(name)) {
        return Err(InvalidSubscription::Request(format!("Unknown client metrics configuration: {unknown}")));
    }
    if let Some(text) = values.get("interval.ms") {
        let Ok(interval) = text.trim().parse::<i32>() else {
            let message = format!("Invalid value {text} for configuration interval.ms: Not a number of type INT");
            return Err(InvalidSubscription::Value(message));
        };
        let (least, most) = INTERVAL_MS;
        if !(least..=most).contains(&i64::from(interval)) {
            return Err(InvalidSubscription::Request(format!(
                "Invalid value {interval} for interval.ms, interval must be between {least} and {most} (1 hour)"
            )));
        }
    }
    for selection in list(values.get("match").map_or("", String::as_str)) {
        let selects = selector(selection).is_some_and(|(_, pattern)| is_pattern(pattern));
        if !selects {
            return Err(InvalidSubscription::Value(format!("Illegal client matching pattern: {selection}")));
        }
    }
    Ok(())
}

/// What one element of `match` selects by, and its pattern.
#[must_use]
pub fn selector(selection: &str) -> Option<(&'static str, &str)> {
    let (name, pattern) = selection.split_once('=')?;
    let name = SELECTORS.into_iter().find(|one| *one == name.trim())?;
    Some((name, pattern.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_worded_as_kafka_words_them() {
        let set = |name: &str, value: &str| {
            let values = Values::from([(name.to_owned(), value.to_owned())]);
            validate("m", &values, |pattern| !pattern.contains('[')).map_err(|error| error.to_string())
        };
        assert_eq!(set("interval.ms", "100"), Ok(()));
        let out_of_range = "Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)";
        assert_eq!(set("interval.ms", "1"), Err(out_of_range.to_owned()));
        assert_eq!(set("match", "client_id=a.*,client_software_name=b"), Ok(()));
        for pattern in ["nonsense", "who=x", "client_id=["] {
            assert_eq!(set("match", pattern), Err(format!("Illegal client matching pattern: {pattern}")));
        }
        assert_eq!(set("x", "1"), Err("Unknown client metrics configuration: x".to_owned()));
    }
}
