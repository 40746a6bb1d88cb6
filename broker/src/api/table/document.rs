//! `broker/APIS.md`, generated: the table as a page, with what each API's file says of Apache Kafka.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::api::{Row, table};

const HEAD: &str = "\
# The APIs that are served

Generated from the table in `src/api/mod.rs` by the test `apis_md_is_the_table`, which rewrites this page when it is
behind. Versions are those that are served; what is advertised differs only where it says so.

| key | API | versions | flexible from | runs on | before login | permissions it may ask for |
|---|---|---|---|---|---|---|
";

fn render() -> String {
    let mut page = HEAD.to_owned();
    for row in table() {
        let _ = writeln!(page, "{}", line(row));
    }
    page.push_str("\n## Where they differ from Apache Kafka 4.3\n\n");
    for row in table() {
        let _ = writeln!(page, "- **{}**: {}", row.name, difference(row.name));
    }
    page
}

fn line(row: &Row) -> String {
    let advertised = if row.advertised == row.versions {
        String::new()
    } else {
        format!(" (advertised from {})", row.advertised.min)
    };
    let flexible = if row.shape.flexible == i16::MAX { "never".to_owned() } else { row.shape.flexible.to_string() };
    let needs: Vec<String> = row.needs.iter().map(|need| format!("{:?} {:?}", need.operation, need.resource)).collect();
    format!(
        "| {} | {} | {}-{}{advertised} | {flexible} | {:?} | {} | {} |",
        row.key,
        row.name,
        row.versions.min,
        row.versions.max,
        row.runs_on,
        if row.gate == crate::api::Gate::Always { "yes" } else { "no" },
        if needs.is_empty() { "none".to_owned() } else { needs.join(", ") },
    )
}

/// What stands behind "Where it differs from Apache Kafka:" in the head of the API's file.
fn difference(name: &str) -> String {
    let source = std::fs::read_to_string(source_of(name)).unwrap();
    let head =
        source.lines().take_while(|line| line.starts_with("//!")).map(|line| line.trim_start_matches("//!").trim());
    let head: Vec<&str> = head.collect();
    let start = head.iter().position(|line| line.starts_with("Where it differs from Apache Kafka:"));
    let start = start.unwrap_or_else(|| panic!("the head of {name} does not say where it differs from Apache Kafka"));
    let paragraph: Vec<&str> = head[start..].iter().take_while(|line| !line.is_empty()).copied().collect();
    let text = paragraph.join(" ");
    text.trim_start_matches("Where it differs from Apache Kafka:").trim().to_owned()
}

fn source_of(name: &str) -> PathBuf {
    let mut file = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !file.is_empty() {
            file.push('_');
        }
        file.push(letter.to_ascii_lowercase());
    }
    let api = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    let families = ["data", "group", "topic", "cluster"].map(|family| api.join(family).join(format!("{file}.rs")));
    families.into_iter().find(|path| path.exists()).unwrap_or_else(|| panic!("{name} has no file of its name"))
}

#[test]
fn apis_md_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("APIS.md");
    let page = render();
    if std::fs::read_to_string(&path).unwrap_or_default() != page {
        std::fs::write(&path, page).unwrap();
        panic!("APIS.md was behind the table and is rewritten: read it and commit it");
    }
}
