//! What a start is told about its configuration: errors stop it, warnings do not. Values of secrets never appear.

use std::io;
use std::path::PathBuf;

use crate::config::Source;
use crate::listener::ListenerError;
use crate::properties::MalformedEscape;
use crate::provider::ProviderError;

/// One problem that stops a start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{}: read the settings: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A line cannot be read.
    #[error("{}:{}: {error}", path.display(), error.line)]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: MalformedEscape,
    },
    /// `-c` without a value.
    #[error("command line: -c {0}: give it as key=value")]
    NoValue(String),
    /// A reference without a value.
    #[error("{at}: {key}: {error}")]
    Provider {
        /// Where it was given.
        at: Source,
        /// The setting.
        key: String,
        /// Why it has none.
        error: ProviderError,
    },
    /// A value of the wrong type or range.
    #[error("{at}: Invalid value {value} for configuration {key}: {reason}")]
    Invalid {
        /// Where it was given.
        at: Source,
        /// The setting.
        key: String,
        /// The value, unless it is a secret.
        value: String,
        /// Why it is refused.
        reason: String,
    },
    /// A key that is no setting, under `config.unknown.keys=error`.
    #[error("{at}: unknown setting {key}{}", did_you_mean(*meant))]
    Unknown {
        /// Where it was given.
        at: Source,
        /// The key.
        key: String,
        /// The nearest setting.
        meant: Option<&'static str>,
    },
    /// Listeners that do not fit together.
    #[error("{at}: {key}: {error}")]
    Listener {
        /// Where they were given.
        at: Source,
        /// The setting.
        key: &'static str,
        /// What is wrong.
        error: ListenerError,
    },
    /// Settings that contradict each other or ask for what is not served.
    #[error("{at}: {key}: {reason}")]
    Refused {
        /// Where it was given.
        at: Source,
        /// The setting.
        key: &'static str,
        /// Why, and what to do.
        reason: String,
    },
}

/// Everything that stops a start, one line each.
#[derive(Debug)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl std::error::Error for ConfigErrors {}

impl std::fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

/// Something odd that does not stop a start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// A key that is no setting.
    #[error("{at}: unknown setting {key} is ignored{}", did_you_mean(*meant))]
    Unknown {
        /// Where it was given.
        at: Source,
        /// The key.
        key: String,
        /// The nearest setting.
        meant: Option<&'static str>,
    },
    /// A setting that Kafka has given up.
    #[error("{at}: {key} is retired and has no effect: {instead}")]
    Retired {
        /// Where it was given.
        at: Source,
        /// The setting.
        key: String,
        /// What to do instead.
        instead: &'static str,
    },
    /// A key twice in one file.
    #[error("{at}: {key} was given before, at {earlier}; the later value counts")]
    Repeated {
        /// The later place.
        at: Source,
        /// The key.
        key: String,
        /// The earlier place.
        earlier: Source,
    },
    /// Known settings that nothing reads yet.
    #[error("accepted, but without effect for now: {}", .0.join(", "))]
    WithoutEffect(Vec<String>),
    /// A value that one node cannot meet.
    #[error("{key} is {value}, but this node is alone: set {key}=1")]
    SingleNode {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: i64,
    },
}

fn did_you_mean(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"))
}
