//! Replacements of Java's regular expressions, as Kafka's rules of names have them: `$1`, `${name}`, and a backslash before what
//! is meant as it stands.

use regex::{Captures, Regex};

/// What a `$` with a number is for which the pattern has no group, not even with fewer digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// Text, but not where the pattern has no group at all: Kafka's rules for certificates.
    IsText,
    /// Wrong, as in Java.
    IsWrong,
}

/// What a match is replaced by.
#[derive(Clone, Debug)]
pub(crate) struct Replacement(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
    Named(String),
}

impl Replacement {
    /// Reads it; `None` when it refers to no group of the pattern, or ends in a backslash.
    pub(crate) fn parse(replacement: &str, pattern: &Regex, beyond: Beyond) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = replacement;
        while let Some(c) = rest.chars().next() {
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            match c {
                '\\' => {
                    let escaped = rest.chars().next()?;
                    text.push(escaped);
                    rest = rest.get(escaped.len_utf8()..).unwrap_or_default();
                }
                '$' => {
                    let (piece, after) = reference(rest, pattern, beyond)?;
                    rest = after;
                    match piece {
                        Piece::Text(literal) => text.push_str(&literal),
                        piece => pieces.extend([Piece::Text(std::mem::take(&mut text)), piece]),
                    }
                }
                c => text.push(c),
            }
        }
        pieces.push(Piece::Text(text));
        Some(Self(pieces))
    }

    /// Java's `replaceAll`: behind a match an empty one may follow at once, so that `.*` is replaced twice.
    pub(crate) fn all(&self, pattern: &Regex, subject: &str) -> String {
        self.replace(pattern, subject, usize::MAX)
    }

    /// Java's `replaceFirst`.
    pub(crate) fn first(&self, pattern: &Regex, subject: &str) -> String {
        self.replace(pattern, subject, 1)
    }

    fn replace(&self, pattern: &Regex, subject: &str, times: usize) -> String {
        let mut replaced = String::new();
        let (mut copied, mut from, mut left) = (0, 0, times);
        while left > 0
            && from <= subject.len()
            && let Some(captures) = pattern.captures_at(subject, from)
            && let Some(found) = captures.get(0)
        {
            replaced.push_str(subject.get(copied..found.start()).unwrap_or_default());
            self.put(&captures, &mut replaced);
            copied = found.end();
            from = if found.is_empty() { next_boundary(subject, found.end()) } else { found.end() };
            left -= 1;
        }
        replaced.push_str(subject.get(copied..).unwrap_or_default());
        replaced
    }

    fn put(&self, captures: &Captures<'_>, into: &mut String) {
        for piece in &self.0 {
            let group = match piece {
                Piece::Text(text) => Some(text.as_str()),
                Piece::Group(number) => captures.get(*number).map(|group| group.as_str()),
                Piece::Named(name) => captures.name(name).map(|group| group.as_str()),
            };
            into.push_str(group.unwrap_or_default());
        }
    }
}

fn next_boundary(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(text.len() + 1, |c| at + c.len_utf8())
}

/// What stands behind a `$`, and the rest. A number above the pattern's groups loses digits until it is one.
fn reference<'a>(rest: &'a str, pattern: &Regex, beyond: Beyond) -> Option<(Piece, &'a str)> {
    if let Some(named) = rest.strip_prefix('{') {
        let (name, after) = named.split_once('}')?;
        let is_known = pattern.capture_names().flatten().any(|known| known == name);
        return is_known.then(|| (Piece::Named(name.to_owned()), after));
    }
    let groups = pattern.captures_len() - 1;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let first = rest.get(..1).filter(|_| digits > 0)?;
    if first != "0" && first.parse::<usize>().ok()? > groups {
        let is_text = beyond == Beyond::IsText && groups > 0;
        return is_text.then_some((Piece::Text(format!("${}", rest.get(..digits)?)), rest.get(digits..)?));
    }
    let mut taken = 1;
    while taken < digits && rest.get(..=taken)?.parse::<usize>().is_ok_and(|number| number <= groups) {
        taken += 1;
    }
    Some((Piece::Group(rest.get(..taken)?.parse().ok()?), rest.get(taken..)?))
}
