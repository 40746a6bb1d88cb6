//! `barnabas log verify`: every finding of a directory, those of the metadata's files too.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use barnabas_storage::seam::Seams;
use barnabas_storage::verify::{Finding, Severity};

use super::{Failure, directories};

/// A check found problems.
pub(super) const FOUND: u8 = 8;
/// There is no such directory.
pub(super) const NOT_FOUND: u8 = 3;

/// What `verify` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Log directories; ./barnabas-data when none is named.
    directories: Vec<PathBuf>,
    /// How the findings are written.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    Table,
    Json,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let seams = Seams::system();
    let mut all = Vec::new();
    for directory in directories(&arguments.directories) {
        if !seams.disk.exists(&directory) {
            eprintln!("barnabas: {} does not exist", directory.display());
            return Ok(ExitCode::from(NOT_FOUND));
        }
        let _lock = super::lock(&seams, &directory)?;
        all.extend(look(&seams, &directory)?);
    }
    match arguments.output {
        Output::Table => all.iter().for_each(|finding| println!("{}", line(finding))),
        Output::Json => println!("[{}]", all.iter().map(json).collect::<Vec<_>>().join(",\n ")),
    }
    let problems = all.iter().filter(|finding| finding.severity > Severity::Note).count();
    if arguments.output == Output::Table {
        println!("{problems} to be repaired, {} notes", all.len() - problems);
    }
    Ok(if problems > 0 { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

/// What both layers find.
pub(super) fn look(seams: &Seams, directory: &Path) -> Result<Vec<Finding>, Failure> {
    let mut findings = barnabas_storage::verify::verify(&*seams.disk, directory)?;
    findings.extend(barnabas_raft::verify(&seams.disk, directory)?);
    Ok(findings)
}

/// One finding in one line.
pub(super) fn line(finding: &Finding) -> String {
    let Finding { path, position, severity, what, action } = finding;
    let at = position.map_or_else(String::new, |position| format!(" at byte {position}"));
    format!("{severity}: {}{at}: {what}; {action}", path.display())
}

fn json(finding: &Finding) -> String {
    let Finding { path, position, severity, what, action } = finding;
    let position = position.map_or_else(|| "null".to_owned(), |position| position.to_string());
    let (file, what, action) = (text(&path.to_string_lossy()), text(what), text(action));
    format!(
        "{{\"file\":{file},\"position\":{position},\"severity\":\"{severity}\",\"what\":{what},\"action\":{action}}}"
    )
}

/// A JSON string.
fn text(plain: &str) -> String {
    let mut quoted = String::from('"');
    for character in plain.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if u32::from(control) < 0x20 => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_and_one_json_object() {
        let finding = Finding {
            path: PathBuf::from("/d/t-0/00000000000000000000.log"),
            position: Some(7),
            severity: Severity::Damage,
            what: "a \"quoted\"\nreason".to_owned(),
            action: "do this",
        };
        assert!(line(&finding).starts_with("damage: /d/t-0/00000000000000000000.log at byte 7: "));
        assert!(json(&finding).contains(r#""what":"a \"quoted\"\u000areason""#));
    }
}
