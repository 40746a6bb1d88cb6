//! `barnabas log verify`: every finding of a directory, those of the metadata's files too.

use std::path::{Path, PathBuf};

use barnabas_storage::seam::Seams;
use barnabas_storage::verify::{Finding, Severity, Walked, verify_observed};
use serde_json::{Value, json};

use super::{Exit, Failure, Output, directories};
use crate::cli::interrupt::AtInterrupt;
use crate::cli::progress::Progress;

/// What `verify` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Log directories; ./barnabas-data when none is named.
    directories: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let seams = Seams::system();
    let mut all = Vec::new();
    for directory in directories(&arguments.directories) {
        if !seams.disk.exists(&directory) {
            return Err(Failure::not_found(format!("{} does not exist", directory.display())));
        }
        let _lock = super::lock(&seams, &directory)?;
        all.extend(look(&seams, &directory, arguments.output.is_document())?);
    }
    let problems = all.iter().filter(|finding| finding.severity > Severity::Note).count();
    let lines: String = all.iter().map(|finding| line(finding) + "\n").collect();
    let text = format!("{lines}{problems} to be repaired, {} notes\n", all.len() - problems);
    arguments.output.show_document(&all.iter().map(json).collect(), &text)?;
    Ok(if problems > 0 { Exit::Findings } else { Exit::Done })
}

/// What both layers find.
pub(super) fn look(seams: &Seams, directory: &Path, is_document: bool) -> Result<Vec<Finding>, Failure> {
    let progress = Progress::counted("verify", is_document, AtInterrupt::Ends);
    let mut observer = |walked: Walked<'_>| progress.show(walked.done, walked.of, walked.next.unwrap_or("metadata"));
    let mut findings = verify_observed(&*seams.disk, directory, &mut observer)?;
    findings.extend(barnabas_raft::verify(&seams.disk, directory)?);
    Ok(findings)
}

/// One finding in one line.
pub(super) fn line(finding: &Finding) -> String {
    let Finding { path, position, severity, what, action } = finding;
    let at = position.map_or_else(String::new, |position| format!(" at byte {position}"));
    format!("{severity}: {}{at}: {what}; {action}", path.display())
}

fn json(finding: &Finding) -> Value {
    let Finding { path, position, severity, what, action } = finding;
    let (file, severity) = (path.to_string_lossy(), severity.to_string());
    json!({"file": file, "position": position, "severity": severity, "what": what, "action": action})
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
        let document = json(&finding).to_string();
        assert!(document.contains(r#""what":"a \"quoted\"\nreason""#), "{document}");
    }
}
