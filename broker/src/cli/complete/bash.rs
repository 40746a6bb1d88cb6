//! Bash cuts a line at colons and equals signs, too, and replaces only what stands behind the last one: words are put together
//! again before anybody looks at them.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::engine::complete;
use clap_complete::env::EnvCompleter;

use crate::cli::environment::variable;

/// Set by the script: the number of the word, and what of it is before the cursor.
const NUMBER: &str = "BARNABAS_COMPLETE_WORD";
const TYPED: &str = "BARNABAS_COMPLETE_TYPED";

/// The completions of bash.
pub(super) struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        program: &str,
        completer: &str,
        into: &mut dyn Write,
    ) -> io::Result<()> {
        write!(
            into,
            "_{name}() {{\n    \
                 local IFS=$'\\n'\n    \
                 COMPREPLY=($({variable}=bash {NUMBER}=\"$COMP_CWORD\" {TYPED}=\"$2\" {completer} -- \"${{COMP_WORDS[@]}}\" 2>/dev/null))\n    \
                 [[ ${{#COMPREPLY[@]}} == 1 && ${{COMPREPLY[0]}} == *[=/:] ]] && compopt -o nospace\n    \
                 return 0\n\
             }}\n\
             complete -o bashdefault -F _{name} {program}\n"
        )
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        into: &mut dyn Write,
    ) -> io::Result<()> {
        let words: Vec<String> = words.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let number = variable(NUMBER).and_then(|number| number.parse().ok()).unwrap_or(0);
        let line = Line::of(&words, number, &variable(TYPED).unwrap_or_default());
        let number = line.words.len().saturating_sub(1);
        for candidate in complete(command, line.words.iter().map(OsString::from).collect(), number, directory)? {
            let value = candidate.get_value().to_string_lossy();
            if let Some(rest) = value.strip_prefix(&line.kept) {
                writeln!(into, "{rest}")?;
            }
        }
        Ok(())
    }
}

/// The words of a line up to the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) words: Vec<String>,
    /// What of the last word bash leaves as it is.
    kept: String,
}

impl Line {
    /// `typed` is what of the word at `number` is before the cursor, behind a colon or an equals sign.
    pub(super) fn of(words: &[String], number: usize, typed: &str) -> Self {
        let (mut joined, mut kept) = (Vec::<String>::new(), String::new());
        let mut is_open = false;
        for (at, word) in words.iter().enumerate().take(number.saturating_add(1)) {
            let is_break = !word.is_empty() && word.chars().all(|letter| letter == ':' || letter == '=');
            let text = if at == number && !is_break { typed } else { word };
            let goes_on = is_break || is_open;
            is_open = is_break;
            match joined.last_mut().filter(|_| goes_on) {
                Some(last) => {
                    kept = if is_break { format!("{last}{text}") } else { last.clone() };
                    last.push_str(text);
                }
                None => {
                    kept.clear();
                    joined.push(text.to_owned());
                }
            }
        }
        Self { words: joined, kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &str, typed: &str) -> Line {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        Line::of(&words, words.len() - 1, typed)
    }

    fn of(words: &str, kept: &str) -> Line {
        Line { words: words.split(' ').map(str::to_owned).collect(), kept: kept.to_owned() }
    }

    #[test]
    fn words_that_bash_has_cut_are_put_together() {
        assert_eq!(line("b consume -b here : 9092 or", "or"), of("b consume -b here:9092 or", ""));
        assert_eq!(line("b seek --topic = or", "or"), of("b seek --topic=or", "--topic="));
        assert_eq!(line("b seek --topic =", ""), of("b seek --topic=", "--topic="));
        assert_eq!(line("b check ann write topic : or", "or"), of("b check ann write topic:or", "topic:"));
        assert_eq!(line("b consume ", ""), of("b consume ", ""));
        assert_eq!(line("b consume orders", "or"), of("b consume or", ""), "the cursor is within the word");
    }
}
