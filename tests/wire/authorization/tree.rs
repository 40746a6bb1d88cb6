//! An answer as a tree, read from how the codec prints it, and what of it is compared.

/// A printed value.
enum Tree {
    Scalar(String),
    List(Vec<Tree>),
    Fields(Vec<(String, Tree)>),
}

/// Codes, rights, and what has a name of ours; lists in order.
pub(crate) fn reduced(printed: &str) -> String {
    let mut rest = printed;
    reduce(&value(&mut rest)).unwrap_or_else(|| "nothing".to_owned())
}

/// All of an answer, lists in order.
pub(crate) fn whole(printed: &str) -> String {
    let mut rest = printed;
    in_order(&value(&mut rest))
}

fn in_order(tree: &Tree) -> String {
    match tree {
        Tree::Scalar(text) => text.clone(),
        Tree::List(elements) => {
            let mut elements: Vec<String> = elements.iter().map(in_order).collect();
            elements.sort();
            format!("[{}]", elements.join(", "))
        }
        Tree::Fields(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {}", in_order(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

fn reduce(tree: &Tree) -> Option<String> {
    match tree {
        // How many batches there are is no part of a scenario.
        Tree::Scalar(text) if text.contains("golden record") => Some("golden records".to_owned()),
        Tree::Scalar(text) => text.contains("golden").then(|| text.clone()),
        Tree::List(elements) => {
            let mut kept: Vec<String> = elements.iter().filter_map(reduce).collect();
            kept.sort();
            (!kept.is_empty()).then(|| format!("[{}]", kept.join(", ")))
        }
        Tree::Fields(fields) => {
            let kept: Vec<String> = fields.iter().filter_map(|(name, value)| field(name, value)).collect();
            // Topics of the broker's own are no part of a scenario.
            let is_internal =
                fields.iter().any(|(_, value)| matches!(value, Tree::Scalar(text) if text.starts_with("__")));
            (!kept.is_empty() && !is_internal).then(|| format!("{{{}}}", kept.join(", ")))
        }
    }
}

fn field(name: &str, value: &Tree) -> Option<String> {
    match value {
        Tree::Scalar(text) if name.ends_with("error_code") || name.ends_with("authorized_operations") => {
            Some(format!("{name}: {text}"))
        }
        Tree::Scalar(_) if name.ends_with("error_message") => None,
        value => reduce(value).map(|value| format!("{name}: {value}")),
    }
}

fn skip(rest: &mut &str, symbols: &[char]) {
    *rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || symbols.contains(&letter));
}

/// `Name { field: value }`, `Name(value)`, `[value]`, `{key: value}`, text, or a plain word.
fn value(rest: &mut &str) -> Tree {
    skip(rest, &[',']);
    if let Some(open) = rest.strip_prefix('[') {
        *rest = open;
        return Tree::List(until(rest, ']', value));
    }
    if rest.starts_with('"') || rest.starts_with("b\"") {
        return Tree::Scalar(quoted(rest));
    }
    let end = rest.find(|letter: char| " {}()[],".contains(letter)).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after;
    let mut next = *rest;
    skip(&mut next, &[]);
    if let Some(open) = next.strip_prefix('{') {
        *rest = open;
        return Tree::Fields(until(rest, '}', named));
    }
    if let Some(open) = rest.strip_prefix('(') {
        *rest = open;
        return until(rest, ')', value).pop().unwrap_or(Tree::List(Vec::new()));
    }
    Tree::Scalar(word.to_owned())
}

fn named(rest: &mut &str) -> (String, Tree) {
    let (name, after) = rest.split_once(':').unwrap();
    let name = name.trim().to_owned();
    *rest = after;
    (name, value(rest))
}

fn until<T>(rest: &mut &str, end: char, mut one: impl FnMut(&mut &str) -> T) -> Vec<T> {
    let mut found = Vec::new();
    loop {
        skip(rest, &[',']);
        if let Some(after) = rest.strip_prefix(end) {
            *rest = after;
            return found;
        }
        assert!(!rest.is_empty(), "the printed answer ends early");
        found.push(one(rest));
    }
}

fn quoted(rest: &mut &str) -> String {
    let open = rest.find('"').unwrap() + 1;
    let mut is_escaped = false;
    let close = rest[open..].find(|letter| {
        let ends = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        ends
    });
    let close = open + close.unwrap();
    let text = rest[open..close].to_owned();
    *rest = &rest[close + 1..];
    text
}

#[test]
fn of_an_answer_codes_rights_and_names_are_kept_in_order() {
    let printed = "A { error_code: 3, message: Some(\"a \\\" b\"), list: [B { name: T(\"golden.b\"), error_code: 0, x: -1 }, \
                   B { name: T(\"golden.a\"), error_code: 1, x: None }, B { name: T(\"__internal\"), error_code: 0 }], \
                   bytes: b\"x\", tags: {} }";
    assert_eq!(
        reduced(printed),
        "{error_code: 3, list: [{name: golden.a, error_code: 1}, {name: golden.b, error_code: 0}]}"
    );
}
