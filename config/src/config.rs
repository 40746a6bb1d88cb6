//! The effective broker settings, after files, environment and command line.
//!
//! Invariants: CFG-1, every value kept here was checked against its row, so that reading cannot fail; CFG-2, every
//! value knows the layer it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::key::Key;
use crate::listener::{Listener, Listeners};
use crate::setting::{Kind, Setting, list};
use crate::table;

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The table.
    Default,
    /// The defaults of a start without a file.
    Development,
    /// A file.
    File {
        /// Its path as given.
        path: Arc<PathBuf>,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// `-c` on the command line.
    CommandLine,
    /// A change in the running cluster, for every broker.
    DynamicCluster,
    /// A change in the running cluster, for this broker.
    DynamicBroker,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Development => f.write_str("development default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::CommandLine => f.write_str("command line"),
            Self::DynamicCluster => f.write_str("changed for the cluster"),
            Self::DynamicBroker => f.write_str("changed for this broker"),
        }
    }
}

/// What stands for a value that must not be seen.
pub(crate) const HIDDEN: &str = "(hidden)";

/// One value that was given.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) text: String,
    /// Not to be shown, whatever the setting: a provider gave it.
    pub(crate) hidden: bool,
    pub(crate) source: Source,
}

/// The effective broker settings.
#[derive(Clone)]
pub struct Config {
    pub(crate) given: BTreeMap<String, Given>,
    pub(crate) listeners: Listeners,
}

/// Shows which settings were given, not their values: some are secrets.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.given.keys()).finish()
    }
}

/// A type that a setting's text is read into.
pub trait Value: Sized {
    /// True when rows of this kind can be read into the type.
    fn reads(setting: &Setting) -> bool;

    /// Reads the text, already validated by the table; `None` is a setting without a value.
    fn read(text: Option<&str>) -> Self;
}

const VALIDATED: &str = "invariant CFG-1: a value was checked when the configuration was built";

impl Value for bool {
    fn reads(setting: &Setting) -> bool {
        setting.kind == Kind::Boolean && setting.default.is_some()
    }

    fn read(text: Option<&str>) -> Self {
        text.expect(VALIDATED).trim().eq_ignore_ascii_case("true")
    }
}

impl Value for i64 {
    fn reads(setting: &Setting) -> bool {
        matches!(setting.kind, Kind::Short | Kind::Int | Kind::Long)
            && (setting.default.is_some() || setting.falls_back_to.is_some())
    }

    fn read(text: Option<&str>) -> Self {
        text.expect(VALIDATED).trim().parse().expect(VALIDATED)
    }
}

impl Value for f64 {
    fn reads(setting: &Setting) -> bool {
        setting.kind == Kind::Double && setting.default.is_some()
    }

    fn read(text: Option<&str>) -> Self {
        text.expect(VALIDATED).trim().parse().expect(VALIDATED)
    }
}

impl Value for String {
    fn reads(setting: &Setting) -> bool {
        matches!(setting.kind, Kind::Text | Kind::Class) && setting.default.is_some()
    }

    fn read(text: Option<&str>) -> Self {
        text.expect(VALIDATED).trim().to_owned()
    }
}

impl Value for Option<String> {
    fn reads(setting: &Setting) -> bool {
        matches!(setting.kind, Kind::Text | Kind::Class | Kind::Password) && setting.default.is_none()
    }

    fn read(text: Option<&str>) -> Self {
        text.map(|text| text.trim().to_owned())
    }
}

impl Value for Vec<String> {
    fn reads(setting: &Setting) -> bool {
        setting.kind == Kind::List
    }

    fn read(text: Option<&str>) -> Self {
        text.into_iter().flat_map(list).map(str::to_owned).collect()
    }
}

impl Config {
    /// The value of one setting. The text was validated when the configuration was built, so this cannot fail.
    #[must_use]
    pub fn read<T: Value>(&self, key: &Key<T>) -> T {
        T::read(self.text(key.name))
    }

    /// The effective text of a setting: what was given, else what it falls back to, else the default.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(given) = self.given.get(name) {
            return Some(&given.text);
        }
        let setting = table::broker(name)?;
        let fallback = setting.falls_back_to.filter(|other| self.given.contains_key(*other));
        fallback.and_then(|other| self.text(other)).or(setting.default).or_else(|| self.text(setting.falls_back_to?))
    }

    /// The effective text of a setting for one listener: what was given for it alone (`listener.name.NAME.` before the
    /// setting), else what holds for all.
    #[must_use]
    pub fn of_listener(&self, listener: &str, name: &str) -> Option<&str> {
        self.of_listener_alone(listener, name).or_else(|| self.text(name))
    }

    /// The text of a setting only when it was given for this listener.
    #[must_use]
    pub fn of_listener_alone(&self, listener: &str, name: &str) -> Option<&str> {
        self.given(&format!("listener.name.{}.{name}", listener.to_ascii_lowercase()))
    }

    /// The names of all broker settings but the retired, and of everything that was given, ordered.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let known = table::names().filter(|name| table::broker(name).is_some_and(|row| !row.is_retired()));
        let names: BTreeSet<String> = known.map(str::to_owned).chain(self.given.keys().cloned()).collect();
        names.into_iter().collect()
    }

    /// Where the effective text of a setting comes from.
    #[must_use]
    pub fn source(&self, name: &str) -> Source {
        self.given.get(name).map_or(Source::Default, |given| given.source.clone())
    }

    /// The effective text as it may be shown: a password, or what a provider gave, is hidden.
    #[must_use]
    pub fn shown(&self, name: &str) -> Option<&str> {
        let hidden = self.given.get(name).is_some_and(|given| given.hidden);
        let secret = table::of_key(name).is_none_or(Setting::is_secret);
        self.text(name).map(|text| if hidden || secret { HIDDEN } else { text })
    }

    /// The text only when it was given.
    #[must_use]
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(|given| given.text.trim())
    }

    /// The text that files, environment or command line give. As in Kafka, `node.id` gives `broker.id` too.
    #[must_use]
    pub(crate) fn given_text(&self, name: &str) -> Option<&str> {
        let given = self.given(name);
        if name == "broker.id" { given.or_else(|| self.given("node.id")) } else { given }
    }

    /// True for a value that a provider gave.
    #[must_use]
    pub(crate) fn is_hidden(&self, name: &str) -> bool {
        self.given.get(name).is_some_and(|given| given.hidden)
    }

    /// The broker's listeners.
    #[must_use]
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners.brokers
    }

    /// The controller's listeners, of which clients are not told: none, or as many as were asked for.
    #[must_use]
    pub fn controller_listeners(&self) -> &[Listener] {
        &self.listeners.controllers
    }

    /// Both.
    pub fn all_listeners(&self) -> impl Iterator<Item = &Listener> {
        self.listeners().iter().chain(self.controller_listeners())
    }

    /// What clients are told to connect to, by listener name.
    #[must_use]
    pub fn advertised_listeners(&self) -> &[Listener] {
        &self.listeners.advertised
    }

    /// What those who ask a controller's listener are told to connect to.
    #[must_use]
    pub fn advertised_controller(&self, name: &str) -> Option<&Listener> {
        let has_name = |listener: &&Listener| listener.name == name;
        let advertised = self.listeners.advertised_controllers.iter().find(has_name);
        advertised.or_else(|| self.controller_listeners().iter().find(has_name))
    }
}
