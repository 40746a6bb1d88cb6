//! What has to be done so that topics are as a file wants them.

use std::collections::BTreeMap;

use super::wanted::WantedTopic;
use crate::cli::output::{Cell, Column, Table, column};
use crate::client::configs::ConfigChange;
use crate::client::topics::{NewTopic, TopicView};

/// A topic's own settings.
pub(super) type OwnConfigs = BTreeMap<String, String>;

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A topic is made.
    Create(NewTopic),
    /// It gets more partitions.
    Partitions { topic: String, from: i32, to: i32 },
    /// Its settings are changed, each with what it is now.
    Configs { topic: String, changes: Vec<(String, ConfigChange)>, from: Vec<Option<String>> },
}

impl Step {
    /// The topic.
    pub(super) fn topic(&self) -> &str {
        match self {
            Self::Create(new) => &new.name,
            Self::Partitions { topic, .. } | Self::Configs { topic, .. } => topic,
        }
    }

    /// The topic, and how many partitions it has afterwards, where that changes; 1 where the broker decides.
    pub(super) fn new_partitions(&self) -> Option<(&str, i32)> {
        match self {
            Self::Create(new) => Some((new.name.as_str(), new.partitions.unwrap_or(1))),
            Self::Partitions { topic, to, .. } => Some((topic.as_str(), *to)),
            Self::Configs { .. } => None,
        }
    }
}

const COLUMNS: &[Column] = &[
    column("TOPIC", "topic"),
    column("ACTION", "action"),
    column("WHAT", "what"),
    column("FROM", "from"),
    column("TO", "to"),
];

/// The steps for one topic. `there` is what there is of it, with its own settings.
///
/// # Errors
/// What cannot be done to a topic that is there.
pub(super) fn steps(wanted: &WantedTopic, there: Option<(&TopicView, &OwnConfigs)>) -> Result<Vec<Step>, String> {
    let topic = wanted.name.clone();
    let Some((view, own)) = there else {
        let configs = wanted.configs.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        let new = NewTopic {
            name: topic,
            partitions: wanted.partitions,
            replicas: wanted.replicas,
            configs: configs.collect(),
        };
        return Ok(vec![Step::Create(new)]);
    };
    let replicas = view.partitions.first().map_or(0, |first| first.replicas.len());
    if let Some(want) = wanted.replicas.filter(|want| usize::try_from(*want) != Ok(replicas)) {
        return Err(format!(
            "topic {topic} has {replicas} replicas, not {want}: partitions have to be reassigned for it"
        ));
    }
    let from = i32::try_from(view.partitions.len()).unwrap_or(i32::MAX);
    let mut steps = Vec::new();
    match wanted.partitions {
        Some(to) if to < from => {
            return Err(format!("topic {topic} has {from} partitions, and cannot have fewer ({to})"));
        }
        Some(to) if to > from => steps.push(Step::Partitions { topic: topic.clone(), from, to }),
        _ => {}
    }
    let differs = |(name, value): &(&String, &Option<String>)| own.get(*name) != value.as_ref();
    let differing: Vec<_> = wanted.configs.iter().filter(differs).collect();
    if !differing.is_empty() {
        let change = |value: &Option<String>| value.clone().map_or(ConfigChange::Unset, ConfigChange::Set);
        let changes = differing.iter().map(|(name, value)| ((*name).clone(), change(value))).collect();
        let from = differing.iter().map(|(name, _)| own.get(*name).cloned()).collect();
        steps.push(Step::Configs { topic, changes, from });
    }
    Ok(steps)
}

/// Steps as rows.
pub(super) fn table(steps: &[Step]) -> Table {
    let mut table = Table::new(COLUMNS);
    let mut row = |topic: &str, action: &str, what: &str, from: Cell, to: Cell| {
        table.row(vec![Cell::text(topic), Cell::text(action), Cell::text(what), from, to]);
    };
    for step in steps {
        match step {
            Step::Create(new) => {
                let count = |count: Option<i64>| count.map_or(Cell::text("as by default"), Cell::Number);
                row(&new.name, "create", "partitions", Cell::Nothing, count(new.partitions.map(i64::from)));
                row(&new.name, "create", "replication-factor", Cell::Nothing, count(new.replicas.map(i64::from)));
                for (setting, value) in &new.configs {
                    row(&new.name, "create", setting, Cell::Nothing, Cell::text(value.as_str()));
                }
            }
            Step::Partitions { topic, from, to } => {
                row(topic, "add", "partitions", Cell::Number((*from).into()), Cell::Number((*to).into()));
            }
            Step::Configs { topic, changes, from } => {
                for ((setting, change), from) in changes.iter().zip(from) {
                    let (action, to) = match change {
                        ConfigChange::Set(value) => ("set", Cell::text(value.as_str())),
                        _ => ("unset", Cell::Nothing),
                    };
                    row(topic, action, setting, Cell::optional(from.as_deref()), to);
                }
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::topics::PartitionView;

    fn view(partitions: usize) -> TopicView {
        let partition = PartitionView { replicas: vec![1], ..PartitionView::default() };
        TopicView { name: "t".to_owned(), partitions: vec![partition; partitions], ..TopicView::default() }
    }

    fn wanted(partitions: i32, configs: &[(&str, Option<&str>)]) -> WantedTopic {
        let config = |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
        let configs = configs.iter().map(config).collect();
        WantedTopic { name: "t".to_owned(), partitions: Some(partitions), replicas: Some(1), configs }
    }

    #[test]
    fn only_what_differs_is_done() {
        let own = OwnConfigs::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        let there = view(2);
        let plan = |wanted: &WantedTopic| steps(wanted, Some((&there, &own)));
        assert_eq!(plan(&wanted(2, &[("a", Some("1"))])), Ok(Vec::new()));
        let steps = plan(&wanted(3, &[("a", Some("5")), ("b", None), ("c", None)])).unwrap();
        assert_eq!(steps[0], Step::Partitions { topic: "t".to_owned(), from: 2, to: 3 });
        assert_eq!((steps[0].new_partitions(), steps[1].new_partitions()), (Some(("t", 3)), None));
        let Step::Configs { changes, .. } = &steps[1] else { panic!("{steps:?}") };
        assert_eq!(
            changes[..],
            [("a".to_owned(), ConfigChange::Set("5".to_owned())), ("b".to_owned(), ConfigChange::Unset)]
        );
        assert_eq!(table(&steps).value()[1]["from"], "1");
    }

    #[test]
    fn a_topic_that_is_not_there_is_made_with_the_settings_that_have_a_value() {
        let Ok(steps) = steps(&wanted(3, &[("a", Some("5")), ("b", None)]), None) else { panic!("a plan") };
        let [Step::Create(new)] = &steps[..] else { panic!("{steps:?}") };
        assert_eq!((new.partitions, &new.configs[..]), (Some(3), &[("a".to_owned(), "5".to_owned())][..]));
    }

    #[test]
    fn what_cannot_be_done_is_told_before_anything_is() {
        let own = OwnConfigs::new();
        assert!(steps(&wanted(1, &[]), Some((&view(2), &own))).unwrap_err().contains("fewer"));
        let more = WantedTopic { replicas: Some(3), ..wanted(2, &[]) };
        assert!(steps(&more, Some((&view(2), &own))).unwrap_err().contains("replicas"));
    }
}
