//! What is logged, by part of the program: levels that can be changed while it runs (KIP-412).
//!
//! A logger is a crate or module of ours, named as in a line of the log, or `root` for all that have no level of their
//! own. Levels are the process's, not stored: a start begins with `RUST_LOG` or `info`.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

/// The logger of everything that has no level of its own.
pub const ROOT: &str = "root";

/// Kafka's levels.
pub const LEVELS: [&str; 6] = ["DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN"];

/// Parts of the program that can have a level of their own.
const PARTS: [&str; 8] = [
    "barnabas_broker",
    "barnabas_broker::api",
    "barnabas_broker::group",
    "barnabas_broker::network",
    "barnabas_broker::partition",
    "barnabas_raft",
    "barnabas_storage",
    "openraft",
];

/// Takes directives as `RUST_LOG` has them.
type Apply = Box<dyn Fn(&str) + Send + Sync>;

/// What puts levels into force in this process, once logging has begun.
static APPLY: OnceLock<Apply> = OnceLock::new();

/// Says how levels are put into force. Only the first call counts: a process logs in one way.
pub fn logs_by(apply: Apply) {
    // A second caller logs as the first one does.
    drop(APPLY.set(apply));
}

/// The levels.
pub struct Loggers {
    levels: Mutex<BTreeMap<&'static str, &'static str>>,
}

/// Why a level was not changed: the messages are Kafka's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// No such logger.
    #[error("Logger {0} does not exist!")]
    Unknown(String),
    /// No such level.
    #[error(
        "Cannot set the log level of {logger} to {level} as it is not a supported log level. Valid log levels are {}",
        LEVELS.join(", ")
    )]
    Level {
        /// Whose.
        logger: String,
        /// What was asked for.
        level: String,
    },
    /// The root always has one.
    #[error("Removing the log level of the root logger is not allowed")]
    Root,
}

impl Default for Loggers {
    fn default() -> Self {
        Self { levels: Mutex::new(BTreeMap::from([(ROOT, "INFO"), ("openraft", "ERROR")])) }
    }
}

impl Loggers {
    /// A handle for a broker.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Every logger and its level, ordered by name.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, &'static str)> {
        let levels = self.levels.lock();
        let inherited = |part: &str| {
            let above = levels.iter().filter(|(name, _)| part.starts_with(**name)).max_by_key(|(name, _)| name.len());
            above.map_or_else(|| levels.get(ROOT).copied().unwrap_or("INFO"), |(_, level)| *level)
        };
        PARTS.into_iter().chain([ROOT]).map(|part| (part, inherited(part))).collect()
    }

    /// Whether this change can be made.
    ///
    /// # Errors
    /// See [`LevelError`].
    pub fn check(&self, logger: &str, level: Option<&str>) -> Result<(), LevelError> {
        let known = logger == ROOT || PARTS.contains(&logger);
        if let Some(level) = level
            && level_of(level).is_none()
        {
            return Err(LevelError::Level { logger: logger.to_owned(), level: level.to_owned() });
        }
        match level {
            _ if !known => Err(LevelError::Unknown(logger.to_owned())),
            None if logger == ROOT => Err(LevelError::Root),
            Some(_) | None => Ok(()),
        }
    }

    /// Sets a level, or with `None` goes back to that of the part above.
    pub fn set(&self, logger: &str, level: Option<&str>) {
        let Some(logger) = PARTS.into_iter().chain([ROOT]).find(|part| *part == logger) else { return };
        let directives = {
            let mut levels = self.levels.lock();
            match level.and_then(level_of) {
                Some(level) => levels.insert(logger, level),
                None => levels.remove(logger),
            };
            directives(&levels)
        };
        if let Some(apply) = APPLY.get() {
            apply(&directives);
        }
    }
}

fn level_of(text: &str) -> Option<&'static str> {
    LEVELS.into_iter().find(|level| *level == text)
}

/// As `RUST_LOG` has them; its highest level is `error`.
fn directives(levels: &BTreeMap<&'static str, &'static str>) -> String {
    let directive = |(logger, level): (&&str, &&str)| {
        let level = if *level == "FATAL" { "error".to_owned() } else { level.to_ascii_lowercase() };
        if *logger == ROOT { level } else { format!("{logger}={level}") }
    };
    levels.iter().map(directive).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_without_a_level_has_that_of_the_part_above() {
        let loggers = Loggers::new();
        let level = |name: &str| loggers.all().into_iter().find(|(logger, _)| *logger == name).unwrap().1;
        assert_eq!((level(ROOT), level("barnabas_broker::api"), level("openraft")), ("INFO", "INFO", "ERROR"));
        loggers.set("barnabas_broker", Some("DEBUG"));
        assert_eq!((level(ROOT), level("barnabas_broker::api"), level("barnabas_raft")), ("INFO", "DEBUG", "INFO"));
        loggers.set("barnabas_broker", None);
        assert_eq!(level("barnabas_broker::api"), "INFO");
    }

    #[test]
    fn levels_and_loggers_are_checked() {
        let loggers = Loggers::new();
        assert_eq!(loggers.check("barnabas_raft", Some("WARN")), Ok(()));
        assert_eq!(loggers.check("x", Some("INFO")), Err(LevelError::Unknown("x".to_owned())));
        assert_eq!(loggers.check(ROOT, None), Err(LevelError::Root));
        let loud = loggers.check(ROOT, Some("LOUD")).unwrap_err().to_string();
        assert!(loud.ends_with("Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN"), "{loud}");
    }

    #[test]
    fn directives_are_those_of_rust_log() {
        let levels = BTreeMap::from([(ROOT, "FATAL"), ("barnabas_raft", "TRACE")]);
        assert_eq!(directives(&levels), "barnabas_raft=trace,error");
    }
}
