//! `sasl.kerberos.principal.to.local.rules`: how a name of Kerberos becomes a principal's name, as in Kafka.
//!
//! A list, with commas, of `DEFAULT` (the first component of names in the default realm) and
//! `RULE:[n:format](pattern)s/from/to/g`, with `/L` or `/U` behind it. A rule is for names of n components; `format` has them as
//! `$1` and `$2`, the realm as `$0`. Pattern and replacement may be left out. The first rule whose pattern matches the whole of
//! what `format` gives decides; without one nobody is let in.
//!
//! Where it differs from Apache Kafka: what could never work (a `$3` for two components, a `$1` without a group) is refused at the
//! start, and so is an empty list; a name that comes out empty lets nobody in. Patterns have no look-around and no
//! back-references, and neither they nor the list may be beyond the bounds of `pattern`.

use regex::Regex;

use super::name::{KerberosName, MalformedName};
use crate::pattern::{RULES_MAX, compile, compile_whole};
use crate::replacement::{Beyond, Replacement};
use crate::rule_error::RuleError;

/// What a rule looks like.
const FORM: &str = "RULE:[n:format](pattern)s/from/to/g, with /L or /U behind it";

/// Why a name has no short one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoShortName {
    /// It cannot be taken apart.
    #[error(transparent)]
    Malformed(#[from] MalformedName),
    /// No rule is for it.
    #[error("no rule of sasl.kerberos.principal.to.local.rules is for {0}")]
    NoRule(String),
    /// The rule that decides leaves a realm, a second component or nothing at all.
    #[error("a rule of sasl.kerberos.principal.to.local.rules makes '{short}' of {name}, which is not a simple name")]
    NotSimple {
        /// The name.
        name: String,
        /// What came of it.
        short: String,
    },
}

/// The rules, in their order.
#[derive(Clone, Debug)]
pub struct ShortNameRules(Vec<Rule>);

#[derive(Clone, Debug)]
enum Rule {
    Default,
    Rewrite(Box<Rewrite>),
}

#[derive(Clone, Debug)]
struct Rewrite {
    components: usize,
    format: Vec<Part>,
    whole: Option<Regex>,
    substitution: Option<Substitution>,
    case: Case,
}

/// What a format is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// 0 is the realm.
    Component(usize),
}

#[derive(Clone, Debug)]
struct Substitution {
    from: Regex,
    to: Replacement,
    is_repeated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Kept,
    Lower,
    Upper,
}

impl ShortNameRules {
    /// Reads the rules. A comma ends a rule wherever it stands.
    ///
    /// # Errors
    /// See [`RuleError`].
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let rules = text.split(',').map(str::trim).filter(|rule| !rule.is_empty());
        match rules.clone().count() {
            0 => Err(RuleError::Empty),
            1..=RULES_MAX => Ok(Self(rules.map(Rule::parse).collect::<Result<_, _>>()?)),
            _ => Err(RuleError::TooMany { most: RULES_MAX }),
        }
    }
}

/// The rules and the realm that `DEFAULT` is about.
#[derive(Clone, Debug)]
pub struct ShortNames {
    rules: ShortNameRules,
    default_realm: String,
}

impl ShortNames {
    /// Names in `default_realm` are those of `DEFAULT`.
    #[must_use]
    pub const fn new(rules: ShortNameRules, default_realm: String) -> Self {
        Self { rules, default_realm }
    }

    /// The short name.
    ///
    /// # Errors
    /// See [`NoShortName`].
    pub fn of(&self, text: &str) -> Result<String, NoShortName> {
        let name = KerberosName::parse(text)?;
        let Some(realm) = &name.realm else { return Ok(name.service) };
        let parts: Vec<&str> = [&**realm, &name.service].into_iter().chain(name.host.as_deref()).collect();
        let mut rules = self.rules.0.iter();
        let found = rules.find_map(|rule| match rule {
            Rule::Default => (*realm == self.default_realm).then(|| (name.service.clone(), Case::Kept)),
            Rule::Rewrite(rewrite) => Some((rewrite.apply(&parts)?, rewrite.case)),
        });
        let (short, case) = found.ok_or_else(|| NoShortName::NoRule(text.to_owned()))?;
        if short.is_empty() || short.contains(['/', '@']) {
            return Err(NoShortName::NotSimple { name: text.to_owned(), short });
        }
        Ok(match case {
            Case::Kept => short,
            Case::Lower => short.to_lowercase(),
            Case::Upper => short.to_uppercase(),
        })
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, RuleError> {
        if text == "DEFAULT" {
            return Ok(Self::Default);
        }
        let form = || RuleError::Form { rule: text.to_owned(), form: FORM };
        let (head, rest) = text.strip_prefix("RULE:[").and_then(|rest| rest.split_once(']')).ok_or_else(form)?;
        let (components, format) = head.split_once(':').ok_or_else(form)?;
        if !components.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(form());
        }
        let components: usize = components.parse().map_err(|_| form())?;
        let (whole, rest) = match rest.strip_prefix('(') {
            Some(rest) => rest.split_once(')').map(|(pattern, rest)| (Some(pattern), rest)).ok_or_else(form)?,
            None => (None, rest),
        };
        let (substitution, rest) = match rest.strip_prefix("s/") {
            Some(rest) => Substitution::parse(rest, &form).map(|(parsed, rest)| (Some(parsed), rest))?,
            None => (None, rest),
        };
        let case = match rest.strip_prefix('/').unwrap_or(rest) {
            "" => Case::Kept,
            "L" => Case::Lower,
            "U" => Case::Upper,
            _ => return Err(form()),
        };
        let format = parts(format, components).ok_or_else(|| RuleError::Format(text.to_owned()))?;
        let whole = whole.map(compile_whole).transpose()?;
        Ok(Self::Rewrite(Box::new(Rewrite { components, format, whole, substitution, case })))
    }
}

impl Substitution {
    /// Reads what stands behind `s/`, and returns what stands behind it.
    fn parse<'a>(text: &'a str, form: &dyn Fn() -> RuleError) -> Result<(Self, &'a str), RuleError> {
        let (pattern, rest) = text.split_once('/').ok_or_else(form)?;
        let (replacement, rest) = rest.split_once('/').ok_or_else(form)?;
        let from = compile(pattern)?;
        let to = Replacement::parse(replacement, &from, Beyond::IsWrong);
        let to = to.ok_or_else(|| RuleError::Replacement(replacement.to_owned()))?;
        let (is_repeated, rest) = rest.strip_prefix('g').map_or((false, rest), |rest| (true, rest));
        Ok((Self { from, to, is_repeated }, rest))
    }
}

/// A format's text and components; `None` when one of them is not a component of the rule's.
fn parts(format: &str, components: usize) -> Option<Vec<Part>> {
    let mut pieces = format.split('$');
    let mut parts = vec![Part::Text(pieces.next()?.to_owned())];
    for piece in pieces {
        let digits = piece.len() - piece.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = piece.get(..digits)?.parse().ok().filter(|number| *number <= components)?;
        parts.extend([Part::Component(number), Part::Text(piece.get(digits..)?.to_owned())]);
    }
    Some(parts)
}

impl Rewrite {
    /// What it makes of a realm and components, if it is for them.
    fn apply(&self, name: &[&str]) -> Option<String> {
        if name.len() != self.components + 1 {
            return None;
        }
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Component(number) => name.get(*number).copied().unwrap_or_default().to_owned(),
        };
        let base: String = self.format.iter().map(part).collect();
        if self.whole.as_ref().is_some_and(|whole| !whole.is_match(&base)) {
            return None;
        }
        Some(match &self.substitution {
            None => base,
            Some(Substitution { from, to, is_repeated: true }) => to.all(from, &base),
            Some(Substitution { from, to, is_repeated: false }) => to.first(from, &base),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const REALM: &str = "REALM.COM";

    fn short(rules: &str, name: &str) -> Result<String, NoShortName> {
        ShortNames::new(ShortNameRules::parse(rules).unwrap(), REALM.to_owned()).of(name)
    }

    #[test]
    fn rules_give_what_kafkas_give() {
        // Rules, name, and what KerberosShortNamer of Apache Kafka 4.3.1 made of it.
        let mut of_rules: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for line in include_str!("short_names.tsv").lines().filter(|line| !line.starts_with('#')) {
            let [rules, name, short] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            of_rules.entry(rules).or_default().push((name, short));
        }
        for (rules, names) in of_rules {
            // What Kafka refuses at its start, or finds out when a name comes that the rule is for.
            if names.iter().any(|(_, short)| matches!(*short, "!refused" | "!wrong")) {
                assert!(ShortNameRules::parse(rules).is_err(), "{rules}");
                continue;
            }
            for (name, expected) in names {
                match expected {
                    "!none" | "" => assert!(short(rules, name).is_err(), "{rules} {name}"),
                    expected => assert_eq!(short(rules, name).as_deref(), Ok(expected), "{rules} {name}"),
                }
            }
        }
    }

    #[test]
    fn the_rules_of_kafkas_documentation_are_read() {
        let rules = r"RULE:[1:$1](App\..*)s/App\.(.*)/$1/g, RULE:[2:$1](App\..*)s/App\.(.*)/$1/g,DEFAULT";
        assert_eq!(short(rules, "App.service-name/example.com@REALM.COM").unwrap(), "service-name");
        assert_eq!(short(rules, "App.service-name@OTHER").unwrap(), "service-name");
        assert_eq!(short(rules, "user/host@REALM.COM").unwrap(), "user");
        assert_eq!(short(rules, "user@OTHER"), Err(NoShortName::NoRule("user@OTHER".to_owned())));
        assert_eq!(short("RULE:[1:$1@$0](.*@OTHER)s/@.*///U", "user@OTHER").unwrap(), "USER");
    }

    #[test]
    fn what_is_no_rule_is_refused_with_its_text() {
        let error = |rules: &str| ShortNameRules::parse(rules).unwrap_err().to_string();
        for rules in
            ["default", "RULE:[1:$1", "RULE:[:$1]", "RULE:[-1:$1]", "RULE:[1:$1](a", "RULE:[1:$1]s/a", "RULE:[1:$1]/X"]
        {
            assert!(error(rules).contains(&format!("'{rules}' is neither DEFAULT")), "{}", error(rules));
        }
        assert!(error(" , ").contains("DEFAULT"));
        assert!(error(&"DEFAULT,".repeat(RULES_MAX + 1)).contains("more than 100 rules"));
        assert!(error("RULE:[1:$2]").contains("$1 to $n"));
        assert!(error("RULE:[1:$1](*)").contains("the pattern '*'"));
        assert!(error("RULE:[1:$1]s/(?=a)/b/").contains("look-around"));
        assert!(error("RULE:[1:$1]s/a/$1/").contains("'$1' refers to no group"));
    }

    #[test]
    fn what_is_left_is_a_simple_name_or_nobody() {
        let not_simple = |rules: &str, name: &str| matches!(short(rules, name), Err(NoShortName::NotSimple { .. }));
        assert!(not_simple("RULE:[1:$1@$0],DEFAULT", "alice@REALM.COM"));
        assert!(not_simple("RULE:[2:$1/$2]", "alice/admin@REALM.COM"));
        assert!(not_simple("RULE:[1:$1]s/.*//", "alice@REALM.COM"));
        assert!(matches!(short("DEFAULT", "a/b/c@REALM.COM"), Err(NoShortName::Malformed(_))));
    }

    proptest! {
        #[test]
        fn no_rules_and_no_name_make_it_panic(rules in ".{0,60}", rule in r"RULE:\[[0-3]:[a$0-9@]{0,6}\](\([a.*@]{0,6}\))?(s/[a.*()]{0,6}/[a$0-9\\]{0,6}/g?)?/?[LU]?", name in "[a-zé/@\\\\]{0,12}@?[A-Z]{0,3}") {
            for text in [rules, rule] {
                if let Ok(rules) = ShortNameRules::parse(&text) {
                    let _ = ShortNames::new(rules, REALM.to_owned()).of(&name);
                }
            }
        }
    }
}
