//! JAAS entries (`sasl.jaas.config`), as much of them as Kafka's files use: a login module, a flag, and options.
//!
//! `org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";`

use std::fmt;

/// Kafka's login module of PLAIN: as a server's, its options `user_NAME` are passwords.
pub const PLAIN_LOGIN_MODULE: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";
/// Kafka's login module of SCRAM.
pub const SCRAM_LOGIN_MODULE: &str = "org.apache.kafka.common.security.scram.ScramLoginModule";
/// Kafka's login module of OAUTHBEARER.
pub const OAUTHBEARER_LOGIN_MODULE: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule";
/// Java's login module of Kerberos.
pub const KRB5_LOGIN_MODULE: &str = "com.sun.security.auth.module.Krb5LoginModule";

/// One entry.
#[derive(Clone, PartialEq, Eq)]
pub struct JaasEntry {
    /// The class that Kafka would load.
    pub module: String,
    /// Options in the order in which they are written.
    pub options: Vec<(String, String)>,
}

/// Values are secrets more often than not.
impl fmt::Debug for JaasEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.options.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("JaasEntry").field("module", &self.module).field("options", &names).finish()
    }
}

/// Why a text is no JAAS entry. Never shows a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JaasError {
    /// Nothing.
    #[error("no login module is named")]
    Empty,
    /// The word after the module is none of the four.
    #[error("after the login module stands required, requisite, sufficient or optional")]
    Flag,
    /// An option without a value.
    #[error("the option {0} has no value: write {0}=\"...\"")]
    NoValue(String),
    /// A quote that does not end.
    #[error("a quoted value does not end")]
    Quote,
    /// The end is missing.
    #[error("a semicolon is missing at the end")]
    NoEnd,
    /// More than one module.
    #[error("one login module is expected, and more stands behind the semicolon")]
    Trailing,
}

impl JaasEntry {
    /// Reads the one entry of a `sasl.jaas.config`.
    ///
    /// # Errors
    /// See [`JaasError`].
    pub fn read(text: &str) -> Result<Self, JaasError> {
        let mut rest = text;
        let module = match token(&mut rest)? {
            Some(Token::Word(module)) => module,
            Some(Token::Quoted(_) | Token::Equals | Token::End) | None => return Err(JaasError::Empty),
        };
        match token(&mut rest)? {
            Some(Token::Word(flag)) if is_flag(&flag) => {}
            _ => return Err(JaasError::Flag),
        }
        let mut options = Vec::new();
        loop {
            match token(&mut rest)? {
                Some(Token::End) => break,
                Some(Token::Word(name)) => {
                    let value = value(&mut rest)?.ok_or_else(|| JaasError::NoValue(name.clone()))?;
                    options.push((name, value));
                }
                Some(Token::Quoted(_) | Token::Equals) | None => return Err(JaasError::NoEnd),
            }
        }
        match token(&mut rest)? {
            None => Ok(Self { module, options }),
            Some(_) => Err(JaasError::Trailing),
        }
    }

    /// An option's value; of several the last.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(one, _)| one == name).map(|(_, value)| &**value)
    }

    /// The users of a PLAIN server: names and passwords.
    pub fn users(&self) -> impl Iterator<Item = (&str, &str)> {
        self.options.iter().filter_map(|(name, value)| Some((name.strip_prefix("user_")?, &**value)))
    }
}

enum Token {
    Word(String),
    Quoted(String),
    Equals,
    End,
}

fn is_flag(word: &str) -> bool {
    ["required", "requisite", "sufficient", "optional"].iter().any(|flag| flag.eq_ignore_ascii_case(word))
}

fn value(rest: &mut &str) -> Result<Option<String>, JaasError> {
    if !matches!(token(rest)?, Some(Token::Equals)) {
        return Ok(None);
    }
    match token(rest)? {
        Some(Token::Word(value) | Token::Quoted(value)) => Ok(Some(value)),
        Some(Token::Equals | Token::End) | None => Ok(None),
    }
}

/// Takes the next token off the front. Comments are passed over, as Java does.
fn token(rest: &mut &str) -> Result<Option<Token>, JaasError> {
    loop {
        *rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix("//") {
            *rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            *rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else {
            break;
        }
    }
    let Some(first) = rest.chars().next() else { return Ok(None) };
    match first {
        '=' | ';' => {
            *rest = rest.get(1..).unwrap_or_default();
            Ok(Some(if first == '=' { Token::Equals } else { Token::End }))
        }
        '"' | '\'' => quoted(rest, first).map(Some),
        _ => {
            let is_end = |c: char| c.is_whitespace() || matches!(c, '=' | ';' | '"' | '\'');
            let (word, after) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
            *rest = after;
            Ok(Some(Token::Word(word.to_owned())))
        }
    }
}

fn quoted(rest: &mut &str, quote: char) -> Result<Token, JaasError> {
    let mut value = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next().ok_or(JaasError::Quote)?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                other => value.push(other),
            },
            end if end == quote => {
                *rest = rest.get(at + 1..).unwrap_or_default();
                return Ok(Token::Quoted(value));
            }
            other => value.push(other),
        }
    }
    Err(JaasError::Quote)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_of_kafkas_documentation_are_read() {
        let text = "org.apache.kafka.common.security.plain.PlainLoginModule required \\\n".replace("\\\n", "\n")
            + " username=\"admin\"\n password='adm in'\n user_admin=\"a\\\"b;=\" user_bob=plain ;";
        let entry = JaasEntry::read(&text).unwrap();
        assert_eq!(entry.module, PLAIN_LOGIN_MODULE);
        assert_eq!(entry.option("username"), Some("admin"));
        assert_eq!(entry.option("password"), Some("adm in"));
        assert_eq!(entry.users().collect::<Vec<_>>(), [("admin", "a\"b;="), ("bob", "plain")]);
        let entry = JaasEntry::read("M REQUIRED /* one */ a=b // two\n ;").unwrap();
        assert_eq!(entry.option("a"), Some("b"));
    }

    #[test]
    fn what_is_no_entry_is_named() {
        let error = |text: &str| JaasEntry::read(text).unwrap_err();
        assert_eq!(error(""), JaasError::Empty);
        assert_eq!(error("Module"), JaasError::Flag);
        assert_eq!(error("Module always;"), JaasError::Flag);
        assert_eq!(error("Module required a=b"), JaasError::NoEnd);
        assert_eq!(error("Module required a;"), JaasError::NoValue("a".to_owned()));
        assert_eq!(error("Module required a=\"b;"), JaasError::Quote);
        assert_eq!(error("Module required; Other required;"), JaasError::Trailing);
    }

    #[test]
    fn values_are_never_shown() {
        let entry = JaasEntry::read("Module required password=\"secret\";").unwrap();
        assert_eq!(format!("{entry:?}"), r#"JaasEntry { module: "Module", options: ["password"] }"#);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z\"'=;\\\\ /*\n]{0,40}") {
            let _ = JaasEntry::read(&text);
        }
    }
}
