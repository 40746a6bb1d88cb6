//! Asking before something is destroyed.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Failure;
use super::remark::prompt;

/// Whether to ask.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct Confirm {
    /// Does it without asking.
    #[arg(short, long)]
    pub(super) yes: bool,
}

impl Confirm {
    /// Shows what will happen and waits for a yes.
    ///
    /// # Errors
    /// The answer is no, or nobody is there to ask.
    pub(super) fn ask(self, what: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::usage(format!("{what}: nobody is there to confirm it")).next("the same with --yes"));
        }
        prompt(format_args!("{what}. Go on? [y/N] "));
        io::stderr().flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if is_yes(&answer) { Ok(()) } else { Err("nothing was changed".into()) }
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        assert!(is_yes("y\n") && is_yes(" YES "));
        assert!(!is_yes("") && !is_yes("n") && !is_yes("yess"));
    }
}
