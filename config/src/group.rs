//! What a group's own settings must satisfy: the bounds that the broker sets for them.

use crate::config::Config;
use crate::dynamic::Values;
use crate::table;
use crate::topic::InvalidTopicConfig;

/// The broker settings that bound a group's: the group's, the least, the most.
const BOUNDS: [(&str, Option<&str>, Option<&str>); 13] = [
    between(
        "consumer.heartbeat.interval.ms",
        "group.consumer.min.heartbeat.interval.ms",
        "group.consumer.max.heartbeat.interval.ms",
    ),
    between(
        "consumer.session.timeout.ms",
        "group.consumer.min.session.timeout.ms",
        "group.consumer.max.session.timeout.ms",
    ),
    between(
        "consumer.assignment.interval.ms",
        "group.consumer.min.assignment.interval.ms",
        "group.consumer.max.assignment.interval.ms",
    ),
    between(
        "share.heartbeat.interval.ms",
        "group.share.min.heartbeat.interval.ms",
        "group.share.max.heartbeat.interval.ms",
    ),
    between("share.session.timeout.ms", "group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms"),
    between(
        "share.assignment.interval.ms",
        "group.share.min.assignment.interval.ms",
        "group.share.max.assignment.interval.ms",
    ),
    between(
        "share.record.lock.duration.ms",
        "group.share.min.record.lock.duration.ms",
        "group.share.max.record.lock.duration.ms",
    ),
    between(
        "share.delivery.count.limit",
        "group.share.min.delivery.count.limit",
        "group.share.max.delivery.count.limit",
    ),
    between(
        "share.partition.max.record.locks",
        "group.share.min.partition.max.record.locks",
        "group.share.max.partition.max.record.locks",
    ),
    between(
        "streams.heartbeat.interval.ms",
        "group.streams.min.heartbeat.interval.ms",
        "group.streams.max.heartbeat.interval.ms",
    ),
    between(
        "streams.session.timeout.ms",
        "group.streams.min.session.timeout.ms",
        "group.streams.max.session.timeout.ms",
    ),
    between(
        "streams.assignment.interval.ms",
        "group.streams.min.assignment.interval.ms",
        "group.streams.max.assignment.interval.ms",
    ),
    ("streams.num.standby.replicas", None, Some("group.streams.max.standby.replicas")),
];

const fn between(
    name: &'static str,
    least: &'static str,
    most: &'static str,
) -> (&'static str, Option<&'static str>, Option<&'static str>) {
    (name, Some(least), Some(most))
}

/// The broker setting that speaks for a group's.
#[must_use]
pub fn broker_synonym(name: &str) -> Option<String> {
    let synonym = format!("group.{name}");
    table::broker(&synonym).map(|_| synonym)
}

/// Checks a group's own settings as a whole.
///
/// # Errors
/// The first that is wrong, in Kafka's words.
pub fn validate(broker: &Config, values: &Values) -> Result<(), InvalidTopicConfig> {
    let refuse = |message: String| Err(InvalidTopicConfig(message));
    if let Some(name) = values.keys().find(|name| table::group(name).is_none()) {
        return refuse(format!("Unknown group config name: {name}"));
    }
    for (setting, text) in table::GROUP.iter().filter_map(|setting| Some((setting, values.get(setting.name)?))) {
        let name = setting.name;
        if let Err(reason) = setting.check(text).and_then(|()| check_reset(name, text)) {
            return refuse(format!("Invalid value {text} for configuration {name}: {reason}"));
        }
    }
    let of_broker = |name: Option<&str>| broker.text(name?)?.trim().parse::<i64>().ok();
    for (name, least, most) in BOUNDS {
        let Some(value) = values.get(name).and_then(|text| text.trim().parse::<i64>().ok()) else { continue };
        if of_broker(least).is_some_and(|bound| value < bound) {
            return refuse(format!("{name} must be greater than or equal to {}", least.unwrap_or_default()));
        }
        if of_broker(most).is_some_and(|bound| value > bound) {
            return refuse(format!("{name} must be less than or equal to {}", most.unwrap_or_default()));
        }
    }
    Ok(())
}

fn check_reset(name: &str, text: &str) -> Result<(), String> {
    let is_duration = |text: &str| text.strip_prefix("by_duration:P").is_some_and(|rest| rest.len() > 1);
    if name != "share.auto.offset.reset" || matches!(text, "earliest" | "latest") || is_duration(text) {
        return Ok(());
    }
    Err(format!(
        "Invalid value `{text}` for configuration {name}. The value must be either 'earliest', 'latest' or of the \
         format 'by_duration:<PnDTnHnMn.nS>'."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_is_a_setting_of_the_broker() {
        for (name, least, most) in BOUNDS {
            assert!(table::group(name).is_some(), "{name}");
            for bound in [least, most].into_iter().flatten() {
                assert!(table::broker(bound).is_some(), "{bound}");
            }
        }
    }

    #[test]
    fn a_group_stays_within_the_brokers_bounds() {
        let set = |name: &str, value: &str| {
            validate(&Config::dev(), &Values::from([(name.to_owned(), value.to_owned())])).map_err(|error| error.0)
        };
        assert_eq!(set("consumer.session.timeout.ms", "50000"), Ok(()));
        let low = "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms";
        assert_eq!(set("consumer.session.timeout.ms", "1"), Err(low.to_owned()));
        assert_eq!(set("retention.ms", "1"), Err("Unknown group config name: retention.ms".to_owned()));
        assert_eq!(set("share.auto.offset.reset", "by_duration:PT1H"), Ok(()));
        assert!(set("share.auto.offset.reset", "never").is_err());
    }
}
