//! `configs lint` and `configs render`: what a start would make of its files, without one.

use std::path::{Path, PathBuf};

use barnabas_config::properties::write;
use barnabas_config::{Config, ConfigSources, Source, Warning};
use barnabas_storage::seam::Seams;

use crate::cli::Failure;
use crate::cli::environment::variables;
use crate::cli::exit::Exit;
use crate::cli::files::read_text;
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::cli::remark::{remark, say};

/// What a start would be told.
#[derive(Debug, clap::Args)]
struct Layers {
    /// A setting, over files and environment.
    #[arg(short = 'c', long = "config", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
    /// Leaves the environment out, so that the answer is the same everywhere.
    #[arg(long)]
    no_environment: bool,
}

impl Layers {
    /// Hands what a start would read to `use_them`.
    fn with<T>(&self, files: &[PathBuf], use_them: impl FnOnce(&ConfigSources<'_>) -> T) -> T {
        let seams = Seams::system();
        let read_file = |path: &Path| read_text(&seams, path);
        use_them(&ConfigSources {
            files: files.to_vec(),
            environment: if self.no_environment { Vec::new() } else { variables() },
            assignments: self.assignments.clone(),
            read_file: &read_file,
        })
    }
}

/// What `lint` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Lint {
    /// server.properties files, later ones over earlier ones.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    layers: Layers,
}

/// What `render` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Render {
    /// server.properties files, later ones over earlier ones. Without any: those of a start without a file.
    files: Vec<PathBuf>,
    /// Says of each setting where its value is from.
    #[arg(long)]
    explain: bool,
    /// Also those that are as by default.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    layers: Layers,
}

const FINDINGS: &[Column] = &[column("SEVERITY", "severity"), column("FINDING", "finding")];
const SETTINGS: &[Column] = &[column("SETTING", "setting"), column("VALUE", "value"), column("FROM", "from")];

/// Settings that are known but do nothing yet are worth a note, not an exit code.
pub(super) fn lint(told: &Lint, output: Output) -> Result<Exit, Failure> {
    let mut table = Table::new(FINDINGS);
    let mut told_as = |severity: &str, finding: String| table.row(vec![Cell::text(severity), Cell::Text(finding)]);
    let (errors, warnings) = told.layers.with(&told.files, Config::lint);
    errors.iter().for_each(|error| told_as("error", error.to_string()));
    let is_note = |warning: &&Warning| matches!(warning, Warning::WithoutEffect(_));
    for warning in &warnings {
        told_as(if is_note(&warning) { "note" } else { "warning" }, warning.to_string());
    }
    let is_clean = errors.is_empty() && warnings.iter().all(|warning| is_note(&warning));
    if table.is_empty() && output.is_table() {
        remark("nothing was found");
    } else {
        output.show(&table)?;
    }
    Ok(if is_clean { Exit::Done } else { Exit::Findings })
}

pub(super) fn render(told: &Render, output: Output) -> Result<Exit, Failure> {
    let (config, warnings) = told.layers.with(&told.files, Config::load)?;
    warnings.iter().for_each(|warning| say(format_args!("{warning}")));
    let mut table = Table::new(SETTINGS);
    let mut text = String::new();
    for name in config.names() {
        let source = config.source(&name);
        if source == Source::Default && !told.all {
            continue;
        }
        let Some(value) = config.shown(&name) else { continue };
        text += &write(&name, value);
        table.row(vec![Cell::text(name.as_str()), Cell::text(value), Cell::text(source.to_string())]);
    }
    if told.explain || !output.is_table() {
        output.show(&table)?
    } else {
        crate::cli::output::print(&text)?
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::cli::output::Format;

    fn lint_of(text: &str) -> Exit {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let layers = Layers { assignments: Vec::new(), no_environment: true };
        let told = Lint { files: vec![file.path().to_path_buf()], layers };
        lint(&told, Output { format: Format::Json }).unwrap()
    }

    #[test]
    fn findings_are_errors_and_warnings_but_not_notes() {
        let clean = "node.id=1\noffsets.topic.replication.factor=1\n";
        assert_eq!(lint_of(clean), Exit::Done);
        assert_eq!(lint_of(&format!("{clean}transaction.state.log.min.isr=1\n")), Exit::Done, "a note");
        assert_eq!(lint_of(&format!("{clean}num.partition=1\n")), Exit::Findings, "a warning");
        assert_eq!(lint_of(&format!("{clean}num.partitions=x\n")), Exit::Findings, "an error");
    }
}
