//! Every line of the log at WARN and above says what to do about it.
//!
//! The rule: the message is a literal in which the last `; ` is followed by a verb of [`VERBS`] in the imperative, or by
//! `nothing need be done`. Instead of these words a constant may stand there, `{MEND_DISK}`, of storage/src/advice.rs, whose
//! text is held to the same. What the verb asks for no machine can judge: reviewers do.

use crate::source::{nothing_in, root, rust};

/// What an operator can be asked to do.
const VERBS: [&str; 22] = [
    "change", "correct", "delete", "free", "give", "look", "make", "mend", "move", "raise", "renew", "replace",
    "report", "restore", "run", "see", "set", "shorten", "start", "stop", "use", "wait",
];

/// What is said where there is nothing to do.
const NOTHING: &str = "nothing need be done";

/// The arguments of every `warn!` and `error!` of a text, with the line where they begin.
fn calls(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for name in ["warn!(", "error!("] {
        for (at, _) in text.match_indices(name) {
            // `compile_error!` is another macro, and a comment is no call.
            let line = text[..at].rsplit('\n').next().unwrap_or_default();
            if !line.ends_with('_') && !line.trim_start().starts_with("//") {
                found.push((text[..at].matches('\n').count() + 1, arguments(&text[at + name.len()..])));
            }
        }
    }
    found
}

/// Up to the parenthesis that closes.
fn arguments(text: &str) -> &str {
    let (mut depth, mut literal, mut escaped) = (0_i32, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if literal => escaped = true,
            '"' => literal = !literal,
            '(' | '[' | '{' if !literal => depth += 1,
            ')' if !literal && depth == 0 => return &text[..at],
            ')' | ']' | '}' if !literal => depth -= 1,
            _ => {}
        }
    }
    text
}

/// The literal that is the message: the last one that no field is set to.
fn message(arguments: &str) -> Option<String> {
    let mut rest = arguments;
    let mut found = None;
    while let Some((before, after)) = rest.split_once('"') {
        let mut end = None;
        let mut escaped = false;
        for (at, character) in after.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let end = end?;
        let is_message = before.trim_end().is_empty() || before.trim_end().ends_with(',');
        if is_message && found.is_none() {
            found = Some(after[..end].to_owned());
        }
        rest = &after[end + 1..];
    }
    // A backslash at the end of a line joins it with the next.
    found.map(|text| text.split("\\\n").map(str::trim_start).collect())
}

fn constants() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("storage/src/advice.rs")).unwrap();
    let parts = text.split("pub const ").skip(1);
    parts
        .map(|part| {
            let name = part.split(':').next().unwrap().to_owned();
            (name, part.split('"').nth(1).unwrap().to_owned())
        })
        .collect()
}

/// Whether words begin as a piece of advice does.
fn begins(words: &str) -> bool {
    words.starts_with(NOTHING) || words.split(' ').next().is_some_and(|word| VERBS.contains(&word))
}

fn advises(message: &str, constants: &[(String, String)]) -> bool {
    let Some((_, advice)) = message.rsplit_once("; ") else { return false };
    begins(advice) || constants.iter().any(|(name, _)| advice == format!("{{{name}}}"))
}

#[test]
fn every_warning_says_what_to_do() {
    let constants = constants();
    let mut findings = Vec::new();
    let mut seen = 0;
    for source in rust().iter().filter(|source| !["tests", "benches"].contains(&source.room())) {
        for (line, arguments) in calls(source.bare()) {
            seen += 1;
            match message(arguments) {
                Some(message) if advises(&message, &constants) => {}
                Some(message) => findings.push(format!("{}:{line}: says not what to do: {message}", source.path)),
                None => findings.push(format!("{}:{line}: has no message", source.path)),
            }
        }
    }
    assert!(seen > 50, "only {seen} calls were found");
    nothing_in(&findings);
}

#[test]
fn what_is_said_in_many_lines_is_advice_and_said_somewhere() {
    let sources = rust();
    let mut findings = Vec::new();
    for (name, text) in constants() {
        if !begins(&text) {
            findings.push(format!("{name} begins with no verb: {text}"));
        }
        if !sources.iter().any(|source| source.bare().contains(&format!("; {{{name}}}\""))) {
            findings.push(format!("{name} is said nowhere"));
        }
    }
    nothing_in(&findings);
}

#[test]
fn a_message_is_told_from_fields_and_from_what_is_put_into_it() {
    let text = "fn f() {\n    tracing::warn!(dir = %dir(\"x\"), kind = \"y\", \"it (\\\"{}\\\") \\\n        failed; look at it\", more);\n}\n";
    let found = calls(text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, 2);
    assert_eq!(message(found[0].1).unwrap(), "it (\\\"{}\\\") failed; look at it");
    assert!(
        calls("compile_error!(\"x\"); // warn!(\"x\")\n// tracing::warn!(\"x\")\n").iter().all(|(line, _)| *line == 1)
    );
    let constants = [("MEND_DISK".to_owned(), "mend it".to_owned())];
    assert!(advises("a; {MEND_DISK}", &constants) && advises("a: b; nothing need be done: c", &constants));
    assert!(
        !advises("a: look at it", &constants)
            && !advises("a; it goes on", &constants)
            && !advises("a; {B}", &constants)
    );
}
