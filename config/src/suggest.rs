//! The nearest known name of a misspelt setting.

/// The known name nearest to `wrong`, if one is near enough to be meant.
pub(crate) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let bound = (wrong.chars().count() / 5).clamp(1, 4);
    let normal = normalise(wrong);
    names.map(|name| (distance(&normal, name), name)).filter(|(far, _)| *far <= bound).min().map(|(_, name)| name)
}

/// Underscores and dashes for dots, and capitals, are the commonest slips.
fn normalise(name: &str) -> String {
    name.chars().map(|c| if matches!(c, '_' | '-') { '.' } else { c.to_ascii_lowercase() }).collect()
}

/// Levenshtein's distance. The rows are as long as the shorter-lived argument, which is a setting's name.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(&right) {
            let changed = diagonal + usize::from(a != *b);
            diagonal = *cell;
            before = changed.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }

    #[test]
    fn a_slip_finds_its_name_and_a_stranger_finds_none() {
        let names = ["log.retention.hours", "log.retention.ms", "num.partitions"];
        assert_eq!(nearest("log.retention.hour", names.into_iter()), Some("log.retention.hours"));
        assert_eq!(nearest("num_partitions", names.into_iter()), Some("num.partitions"));
        assert_eq!(nearest("my.plugin.secret", names.into_iter()), None);
    }
}
