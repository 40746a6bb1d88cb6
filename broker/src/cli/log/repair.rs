//! `barnabas log repair`: a plan, and with `--yes` what it says.

use std::path::{Path, PathBuf};

use barnabas_storage::repair::{Step, carry_out, plan};
use barnabas_storage::seam::Seams;
use barnabas_storage::verify::Severity;

use super::{Exit, Failure, verify};
use crate::cli::interrupt::AtInterrupt;
use crate::cli::progress::Progress;

/// What `repair` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The log directory of a stopped broker.
    directory: PathBuf,
    /// Does what the plan says. Without it nothing is changed.
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let (seams, directory) = (Seams::system(), &arguments.directory);
    if !seams.disk.exists(directory) {
        return Err(Failure::not_found(format!("{} does not exist", directory.display())));
    }
    let lock = super::lock(&seams, directory)?;
    let mut findings = verify::look(&seams, directory, false)?;
    findings.retain(|finding| finding.severity > Severity::Note);
    if findings.is_empty() {
        println!("nothing to repair in {}", directory.display());
        return Ok(Exit::Done);
    }
    let steps = plan(&*seams.disk, directory, &findings)?;
    findings.iter().for_each(|finding| println!("{}", verify::line(finding)));
    println!("\nThe plan:");
    steps.iter().for_each(|step| println!("- {step}"));
    println!("- recover the directory, write indexes, snapshots and checksums again, stop it cleanly");
    let of_root = |path: &Path| path == directory || path.parent() == Some(directory.as_path());
    if steps.iter().any(|step| matches!(step, Step::Leave(path, _) if of_root(path))) {
        println!("\nA file of the whole directory has to be restored by hand first; nothing was changed.");
        return Ok(Exit::Findings);
    }
    if !arguments.yes {
        println!("\nNothing was changed. `--yes` carries the plan out.");
        return Ok(Exit::Findings);
    }
    drop(lock);
    let progress = Progress::endless("repair", false, AtInterrupt::GoesOn);
    carry_out(&seams, directory, &steps)?;
    drop(progress);
    let mut left = verify::look(&seams, directory, false)?;
    left.retain(|finding| finding.severity > Severity::Note);
    left.iter().for_each(|finding| println!("still there: {}", verify::line(finding)));
    println!("\n{}: {} findings, {} left.", directory.display(), findings.len(), left.len());
    Ok(if left.is_empty() { Exit::Done } else { Exit::Findings })
}
