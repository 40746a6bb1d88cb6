//! Building a configuration: layers in order, every value checked, all problems reported together.
//!
//! Where it differs from Apache Kafka: an unknown key is reported with the name that was probably meant; a file without
//! `process.roles`, `node.id` or `controller.listener.names` starts one node that is both broker and controller; the
//! providers of `${env:..}`, `${file:..}` and `${directory:..}` need no declaration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Config, Given, HIDDEN, Source};
use crate::environment;
use crate::error::{ConfigError, ConfigErrors, Warning};
use crate::listener::Listeners;
use crate::provider::{Providers, ReadFile};
use crate::setting::{Setting, State};
use crate::{checks, key, properties, suggest, table};

/// Everything that settings are read from, weakest first: files in order, environment, `-c key=value`.
pub struct ConfigSources<'a> {
    /// server.properties files. With none, [`Config::dev`] is the ground.
    pub files: Vec<PathBuf>,
    /// Environment variables, those of other programs among them.
    pub environment: Vec<(String, String)>,
    /// `key=value` of the command line.
    pub assignments: Vec<String>,
    /// Reads a file's text.
    pub read_file: ReadFile<'a>,
}

/// What a start without a file begins with: this machine only, data beside the working directory, internal topics of
/// one replica, and no wait for more members of a group.
const DEVELOPMENT: [(&str, &str); 9] = [
    ("listeners", "PLAINTEXT://127.0.0.1:9092"),
    ("log.dirs", "./barnabas-data"),
    ("offsets.topic.replication.factor", "1"),
    ("transaction.state.log.replication.factor", "1"),
    ("transaction.state.log.min.isr", "1"),
    ("share.coordinator.state.topic.replication.factor", "1"),
    ("share.coordinator.state.topic.min.isr", "1"),
    ("group.initial.rebalance.delay.ms", "0"),
    ("num.partitions", "1"),
];

impl Config {
    /// The configuration of a start without files, variables and assignments.
    #[must_use]
    pub fn dev() -> Self {
        let read_file = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
        let sources = ConfigSources {
            files: Vec::new(),
            environment: Vec::new(),
            assignments: Vec::new(),
            read_file: &read_file,
        };
        Self::load(&sources).expect("invariant: a test loads the development defaults").0
    }

    /// Reads all sources.
    ///
    /// # Errors
    /// Every problem that stops a start, each with its place.
    pub fn load(sources: &ConfigSources<'_>) -> Result<(Self, Vec<Warning>), ConfigErrors> {
        let (config, warnings, errors) = Loader::read(sources).finish();
        if errors.is_empty() { Ok((config, warnings)) } else { Err(ConfigErrors(errors)) }
    }

    /// Everything that a start would be told: warnings are not hidden by errors.
    #[must_use]
    pub fn lint(sources: &ConfigSources<'_>) -> (Vec<ConfigError>, Vec<Warning>) {
        let (_, warnings, errors) = Loader::read(sources).finish();
        (errors, warnings)
    }
}

struct Loader<'a> {
    providers: Providers<'a>,
    given: BTreeMap<String, Given>,
    warnings: Vec<Warning>,
    errors: Vec<ConfigError>,
}

impl<'a> Loader<'a> {
    /// Takes all sources in, weakest first.
    fn read(sources: &'a ConfigSources<'a>) -> Self {
        let mut loader = Self {
            providers: Providers { variables: &sources.environment, read_file: sources.read_file },
            given: BTreeMap::new(),
            warnings: Vec::new(),
            errors: Vec::new(),
        };
        if sources.files.is_empty() {
            for (name, text) in DEVELOPMENT {
                loader.take(Source::Development, name, text);
            }
        }
        for path in &sources.files {
            loader.take_file(path);
        }
        for assignment in environment::assignments(&sources.environment) {
            loader.take(Source::Environment(assignment.variable.to_owned()), &assignment.key, assignment.value);
        }
        for assignment in &sources.assignments {
            match assignment.split_once('=') {
                Some((name, value)) => loader.take(Source::CommandLine, name.trim(), value.trim()),
                None => loader.errors.push(ConfigError::NoValue(assignment.clone())),
            }
        }
        loader
    }

    fn take_file(&mut self, path: &Path) {
        let text = match (self.providers.read_file)(path) {
            Ok(text) => text,
            Err(source) => {
                self.errors.push(ConfigError::Unreadable { path: path.to_owned(), source });
                return;
            }
        };
        let path = Arc::new(path.to_owned());
        for property in properties::parse(&text) {
            match property {
                Ok(property) => {
                    let source = Source::File { path: Arc::clone(&path), line: property.line };
                    self.warn_if_repeated(&source, &property.key);
                    self.take(source, &property.key, &property.value);
                }
                Err(error) => self.errors.push(ConfigError::Malformed { path: path.to_path_buf(), error }),
            }
        }
    }

    /// Java takes the last of two lines without a word; here it is said.
    fn warn_if_repeated(&mut self, source: &Source, name: &str) {
        let Some(Given { source: earlier, .. }) = self.given.get(name) else { return };
        if let (Source::File { path, .. }, Source::File { path: other, .. }) = (source, earlier)
            && path == other
        {
            let (at, earlier) = (source.clone(), earlier.clone());
            self.warnings.push(Warning::Repeated { at, key: name.to_owned(), earlier });
        }
    }

    fn take(&mut self, source: Source, name: &str, raw: &str) {
        let resolved = match self.providers.resolve(raw) {
            Ok(resolved) => resolved,
            Err(error) => return self.errors.push(ConfigError::Provider { at: source, key: name.to_owned(), error }),
        };
        if let Some(setting) = table::of_key(name)
            && let Err(reason) = setting.check(&resolved.text)
        {
            let hidden = resolved.hidden || setting.is_secret();
            let value = if hidden { HIDDEN.to_owned() } else { resolved.text };
            return self.errors.push(ConfigError::Invalid { at: source, key: name.to_owned(), value, reason });
        }
        self.given.insert(name.to_owned(), Given { text: resolved.text, hidden: resolved.hidden, source });
    }

    /// The settings, which are good when there is no error.
    fn finish(mut self) -> (Config, Vec<Warning>, Vec<ConfigError>) {
        self.judge_keys();
        let mut config = Config { given: self.given, listeners: Listeners::default() };
        if self.errors.is_empty() {
            checks::run(&mut config, &mut self.warnings, &mut self.errors);
        }
        (config, self.warnings, self.errors)
    }

    /// Says what is unknown, retired, or without effect.
    fn judge_keys(&mut self) {
        let policy = self.given.get(key::CONFIG_UNKNOWN_KEYS.name).map_or("warn", |given| given.text.trim()).to_owned();
        let mut inert = Vec::new();
        for (name, given) in &self.given {
            match table::of_key(name) {
                Some(setting) if setting.state == State::Retired => {
                    let (at, key) = (given.source.clone(), name.clone());
                    self.warnings.push(Warning::Retired { at, key, instead: setting.doc() });
                }
                Some(setting) if setting.state == State::Inert && differs(setting, given) => inert.push(name.clone()),
                Some(_) => {}
                None if table::is_of_a_plug_in(name) => inert.push(name.clone()),
                None => {
                    let (at, key) = (given.source.clone(), name.clone());
                    let meant = suggest::nearest(name, table::names());
                    match policy.as_str() {
                        "ignore" => {}
                        "error" => self.errors.push(ConfigError::Unknown { at, key, meant }),
                        _ => self.warnings.push(Warning::Unknown { at, key, meant }),
                    }
                }
            }
        }
        if !inert.is_empty() {
            self.warnings.push(Warning::WithoutEffect(inert));
        }
    }
}

/// A setting without effect is worth a word only when its value asks for something; that of a start without a file is
/// not the user's.
fn differs(setting: &Setting, given: &Given) -> bool {
    given.source != Source::Development && setting.default != Some(given.text.trim())
}

#[cfg(test)]
mod tests;
