//! `ssl.principal.mapping.rules`: how the subject of a certificate becomes a principal's name, as in Kafka.
//!
//! A list, with commas, of `DEFAULT` (the whole subject) and `RULE:pattern/replacement/` with `L` or `U` behind it. The first rule
//! whose pattern matches the whole subject decides; without one the connection is refused.
//!
//! Where it differs from Apache Kafka: look-around and back-references within a pattern are refused at the start, and so are
//! patterns and lists beyond the bounds of `pattern`.

use regex::Regex;

use crate::pattern::{RULES_MAX, compile, compile_whole};
use crate::replacement::{Beyond, Replacement};
use crate::rule_error::RuleError;

/// What a rule looks like.
const FORM: &str = "RULE:pattern/replacement/, with L or U behind it";

/// The rules, in their order.
#[derive(Clone, Debug)]
pub struct PrincipalMapping(Vec<Rule>);

#[derive(Clone, Debug)]
enum Rule {
    Default,
    Replace(Box<Replace>),
}

#[derive(Clone, Debug)]
struct Replace {
    whole: Regex,
    pattern: Regex,
    replacement: Replacement,
    case: Case,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Kept,
    Lower,
    Upper,
}

impl PrincipalMapping {
    /// Reads the rules.
    ///
    /// # Errors
    /// See [`RuleError`].
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let mut rules = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (rule, after) = parse_one(rest)?;
            rules.extend(rule);
            if rules.len() > RULES_MAX {
                return Err(RuleError::TooMany { most: RULES_MAX });
            }
            rest = after;
        }
        Ok(Self(rules))
    }

    /// The principal's name for a subject; `None` when no rule applies.
    #[must_use]
    pub fn apply(&self, subject: &str) -> Option<String> {
        self.0.iter().find_map(|rule| match rule {
            Rule::Default => Some(subject.to_owned()),
            Rule::Replace(replace) => replace.apply(subject),
        })
    }
}

/// Reads the first rule, none when it is empty, and what follows its comma.
fn parse_one(text: &str) -> Result<(Option<Rule>, &str), RuleError> {
    let form = || RuleError::Form { rule: text.to_owned(), form: FORM };
    let (rule, rest) = if let Some(rest) = text.strip_prefix("DEFAULT") {
        (Some(Rule::Default), rest)
    } else if let Some(rest) = text.strip_prefix("RULE:") {
        let (pattern, rest) = until_slash(rest).ok_or_else(form)?;
        let (replacement, rest) = until_slash(rest).ok_or_else(form)?;
        let (case, rest) = match rest.as_bytes().first() {
            Some(b'L') => (Case::Lower, rest.get(1..).unwrap_or_default()),
            Some(b'U') => (Case::Upper, rest.get(1..).unwrap_or_default()),
            _ => (Case::Kept, rest),
        };
        (Some(Rule::Replace(Box::new(Replace::parse(pattern, replacement, case)?))), rest)
    } else {
        (None, text)
    };
    let rest = rest.trim_start();
    match rest.strip_prefix(',') {
        Some(after) => Ok((rule, after.trim_start())),
        None if rest.is_empty() => Ok((rule, rest)),
        None => Err(form()),
    }
}

/// What stands before the first slash that no backslash is before, and what stands after it.
fn until_slash(text: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '/' => return Some((text.get(..at)?, text.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

impl Replace {
    fn parse(pattern: &str, replacement: &str, case: Case) -> Result<Self, RuleError> {
        let found = compile(pattern)?;
        let pieces = Replacement::parse(replacement, &found, Beyond::IsText);
        let replacement = pieces.ok_or_else(|| RuleError::Replacement(replacement.to_owned()))?;
        Ok(Self { whole: compile_whole(pattern)?, pattern: found, replacement, case })
    }

    fn apply(&self, subject: &str) -> Option<String> {
        if !self.whole.is_match(subject) {
            return None;
        }
        let replaced = self.replacement.all(&self.pattern, subject);
        Some(match self.case {
            Case::Kept => replaced,
            Case::Lower => replaced.to_lowercase(),
            Case::Upper => replaced.to_uppercase(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUBJECT: &str = "CN=Duke,OU=ServiceUsers,O=Org,C=US";

    fn mapped(rules: &str, subject: &str) -> Option<String> {
        PrincipalMapping::parse(rules).unwrap().apply(subject)
    }

    #[test]
    fn rules_give_what_kafkas_mapper_gives() {
        // Rules, subject, and what SslPrincipalMapper of Apache Kafka 4.3.1 made of them.
        for line in include_str!("mappings.tsv").lines().filter(|line| !line.starts_with('#')) {
            let [rules, subject, name] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            match name {
                "!none" => assert_eq!(mapped(rules, subject), None, "{line}"),
                "!refused" => assert!(PrincipalMapping::parse(rules).is_err(), "{line}"),
                name => assert_eq!(mapped(rules, subject).as_deref(), Some(name), "{line}"),
            }
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_with_its_text() {
        for rules in [
            "default",
            "DEFAUL",
            "RULE:",
            "RULE:.*",
            "RULE:.*/x",
            "RULE:.*/x/LU",
            "DEFAULT RULE:a/b/",
            "RULE:(/x/",
            "RULE:.+/$1/",
        ] {
            assert!(PrincipalMapping::parse(rules).is_err(), "{rules}");
        }
        let error = |rules: &str| PrincipalMapping::parse(rules).unwrap_err().to_string();
        assert!(error("RULE:(?=a)a/x/").contains("look-around"));
        assert!(error("RULE:a").contains("'RULE:a' is neither DEFAULT nor of the form RULE:pattern/replacement/"));
        assert!(error(&"RULE:a/b/,".repeat(RULES_MAX + 1)).contains("more than 100 rules"));
        assert!(PrincipalMapping::parse(&"RULE:a/b/,".repeat(RULES_MAX)).is_ok());
    }

    #[test]
    fn without_a_rule_nobody_is_let_in() {
        assert_eq!(mapped("RULE:^CN=(.*?),OU=Others.*$/$1/", SUBJECT), None);
        assert_eq!(mapped("", SUBJECT), None);
    }

    proptest! {
        #[test]
        fn no_rules_and_no_subject_make_it_panic(rules in ".{0,60}", rule in r"RULE:[a.*()\[\]$\\/^]{0,20}/[a$0-9{}\\]{0,10}/[LU]?", subject in ".{0,60}") {
            for text in [rules, rule] {
                if let Ok(mapping) = PrincipalMapping::parse(&text) {
                    let _ = mapping.apply(&subject);
                }
            }
        }
    }
}
