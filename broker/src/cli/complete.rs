//! Completions that know the cluster: a shell calls this program with the words of a line and gets what may come next, names of
//! topics, groups and users among it.
//!
//! The scripts that call it are written by `barnabas generate completions`. Nothing is ever said on stderr: that is where the
//! person types.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::env::{CompleteEnv, Elvish, Fish, Powershell, Shells, Zsh};

use super::exit::Exit;
use super::{Cli, Failure};

mod bash;
pub(super) mod names;

use bash::Bash;

/// Set by the scripts: which shell asks.
const VARIABLE: &str = "BARNABAS_COMPLETE";
/// How the scripts call us, so that what they offer is what the installed program understands.
const PROGRAM: &str = "barnabas";
/// For zsh, which runs the file itself at the first key.
const AT_THE_FIRST_KEY: &str =
    "\nif [ \"$funcstack[1]\" = \"_barnabas\" ]; then\n    _clap_dynamic_completer_barnabas \"$@\"\nfi\n";

const SHELLS: Shells<'static> = Shells(&[&Bash, &Elvish, &Fish, &Powershell, &Zsh]);

/// Answers a shell; `None` when no shell asks.
pub(super) fn run() -> Option<ExitCode> {
    let asked = CompleteEnv::with_factory(Cli::command).var(VARIABLE).shells(SHELLS);
    let directory = std::env::current_dir().ok();
    match asked.try_complete(std::env::args_os(), directory.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(Exit::Done.into()),
        Err(_) => Some(Exit::Failed.into()),
    }
}

/// The script that lets a shell ask.
///
/// # Errors
/// There is none for this shell.
pub(super) fn script(shell: clap_complete::Shell) -> Result<Vec<u8>, Failure> {
    let name = shell.to_string();
    let known = SHELLS.completer(&name).ok_or_else(|| Failure::not_found(format!("no completions for {name}")))?;
    let mut text = Vec::new();
    known.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut text)?;
    if shell == clap_complete::Shell::Zsh {
        text.extend_from_slice(AT_THE_FIRST_KEY.as_bytes());
    }
    Ok(text)
}
