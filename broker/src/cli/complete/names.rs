//! Names of topics, groups and users, asked of the cluster that the line names, as a completion.
//!
//! Whoever does not answer within [`PATIENCE`] has no names: a person waits at the keyboard.

use std::ffi::OsStr;
use std::time::Duration;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::bash::Line;
use crate::cli::connection::ConnectionArguments;
use crate::cli::{Failure, users};

/// From the key to the names.
const PATIENCE: Duration = Duration::from_millis(90);
/// What stands between kind and name of what has settings.
const KINDS: [(&str, Option<Kind>); 6] = [
    ("topic/", Some(Kind::Topics)),
    ("group/", Some(Kind::Groups)),
    ("broker/", None),
    ("broker-logger/", None),
    ("client-metrics/", None),
    ("cluster", None),
];

/// What has names.
#[derive(Clone, Copy)]
enum Kind {
    Topics,
    Groups,
    Users,
}

/// Of an argument that is a topic.
pub(in crate::cli) fn topics() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| candidates(Kind::Topics, "", typed))
}

/// Of an argument that is a group.
pub(in crate::cli) fn groups() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| candidates(Kind::Groups, "", typed))
}

/// Of an argument that is a user.
pub(in crate::cli) fn users() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| candidates(Kind::Users, "", typed))
}

/// Of an argument that is whatever has settings, as topic/NAME.
pub(in crate::cli) fn resources() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let text = typed.to_string_lossy();
        match KINDS.iter().find(|(beginning, _)| text.starts_with(beginning)) {
            Some((beginning, Some(kind))) => candidates(*kind, beginning, typed),
            Some((_, None)) => Vec::new(),
            None => {
                let fitting = KINDS.iter().filter(|(beginning, _)| beginning.starts_with(&*text));
                fitting.map(|(beginning, _)| CompletionCandidate::new(beginning)).collect()
            }
        }
    })
}

/// Names that go on as was typed, behind `beginning`.
fn candidates(kind: Kind, beginning: &str, typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str().and_then(|text| text.strip_prefix(beginning)) else { return Vec::new() };
    let mut names = within_patience(kind).unwrap_or_default();
    names.retain(|name| name.starts_with(typed) && is_harmless(name));
    names.sort();
    names.iter().map(|name| CompletionCandidate::new(format!("{beginning}{name}"))).collect()
}

/// What goes into a person's line must mean nothing to a shell: anybody may have given a group its name.
fn is_harmless(name: &str) -> bool {
    let is_plain = |letter: char| letter.is_alphanumeric() || "._-/:@+,%".contains(letter);
    !name.starts_with('-') && name.chars().all(is_plain)
}

fn within_patience(kind: Kind) -> Option<Vec<String>> {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let line = Line::of(&words, words.len().saturating_sub(1), words.last().map_or("", String::as_str));
    let connection = ConnectionArguments::of_words(&line.words);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let names = runtime.block_on(async { tokio::time::timeout(PATIENCE, ask(kind, &connection)).await });
    // A name server that does not answer is not waited for.
    runtime.shutdown_background();
    names.ok()?.ok()
}

async fn ask(kind: Kind, connection: &ConnectionArguments) -> Result<Vec<String>, Failure> {
    let mut cluster = connection.connect().await?;
    Ok(match kind {
        Kind::Topics => cluster.topics(None).await?.into_iter().map(|topic| topic.name).collect(),
        Kind::Groups => {
            cluster.list_groups(&[]).await?.into_iter().map(|(_, group)| group.group_id.to_string()).collect()
        }
        Kind::Users => {
            users::describe(&mut cluster, &[]).await?.into_iter().map(|user| user.user.to_string()).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_shell_would_run_is_not_offered() {
        assert!(is_harmless("orders.v1_a-b") && is_harmless("größe"));
        for name in ["$(reboot)", "a b", "a;b", "`x`", "-rf", "a\nb", "a'b", "~root", "a*", "a&b", "a>b"] {
            assert!(!is_harmless(name), "{name}");
        }
    }
}
