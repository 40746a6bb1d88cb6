//! `barnabas generate`: what a system needs beside the program.

use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::exit::Exit;
use super::output::{print, print_bytes};
use super::remark::remark;
use super::{Cli, Failure, complete, files, shims};

mod compose;
mod systemd;

/// Rules for Prometheus, and what Grafana shows, of the names that `/metrics` has.
const ALERTS: &str = include_str!("generate/alerts.yaml");
const DASHBOARD: &str = include_str!("generate/dashboard.json");

/// What `generate` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  barnabas generate completions bash > /etc/bash_completion.d/barnabas\n  \
    barnabas generate man | man -l -\n  barnabas generate man --to /usr/local/share/man/man1\n  barnabas generate shims /usr/local/bin\n  \
    barnabas generate alerts > /etc/prometheus/barnabas.yml\n  \
    barnabas generate systemd --data /srv/barnabas > /etc/systemd/system/barnabas.service\n  \
    barnabas generate compose --host kafka.example.com > compose.yaml")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Writes completions for a shell to stdout: of the commands, and of the topics, groups and users of the cluster that a line
    /// is about.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Writes a man page to stdout: of the program, or of one command.
    Man {
        /// The command, e.g. topics.
        command: Option<String>,
        /// Writes every page, as a file in this directory.
        #[arg(long, value_name = "DIRECTORY", conflicts_with = "command")]
        to: Option<PathBuf>,
    },
    /// Lays links to this program under the names of Kafka's tools, with and without .sh.
    Shims {
        /// Where.
        directory: PathBuf,
    },
    /// Writes a dashboard for Grafana to stdout, of what /metrics tells (barnabas.http.listener).
    Dashboards,
    /// Writes alerting rules for Prometheus to stdout, of what /metrics tells (barnabas.http.listener).
    Alerts,
    /// Writes the hardened unit of the Debian package to stdout, with the paths of this machine.
    Systemd(systemd::Unit),
    /// Writes a file for docker compose to stdout: one broker, from the image of packaging/Dockerfile.
    Compose(compose::Compose),
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Completions { shell } => {
            print_bytes(&complete::script(*shell)?)?;
        }
        Command::Man { to: Some(directory), .. } => {
            files::make_directory(directory)?;
            print(&pages(&built(), directory)?)?;
        }
        Command::Man { command, .. } => print_bytes(&man(command.as_deref())?)?,
        Command::Shims { directory } => print(&lay(directory)?)?,
        Command::Dashboards => print(DASHBOARD)?,
        Command::Alerts => print(ALERTS)?,
        Command::Systemd(unit) => print(&systemd::text(unit)?)?,
        Command::Compose(compose) => print(&compose::text(compose)?)?,
    }
    Ok(Exit::Done)
}

/// The whole command line, each command with its full name.
fn built() -> clap::Command {
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    whole
}

fn man(command: Option<&str>) -> Result<Vec<u8>, Failure> {
    let whole = built();
    match command {
        None => page(&whole),
        Some(name) => {
            let found = whole.find_subcommand(name);
            page(found.ok_or_else(|| Failure::not_found(format!("there is no command {name}")))?)
        }
    }
}

fn page(command: &clap::Command) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    Ok(text)
}

/// The pages of a command and of those below it, as files.
fn pages(command: &clap::Command, directory: &Path) -> Result<String, Failure> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let path = directory.join(format!("{name}.1"));
    files::write(&path, &page(command)?)?;
    let mut text = format!("{}\n", path.display());
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        text += &pages(below, directory)?;
    }
    Ok(text)
}

/// Existing files of these names are left alone.
fn lay(directory: &Path) -> Result<String, Failure> {
    files::make_directory(directory)?;
    let program = std::env::current_exe()?;
    let mut text = String::new();
    for name in shims::NAMES {
        for file in [(*name).to_owned(), format!("{name}.sh")] {
            let path = directory.join(file);
            match std::os::unix::fs::symlink(&program, &path) {
                Ok(()) => text += &format!("{}\n", path.display()),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    remark(format_args!("{} is there already and was left alone", path.display()));
                }
                Err(error) => return Err(format!("link {}: {error}", path.display()).into()),
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_laid_under_both_names_and_nothing_is_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let first = lay(directory.path()).unwrap();
        assert_eq!(first.lines().count(), 2 * shims::NAMES.len());
        assert!(directory.path().join("kafka-topics.sh").is_symlink());
        assert_eq!(lay(directory.path()).unwrap(), "");
        let new = directory.path().join("usr/bin");
        lay(&new).unwrap();
        assert!(new.join("kafka-topics").is_symlink(), "the directory is made");
    }

    #[test]
    fn every_command_has_a_man_page() {
        for command in Cli::command().get_subcommands() {
            let page = String::from_utf8(man(Some(command.get_name())).unwrap()).unwrap();
            assert!(page.contains(".TH"), "{}", command.get_name());
        }
        assert!(man(Some("nonsense")).is_err());
    }

    #[test]
    fn every_page_is_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let written = pages(&built(), directory.path()).unwrap();
        let page = |name: &str| files::read(&directory.path().join(name)).unwrap();
        assert!(page("barnabas.1").contains(r"barnabas\-topics(1)"));
        assert!(page("barnabas-topics.1").contains(r"barnabas\-topics\-create(1)"));
        assert!(page("barnabas-topics-create.1").contains(r"\-\-if\-not\-exists"));
        assert_eq!(pages(&built(), directory.path()).unwrap(), written, "over those that are there");
        assert!(pages(&built(), &directory.path().join("none")).is_err());
    }
}
