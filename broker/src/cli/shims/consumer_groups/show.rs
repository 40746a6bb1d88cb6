//! What kafka-consumer-groups prints: rows begin with a line's end, as Kafka's do.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_storage::PartitionIndex;

use super::pad;
use crate::cli::failure::Failure;
use crate::cli::groups::position::{GroupPositions, Position};
use crate::client::groups::assigned;
use crate::group::offsets::TopicPartition;

/// A value that is not there.
const MISSING: &str = "-";

fn or_missing(value: Option<impl ToString>) -> String {
    value.map_or_else(|| MISSING.to_owned(), |value| value.to_string())
}

/// The least width of a column, or that of its longest cell.
fn width<'a>(cells: impl Iterator<Item = &'a str>, least: usize) -> usize {
    cells.map(str::len).fold(least, usize::max)
}

/// `--describe`: members with the most partitions first, then what nobody reads.
pub(super) fn offsets(group: &str, found: &GroupPositions, verbose: bool) -> String {
    if found.positions.is_empty() {
        return String::new();
    }
    let mut reads: BTreeMap<&str, usize> = BTreeMap::new();
    for reader in found.positions.iter().filter_map(|one| one.member.as_ref()) {
        *reads.entry(&reader.id).or_default() += 1;
    }
    let mut rows: Vec<&Position> = found.positions.iter().collect();
    let rank = |one: &Position| {
        let id = one.member.as_ref().map(|reader| reader.id.clone());
        (usize::MAX - id.as_ref().map_or(0, |id| reads.get(id.as_str()).copied().unwrap_or(0)), id)
    };
    rows.sort_by_key(|one| rank(one));
    let cells: Vec<[String; 10]> = rows.into_iter().map(|one| offset_cells(group, one)).collect();
    let wide = |at: usize| width(cells.iter().map(|row| row[at].as_str()), 15);
    let widths = [wide(0), wide(1), 10, 15, 15, 15, 15, wide(7), wide(8), 0];
    let line = |row: &[String; 10]| {
        let shown = row.iter().zip(widths).enumerate().filter(|(at, _)| verbose || *at != 3);
        let text: Vec<String> = shown.map(|(_, (cell, width))| pad(cell, width)).collect();
        format!("\n{}", text.join(" "))
    };
    let head = [
        "GROUP",
        "TOPIC",
        "PARTITION",
        "LEADER-EPOCH",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ];
    let mut text = line(&head.map(str::to_owned));
    text.extend(cells.iter().map(line));
    text + "\n"
}

fn offset_cells(group: &str, one: &Position) -> [String; 10] {
    let committed = one.committed.as_ref();
    let epoch = committed.map(|committed| committed.leader_epoch).filter(|epoch| *epoch >= 0);
    let lag = committed.and_then(|committed| Some(one.end? - committed.offset));
    [
        group.to_owned(),
        one.at.topic.to_string(),
        one.at.partition.to_string(),
        or_missing(epoch),
        or_missing(committed.map(|committed| committed.offset)),
        or_missing(one.end),
        or_missing(lag),
        or_missing(one.member.as_ref().map(|reader| &reader.id)),
        or_missing(one.member.as_ref().map(|reader| &reader.host)),
        or_missing(one.member.as_ref().map(|reader| &reader.client_id)),
    ]
}

/// `--describe --members`.
pub(super) fn members(group: &str, found: &GroupPositions, verbose: bool) -> String {
    let members = &found.described.members;
    let has_instances = members.iter().any(|one| one.group_instance_id.is_some());
    let mut columns = vec![
        ("GROUP", 15, members.iter().map(|_| group.to_owned()).collect::<Vec<_>>()),
        ("CONSUMER-ID", 15, members.iter().map(|one| one.member_id.to_string()).collect()),
    ];
    if has_instances {
        let instance = |one: &kafka_protocol::messages::describe_groups_response::DescribedGroupMember| {
            one.group_instance_id.as_ref().map_or_else(String::new, ToString::to_string)
        };
        columns.push(("GROUP-INSTANCE-ID", 17, members.iter().map(instance).collect()));
    }
    columns.push(("HOST", 15, members.iter().map(|one| one.client_host.to_string()).collect()));
    columns.push(("CLIENT-ID", 15, members.iter().map(|one| one.client_id.to_string()).collect()));
    let partitions: Vec<_> = members.iter().map(|one| assigned(&one.member_assignment)).collect();
    columns.push(("#PARTITIONS", 15, partitions.iter().map(|of| of.len().to_string()).collect()));
    if verbose {
        let missing = || members.iter().map(|_| MISSING.to_owned()).collect::<Vec<_>>();
        columns.push(("CURRENT-EPOCH", 15, missing()));
        columns.push(("CURRENT-ASSIGNMENT", 20, partitions.iter().map(|of| assignment(of)).collect()));
        columns.push(("TARGET-EPOCH", 15, missing()));
        columns.push(("TARGET-ASSIGNMENT", 20, missing()));
    }
    let mut lines = vec![String::new(); members.len() + 1];
    for (head, least, cells) in &columns {
        // The width of the count is fixed; the others grow.
        let width = width(cells.iter().map(String::as_str), *least);
        for (line, cell) in lines.iter_mut().zip(std::iter::once(&(*head).to_owned()).chain(cells)) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&pad(cell, width));
        }
    }
    // Kafka's format of the first columns ends with a blank.
    let end = if verbose { "" } else { " " };
    format!("\n{}", lines.into_iter().map(|line| line + end + "\n").collect::<String>())
}

/// topic:0,1;topic:2.
fn assignment(partitions: &[TopicPartition]) -> String {
    if partitions.is_empty() {
        return MISSING.to_owned();
    }
    let mut topics: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    for at in partitions {
        topics.entry(&at.topic).or_default().insert(at.partition.0);
    }
    let list = |of: &BTreeSet<i32>| of.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    topics.iter().map(|(topic, of)| format!("{topic}:{}", list(of))).collect::<Vec<_>>().join(";")
}

/// `--describe --state`.
pub(super) fn state(group: &str, found: &GroupPositions, coordinator: &str, verbose: bool) -> String {
    let described = &found.described;
    let strategy = if described.protocol_data.is_empty() { MISSING } else { &*described.protocol_data };
    let (group_width, coordinator_width) = (group.len().max(15), coordinator.len().max(25));
    let line = |cells: [&str; 4], epochs: [&str; 2], members: &str| {
        let [group, coordinator, strategy, state] = cells;
        let epochs = if verbose { format!("{} {} ", pad(epochs[0], 15), pad(epochs[1], 25)) } else { String::new() };
        let (group, coordinator) = (pad(group, group_width), pad(coordinator, coordinator_width));
        format!("\n{group} {coordinator} {} {} {epochs}{members}", pad(strategy, 20), pad(state, 20))
    };
    let head = line(
        ["GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE"],
        ["GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH"],
        "#MEMBERS",
    );
    let members = described.members.len().to_string();
    let row = line([group, coordinator, strategy, &described.group_state], [MISSING, MISSING], &members);
    head + &row + "\n"
}

/// What a reset comes to.
pub(super) fn plan(plans: &[(String, BTreeMap<TopicPartition, i64>)]) -> String {
    let topics = plans.iter().flat_map(|(_, plan)| plan.keys().map(|at| &*at.topic));
    let (group_width, topic_width) = (width(plans.iter().map(|(group, _)| group.as_str()), 15), width(topics, 15));
    let line = |group: &str, topic: &str, partition: &str, offset: &str| {
        format!("\n{} {} {} {offset}", pad(group, group_width), pad(topic, topic_width), pad(partition, 10))
    };
    let mut text = String::new();
    if !plans.is_empty() {
        text += &line("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET");
    }
    for (group, plan) in plans {
        for (at, offset) in plan {
            text += &line(group, &at.topic, &at.partition.to_string(), &offset.to_string());
        }
    }
    text + "\n"
}

/// The same as CSV; with the group when there are several.
pub(super) fn csv(plans: &[(String, BTreeMap<TopicPartition, i64>)]) -> String {
    let mut text = String::new();
    for (group, plan) in plans {
        for (at, offset) in plan {
            let group = if plans.len() > 1 { format!("{group},") } else { String::new() };
            text += &format!("{group}{},{},{offset}\n", at.topic, at.partition);
        }
    }
    text + "\n"
}

/// Lines of topic,partition,offset, or of group,topic,partition,offset.
pub(super) fn read_csv(text: &str, group: &str) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
    let mut plan = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let wrong = || Failure::usage(format!("'{line}' is not of the form topic,partition,offset"));
        let mut cells: Vec<&str> = line.split(',').map(|cell| cell.trim().trim_matches('"')).collect();
        if cells.len() == 4 && cells.remove(0) != group {
            continue;
        }
        let [topic, partition, offset] = cells.as_slice() else { return Err(wrong()) };
        let (Ok(partition), Ok(offset)) = (partition.parse(), offset.parse()) else { return Err(wrong()) };
        plan.insert(TopicPartition { topic: (*topic).into(), partition: PartitionIndex(partition) }, offset);
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::groups::position::Reader;
    use crate::client::groups::Committed;

    fn at(topic: &str, partition: i32) -> TopicPartition {
        TopicPartition { topic: topic.into(), partition: PartitionIndex(partition) }
    }

    fn found() -> GroupPositions {
        let reader = Reader { id: "m-1".to_owned(), host: "/h".to_owned(), client_id: "c".to_owned() };
        let position = |at, offset, member| Position {
            at,
            committed: Some(Committed { offset, leader_epoch: 0, metadata: String::new() }),
            end: Some(10),
            behind_ms: None,
            member,
        };
        let positions = vec![position(at("left", 0), 10, None), position(at("t", 0), 7, Some(reader))];
        GroupPositions { described: Default::default(), positions }
    }

    #[test]
    fn offsets_have_kafkas_columns_and_what_nobody_reads_is_last() {
        let text = offsets("g", &found(), false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1],
            "GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID     HOST            CLIENT-ID"
        );
        assert_eq!(
            lines[2],
            "g               t               0          7               10              3               m-1             /h              c"
        );
        assert_eq!(
            lines[3],
            "g               left            0          10              10              0               -               -               -"
        );
        assert!(offsets("g", &found(), true).contains("LEADER-EPOCH    CURRENT-OFFSET"));
    }

    #[test]
    fn a_plan_is_shown_and_goes_through_csv() {
        let of_group = BTreeMap::from([(at("t", 0), 5)]);
        let plans = vec![("g".to_owned(), of_group.clone())];
        assert_eq!(
            plan(&plans),
            "\nGROUP           TOPIC           PARTITION  NEW-OFFSET\ng               t               0          5\n"
        );
        assert_eq!(csv(&plans), "t,0,5\n\n");
        assert_eq!(read_csv(&csv(&plans), "g").unwrap(), of_group);
        assert_eq!(read_csv("\"h\",\"t\",0,5\ng,t,0,5\n", "g").unwrap(), of_group);
        assert!(read_csv("t,x,5", "g").is_err());
    }

    #[test]
    fn an_assignment_is_grouped_by_topic() {
        assert_eq!(assignment(&[at("t", 1), at("s", 2), at("t", 0)]), "s:2;t:0,1");
        assert_eq!(assignment(&[]), "-");
    }
}
