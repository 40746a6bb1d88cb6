//! A document as YAML: blocks of indented keys and dashes; a string that could be taken for something else is quoted as
//! JSON quotes it, which YAML reads.

use serde_json::Value;

/// Words that YAML readers take for something else than text.
const WORDS: [&str; 10] = ["null", "~", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// The whole document.
pub(super) fn document(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

/// A value from the start of a line on.
fn block(value: &Value, depth: usize, into: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Array(list) if !list.is_empty() => {
            for one in list {
                *into += &format!("{indent}-");
                beside(one, depth, into);
            }
        }
        Value::Object(object) if !object.is_empty() => {
            for (key, one) in object {
                *into += &format!("{indent}{}:", scalar_text(key));
                beside_key(one, depth, into);
            }
        }
        scalar => *into += &format!("{indent}{}\n", scalar_of(scalar)),
    }
}

/// A value behind a dash: its first key stands on the same line.
fn beside(value: &Value, depth: usize, into: &mut String) {
    match value {
        Value::Array(list) if !list.is_empty() => {
            into.push('\n');
            block(value, depth + 1, into);
        }
        Value::Object(object) if !object.is_empty() => {
            let mut below = String::new();
            block(value, depth + 1, &mut below);
            into.push(' ');
            *into += below.trim_start_matches(' ');
        }
        scalar => *into += &format!(" {}\n", scalar_of(scalar)),
    }
}

fn beside_key(value: &Value, depth: usize, into: &mut String) {
    match value {
        Value::Array(list) if !list.is_empty() => {
            into.push('\n');
            block(value, depth + 1, into);
        }
        Value::Object(object) if !object.is_empty() => {
            into.push('\n');
            block(value, depth + 1, into);
        }
        scalar => *into += &format!(" {}\n", scalar_of(scalar)),
    }
}

fn scalar_of(value: &Value) -> String {
    match value {
        Value::String(text) => scalar_text(text),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    }
}

/// Plain when nobody can take it for something else.
fn scalar_text(text: &str) -> String {
    let starts_plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_' || first == '/');
    let is_plain = text.chars().all(|one| one.is_ascii_alphanumeric() || "_-./@+".contains(one));
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    if starts_plain && is_plain && !is_word { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_objects_are_blocks_and_doubtful_strings_are_quoted() {
        let value = json!({
            "topics": [{"name": "a.b", "replicas": [1, 2], "configs": {}}, "no"],
            "note": "a: b",
            "time": "2026-01-01T00:00:00Z",
            "none": null,
        });
        let wanted = "topics:\n  - name: a.b\n    replicas:\n      - 1\n      - 2\n    configs: {}\n  - \"no\"\n\
                      note: \"a: b\"\ntime: \"2026-01-01T00:00:00Z\"\nnone: null\n";
        assert_eq!(document(&value), wanted);
        assert_eq!(document(&json!([])), "[]\n");
    }
}
