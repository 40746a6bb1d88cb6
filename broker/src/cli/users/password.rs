//! Where a new password comes from: a prompt, standard input, a file, the environment.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::cli::Failure;
use crate::cli::environment::variable;
use crate::cli::files;
use crate::cli::remark::{prompt, say};

/// The variable that holds a new password.
const VARIABLE: &str = "BARNABAS_NEW_PASSWORD";

/// Where the password comes from. Without any: BARNABAS_NEW_PASSWORD, else a prompt.
#[derive(Debug, clap::Args)]
pub(super) struct PasswordSource {
    /// Reads the password from standard input, one line.
    #[arg(long, conflicts_with = "password_file")]
    password_stdin: bool,
    /// Reads the password from the first line of a file.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordSource {
    /// The password.
    ///
    /// # Errors
    /// There is none, or two that differ were typed.
    pub(super) fn read(&self) -> Result<String, Failure> {
        let password = if let Some(file) = &self.password_file {
            first_line(&files::read(file)?)
        } else if self.password_stdin {
            read_line()?
        } else if let Some(password) = variable(VARIABLE) {
            password
        } else if io::stdin().is_terminal() {
            ask_twice()?
        } else {
            let text = format!("no password: nobody is there to type it, and {VARIABLE} is not set");
            return Err(Failure::usage(text).next("the same with --password-stdin or --password-file FILE"));
        };
        if password.is_empty() { Err(Failure::usage("the password is empty")) } else { Ok(password) }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn read_line() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(first_line(&line))
}

fn ask_twice() -> Result<String, Failure> {
    let (first, second) = (ask("New password: ")?, ask("Again: ")?);
    if first == second { Ok(first) } else { Err(Failure::usage("the two passwords differ")) }
}

/// One line that the terminal does not show.
fn ask(question: &str) -> Result<String, Failure> {
    prompt(question);
    io::stderr().flush()?;
    let shown = tcgetattr(io::stdin()).map_err(io::Error::from)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Flush, &hidden).map_err(io::Error::from)?;
    let line = read_line();
    tcsetattr(io::stdin(), OptionalActions::Flush, &shown).map_err(io::Error::from)?;
    say("");
    line
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_password_is_one_line_of_a_file() {
        for (text, password) in [("secret\n", Some("secret")), (" a b \nmore", Some(" a b ")), ("\n", None)] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let arguments = PasswordSource { password_stdin: false, password_file: Some(file.path().to_path_buf()) };
            assert_eq!(arguments.read().ok().as_deref(), password);
        }
    }
}
