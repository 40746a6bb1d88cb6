//! One row of the table of settings: what may be known of a setting without a value at hand.

/// The type of a setting's values, in Kafka's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`, in any case.
    Boolean,
    /// A number of 16 bits.
    Short,
    /// A number of 32 bits.
    Int,
    /// A number of 64 bits.
    Long,
    /// A floating-point number.
    Double,
    /// Text.
    Text,
    /// The name of a Java class: plug-ins of Kafka that have no counterpart here.
    Class,
    /// Text that is never shown.
    Password,
    /// Texts separated by commas.
    List,
}

/// Which values of the right type are accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowed {
    /// All.
    Any,
    /// Numbers from `min` to `max`, and `also` if given.
    Range {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
        /// One value outside the range, with a meaning of its own.
        also: Option<i64>,
    },
    /// One of these words; of a list, each element.
    OneOf(&'static [&'static str]),
    /// One of these words in any case.
    OneOfAnyCase(&'static [&'static str]),
}

/// How a setting changes in a running broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Only at a start (`read-only`).
    Restart,
    /// Per broker (`per-broker`).
    PerBroker,
    /// Per broker or for the whole cluster (`cluster-wide`).
    ClusterWide,
}

/// What Barnabas does with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Read, and does what its documentation says.
    Honoured,
    /// Checked, kept and shown, but nothing reads it yet.
    Inert,
    /// Gone from Kafka; accepted with a warning so that an old file starts.
    Retired,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Kafka's name.
    pub name: &'static str,
    /// The type of its values.
    pub kind: Kind,
    /// The default as it would stand in a file; `None` is Kafka's null.
    pub default: Option<&'static str>,
    /// The setting that speaks when this one is not set, before the default.
    pub falls_back_to: Option<&'static str>,
    /// Accepted values.
    pub allowed: Allowed,
    /// How it changes in Kafka.
    pub change: Change,
    /// Here it changes only at a start, whatever Kafka does.
    pub at_start: bool,
    /// What Barnabas does with it.
    pub state: State,
    /// Its documentation, as the table's macro collects it; read it through [`Setting::doc`].
    raw_doc: &'static str,
}

impl Setting {
    /// A row that is inert, of no range, and changes at a restart only.
    pub(crate) const fn new(name: &'static str, kind: Kind, raw_doc: &'static str) -> Self {
        Self {
            name,
            kind,
            default: None,
            falls_back_to: None,
            allowed: Allowed::Any,
            change: Change::Restart,
            at_start: false,
            state: State::Inert,
            raw_doc,
        }
    }

    pub(crate) const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub(crate) const fn or(mut self, name: &'static str) -> Self {
        self.falls_back_to = Some(name);
        self
    }

    pub(crate) const fn min(self, min: i64) -> Self {
        self.range(min, i64::MAX)
    }

    pub(crate) const fn range(mut self, min: i64, max: i64) -> Self {
        self.allowed = Allowed::Range { min, max, also: None };
        self
    }

    pub(crate) const fn range_also(mut self, min: i64, max: i64, also: i64) -> Self {
        self.allowed = Allowed::Range { min, max, also: Some(also) };
        self
    }

    pub(crate) const fn one_of(mut self, words: &'static [&'static str]) -> Self {
        self.allowed = Allowed::OneOf(words);
        self
    }

    pub(crate) const fn one_of_any_case(mut self, words: &'static [&'static str]) -> Self {
        self.allowed = Allowed::OneOfAnyCase(words);
        self
    }

    pub(crate) const fn per_broker(mut self) -> Self {
        self.change = Change::PerBroker;
        self
    }

    pub(crate) const fn cluster_wide(mut self) -> Self {
        self.change = Change::ClusterWide;
        self
    }

    pub(crate) const fn at_start(mut self) -> Self {
        self.at_start = true;
        self
    }

    pub(crate) const fn honoured(mut self) -> Self {
        self.state = State::Honoured;
        self
    }

    pub(crate) const fn retired(mut self) -> Self {
        self.state = State::Retired;
        self
    }

    /// Gone from Kafka.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.state == State::Retired
    }

    /// Can be changed while the broker runs.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.change != Change::Restart && !self.at_start
    }

    /// The part of a refused text that Kafka names: of a list the first wrong element.
    #[must_use]
    pub fn offending<'a>(&self, text: &'a str) -> &'a str {
        let wrong = |element: &&str| self.check_word(element).is_err();
        if self.kind == Kind::List { list(text).find(wrong).unwrap_or(text) } else { text.trim() }
    }

    /// What the setting is for, in one or two sentences.
    #[must_use]
    pub fn doc(&self) -> &'static str {
        self.raw_doc.trim_start()
    }

    /// True when its values must not be shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Password
    }

    /// Checks one value.
    ///
    /// # Errors
    /// The reason, in Kafka's words.
    pub fn check(&self, text: &str) -> Result<(), String> {
        let text = text.trim();
        match self.kind {
            Kind::Boolean if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") => Ok(()),
            Kind::Boolean => Err("Expected value to be either true or false".to_owned()),
            Kind::Short => self.check_number(text.parse::<i16>().ok().map(i64::from), "SHORT"),
            Kind::Int => self.check_number(text.parse::<i32>().ok().map(i64::from), "INT"),
            Kind::Long => self.check_number(text.parse::<i64>().ok(), "LONG"),
            Kind::Double => self.check_double(text),
            Kind::Text | Kind::Class | Kind::Password => self.check_word(text),
            Kind::List => list(text).try_for_each(|element| self.check_word(element)),
        }
    }

    fn check_number(&self, number: Option<i64>, kind: &str) -> Result<(), String> {
        let number = number.ok_or_else(|| format!("Not a number of type {kind}"))?;
        match self.allowed {
            Allowed::Range { also: Some(also), .. } if number == also => Ok(()),
            Allowed::Range { min, max, also: Some(also) } if number < min || number > max => {
                Err(format!("Value must be between {min} and {max} or equal to {also}"))
            }
            Allowed::Range { min, .. } if number < min => Err(format!("Value must be at least {min}")),
            Allowed::Range { max, .. } if number > max => Err(format!("Value must be no more than {max}")),
            Allowed::Any | Allowed::Range { .. } | Allowed::OneOf(_) | Allowed::OneOfAnyCase(_) => Ok(()),
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "the bounds of fractions are 0 and 1")]
    fn check_double(&self, text: &str) -> Result<(), String> {
        // Rust reads words for what is no number, Java does not.
        let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E'));
        let number = Some(text).filter(|_| is_number).and_then(|text| text.parse::<f64>().ok());
        let number = number.ok_or_else(|| "Not a number of type DOUBLE".to_owned())?;
        match self.allowed {
            Allowed::Range { min, .. } if number < min as f64 => Err(format!("Value must be at least {min}")),
            Allowed::Range { max, .. } if number > max as f64 => Err(format!("Value must be no more than {max}")),
            Allowed::Any | Allowed::Range { .. } | Allowed::OneOf(_) | Allowed::OneOfAnyCase(_) => Ok(()),
        }
    }

    fn check_word(&self, word: &str) -> Result<(), String> {
        match self.allowed {
            Allowed::OneOf(words) if !words.contains(&word) => {
                Err(format!("String must be one of: {}", words.join(", ")))
            }
            Allowed::OneOfAnyCase(words) if !words.iter().any(|one| one.eq_ignore_ascii_case(word)) => {
                Err(format!("String must be one of (case insensitive): {}", words.join(", ")))
            }
            Allowed::Any | Allowed::Range { .. } | Allowed::OneOf(_) | Allowed::OneOfAnyCase(_) => Ok(()),
        }
    }
}

/// The elements of a list as Kafka splits it: at commas, trimmed; an empty text has none.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    let trimmed = text.trim();
    let parts = if trimmed.is_empty() { None } else { Some(trimmed.split(',')) };
    parts.into_iter().flatten().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_checked_by_width_and_range() {
        let row = Setting::new("x", Kind::Int, "").min(1);
        assert_eq!(row.check(" 7 "), Ok(()));
        assert_eq!(row.check("0"), Err("Value must be at least 1".to_owned()));
        assert_eq!(row.check("3000000000"), Err("Not a number of type INT".to_owned()));
        assert_eq!(row.check("seven"), Err("Not a number of type INT".to_owned()));
    }

    #[test]
    fn one_value_outside_a_range_may_be_allowed() {
        let row = Setting::new("x", Kind::Int, "").range_also(1, 9, -1);
        assert_eq!(row.check("-1"), Ok(()));
        assert!(row.check("0").is_err());
        assert_eq!(row.check("10"), Err("Value must be between 1 and 9 or equal to -1".to_owned()));
    }

    #[test]
    fn each_element_of_a_list_is_checked() {
        let row = Setting::new("x", Kind::List, "").one_of(&["compact", "delete"]);
        assert_eq!(row.check("compact , delete"), Ok(()));
        assert_eq!(row.check(""), Ok(()));
        assert_eq!(row.check("delete,shred"), Err("String must be one of: compact, delete".to_owned()));
    }
}
