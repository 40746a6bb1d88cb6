use super::super::fixture::{LISTENER, image};
use super::*;

fn page<'a>(image: &'a MetadataImage, from: &'a str, first_partition: i32, left: usize) -> Page<'a> {
    Page { image, listener: LISTENER, from, first_partition, everything: false, left }
}

type Shown = (Vec<(String, i16, Vec<i32>)>, Option<(String, i32)>);

fn shown(page: Page<'_>, names: &[&str]) -> Shown {
    let (topics, next) = page.collect(names);
    let topics = topics.into_iter().map(|topic| {
        let name = topic.name.map(|name| name.to_string()).unwrap_or_default();
        let partitions = topic.partitions.iter().map(|partition| partition.partition_index).collect();
        (name, topic.error_code, partitions)
    });
    (topics.collect(), next.map(|next| (next.topic_name.to_string(), next.partition_index)))
}

fn row(name: &str, partitions: &[i32]) -> (String, i16, Vec<i32>) {
    (name.to_owned(), 0, partitions.to_vec())
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    let image = image(&[("a", 3), ("b", 2), ("c", 1)]);
    let names = ["a", "b", "c"];
    let first = shown(page(&image, "", 0, 2), &names);
    assert_eq!(first, (vec![row("a", &[0, 1])], Some(("a".to_owned(), 2))));
    let second = shown(page(&image, "a", 2, 3), &names);
    assert_eq!(second, (vec![row("a", &[2]), row("b", &[0, 1])], Some(("c".to_owned(), 0))));
    let third = shown(page(&image, "c", 0, 3), &["c"]);
    assert_eq!(third, (vec![row("c", &[0])], None));
}

#[test]
fn topics_that_are_not_there_are_refused_by_name() {
    let image = image(&[("a", 1)]);
    let (topics, next) = shown(page(&image, "", 0, 9), &["a", "b", "b c"]);
    let codes: Vec<i16> = topics.iter().map(|(_, code, _)| *code).collect();
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    assert_eq!(codes, [0, unknown, ResponseError::InvalidTopicException.code()]);
    assert_eq!(next, None);
}

#[test]
fn a_cursor_must_be_among_the_topics_and_not_negative() {
    let cursor =
        |name: &str, index| RequestCursor::default().with_topic_name(wire_name(name)).with_partition_index(index);
    let names = BTreeSet::from(["a"]);
    assert!(is_valid(&cursor("a", 0), false, &names));
    assert!(!is_valid(&cursor("b", 0), false, &names));
    assert!(is_valid(&cursor("b", 0), true, &names));
    assert!(!is_valid(&cursor("a", -1), false, &names));
}
