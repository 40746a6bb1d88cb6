//! What a command shows: rows of cells, as a table for people or as JSON and YAML for programs. The one place that
//! writes to stdout.
//!
//! 1. Tables and documents go to stdout, everything else to stderr.
//! 2. Tables have human sizes and times; documents have integers, and times both as RFC 3339 and in milliseconds.
//! 3. Nothing is cut off.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::Failure;
use crate::one_line::OneLine;

mod time;
mod yaml;

pub(super) use time::{parse_instant, rfc3339};

/// The form of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Names above columns.
    #[default]
    Table,
    /// A table with every column.
    Wide,
    /// A JSON document.
    Json,
    /// A YAML document.
    Yaml,
    /// Only what the rows are named by, one a line.
    Name,
}

/// The form of a result, as an argument.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Output {
    /// Form of the result.
    #[arg(short = 'o', long = "output", global = true, value_enum, default_value_t = Format::Table, value_name = "FORM")]
    pub(super) format: Format,
}

/// A column: its name above a table and in a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    head: &'static str,
    key: &'static str,
    wide: bool,
}

/// A column of every form.
pub(super) const fn column(head: &'static str, key: &'static str) -> Column {
    Column { head, key, wide: false }
}

/// A column that a plain table leaves out.
pub(super) const fn wide(head: &'static str, key: &'static str) -> Column {
    Column { head, key, wide: true }
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// Text.
    Text(String),
    /// A number.
    Number(i64),
    /// A number with one digit after the point.
    Decimal(f64),
    /// A size: human in tables.
    Bytes(i64),
    /// A moment, in milliseconds since 1970.
    Time(i64),
    /// Yes or no.
    Flag(bool),
    /// Several texts.
    List(Vec<String>),
    /// Not there, or not known.
    Nothing,
}

impl Cell {
    /// Text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Text, or nothing.
    pub(super) fn optional(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Nothing, Self::text)
    }

    /// A number, or nothing when there is none.
    pub(super) fn number(number: Option<i64>) -> Self {
        number.map_or(Self::Nothing, Self::Number)
    }

    /// Numbers as a list.
    pub(super) fn list(of: impl IntoIterator<Item = impl ToString>) -> Self {
        Self::List(of.into_iter().map(|one| one.to_string()).collect())
    }

    fn is_right(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Decimal(_) | Self::Bytes(_))
    }

    /// As people read it: names that others chose, of users, groups or clients, make neither rows nor escape sequences.
    fn shown(&self) -> String {
        match self {
            Self::Text(text) if text.is_empty() => "-".to_owned(),
            Self::Text(text) => OneLine(text).to_string(),
            Self::Number(number) => number.to_string(),
            Self::Decimal(number) => format!("{number:.1}"),
            Self::Bytes(bytes) => human_bytes(*bytes),
            Self::Time(millis) => rfc3339(*millis),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::List(list) if list.is_empty() => "-".to_owned(),
            Self::List(list) => OneLine(list.join(",")).to_string(),
            Self::Nothing => "-".to_owned(),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Number(number) | Self::Bytes(number) => json!(number),
            Self::Decimal(number) => json!((number * 1000.0).round() / 1000.0),
            Self::Time(millis) => json!(rfc3339(*millis)),
            Self::Flag(flag) => json!(flag),
            Self::List(list) => json!(list),
            Self::Nothing => Value::Null,
        }
    }
}

/// Rows below columns.
#[derive(Clone, Debug)]
pub(super) struct Table {
    columns: &'static [Column],
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Without rows.
    pub(super) fn new(columns: &'static [Column]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row; it has a cell for each column.
    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell for each column");
        self.rows.push(cells);
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// As a list of objects.
    pub(super) fn value(&self) -> Value {
        Value::Array(self.rows.iter().map(|row| self.object(row)).collect())
    }

    fn object(&self, row: &[Cell]) -> Value {
        let mut object = Map::new();
        for (column, cell) in self.columns.iter().zip(row) {
            object.insert(column.key.to_owned(), cell.value());
            if let Cell::Time(millis) = cell {
                object.insert(format!("{}_ms", column.key), json!(millis));
            }
        }
        Value::Object(object)
    }

    /// As text; columns two blanks apart.
    pub(super) fn text(&self, all: bool) -> String {
        let shown: Vec<usize> = (0..self.columns.len()).filter(|at| all || !self.columns[*at].wide).collect();
        let head = |at: usize| self.columns[at].head;
        let cells: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(Cell::shown).collect()).collect();
        let width = |at: usize| cells.iter().map(|row| row[at].chars().count()).fold(head(at).len(), usize::max);
        let is_right = |at: usize| self.rows.iter().any(|row| row[at].is_right());
        let sized: Vec<(usize, usize, bool)> = shown.iter().map(|at| (*at, width(*at), is_right(*at))).collect();
        let line = |cell: &dyn Fn(usize) -> String| {
            let padded = sized.iter().map(|(at, width, right)| {
                let (text, width) = (cell(*at), *width);
                if *right { format!("{text:>width$}") } else { format!("{text:<width$}") }
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        let mut text = line(&|at| head(at).to_owned());
        for row in &cells {
            text += &line(&|at| row[at].clone());
        }
        text
    }

    fn names(&self) -> String {
        self.rows.iter().filter_map(|row| row.first()).map(|cell| cell.shown() + "\n").collect()
    }
}

impl Output {
    /// Whether people read it.
    pub(super) fn is_table(self) -> bool {
        matches!(self.format, Format::Table | Format::Wide)
    }

    /// Whether a program reads it.
    pub(super) fn is_document(self) -> bool {
        matches!(self.format, Format::Json | Format::Yaml)
    }

    /// Shows one table.
    pub(super) fn show(self, table: &Table) -> Result<(), Failure> {
        self.show_parts(table, &[("", table)], || table.value())
    }

    /// Shows several tables under titles: a document is one object with a list for each. Empty ones are left out of
    /// tables.
    pub(super) fn show_all(self, parts: &[(&'static str, &Table)]) -> Result<(), Failure> {
        let Some((_, first)) = parts.first() else { return Ok(()) };
        let document =
            || Value::Object(parts.iter().map(|(title, table)| (title.replace(' ', "_"), table.value())).collect());
        self.show_parts(first, parts, document)
    }

    /// Shows a document that is no table; people see `text`.
    pub(super) fn show_document(self, document: &Value, text: &str) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Wide | Format::Name => print(text),
            Format::Json => print(&pretty(document)),
            Format::Yaml => print(&yaml::document(document)),
        }
    }

    fn show_parts(
        self,
        named: &Table,
        parts: &[(&'static str, &Table)],
        document: impl FnOnce() -> Value,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Table | Format::Wide => {
                let all = self.format == Format::Wide;
                let shown = parts.iter().filter(|(title, table)| title.is_empty() || !table.is_empty());
                let titled =
                    |title: &str| if title.is_empty() { String::new() } else { format!("{}:\n", capital(title)) };
                let texts: Vec<_> = shown.map(|(title, table)| titled(title) + &table.text(all)).collect();
                print(&texts.join("\n"))
            }
            Format::Name => print(&named.names()),
            Format::Json => print(&pretty(&document())),
            Format::Yaml => print(&yaml::document(&document())),
        }
    }
}

fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Writes to stdout. A reader that has gone away, as `head` does, is no error.
///
/// # Errors
/// Stdout cannot be written.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// See [`print`].
pub(super) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// In the largest unit that leaves at least one.
pub(super) fn human_bytes(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        (size, unit) = (size / 1024.0, unit + 1);
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[column("NAME", "name"), column("SIZE", "bytes"), wide("SINCE", "since")];

    fn table() -> Table {
        let mut table = Table::new(COLUMNS);
        table.row(vec![Cell::text("a"), Cell::Bytes(1536), Cell::Time(0)]);
        table.row(vec![Cell::text("longer"), Cell::Nothing, Cell::Nothing]);
        table
    }

    #[test]
    fn a_table_has_human_sizes_and_leaves_out_what_is_wide() {
        assert_eq!(table().text(false), "NAME       SIZE\na       1.5 KiB\nlonger        -\n");
        assert!(table().text(true).contains("SINCE") && table().text(true).contains("1970-01-01T00:00:00Z"));
    }

    #[test]
    fn a_document_has_integers_and_both_forms_of_a_time() {
        let wanted = json!([
            {"name": "a", "bytes": 1536, "since": "1970-01-01T00:00:00Z", "since_ms": 0},
            {"name": "longer", "bytes": null, "since": null},
        ]);
        assert_eq!(table().value(), wanted);
    }

    #[test]
    fn a_name_with_control_characters_stays_in_its_row() {
        let eve = "eve\nroot\u{1b}[2J";
        for cell in [Cell::text(eve), Cell::List(vec![eve.to_owned()])] {
            assert_eq!(cell.shown(), "eve\\nroot\\u{1b}[2J");
            assert!(cell.value().to_string().contains("eve\\nroot"), "a document has its own escapes");
        }
    }

    #[test]
    fn names_are_the_first_column() {
        assert_eq!(table().names(), "a\nlonger\n");
    }

    #[test]
    fn sizes_are_human() {
        let shown = [0, 1023, 1024, 1 << 20, 5 << 30, 1 << 50].map(human_bytes);
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "5.0 GiB", "1024.0 TiB"]);
    }
}
