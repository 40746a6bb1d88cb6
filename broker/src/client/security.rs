//! How a client shows who it is and who it talks to, in the words of a Java client's properties. Parsing only: the
//! connection does what it says.

use std::collections::BTreeMap;
use std::fmt;

use barnabas_config::SecurityProtocol;

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for whoever has to send or check it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// How a client shows who it is and who it talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecurity {
    /// `security.protocol`.
    pub protocol: SecurityProtocol,
    /// `sasl.*`, of the two SASL protocols.
    pub sasl: Option<SaslSettings>,
}

/// `sasl.*` of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaslSettings {
    /// `sasl.mechanism`.
    pub mechanism: String,
    /// The user of `sasl.jaas.config`.
    pub username: String,
    /// The password of `sasl.jaas.config`.
    pub password: Secret,
    /// Further options of `sasl.jaas.config`, e.g. `tokenauth`.
    pub options: BTreeMap<String, String>,
}

/// What is wrong with a client's security settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecurityError {
    /// `security.protocol` is none of the four.
    #[error("security.protocol={0}: it is one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL")]
    Protocol(String),
    /// A SASL protocol without credentials.
    #[error(
        "security.protocol={0} needs sasl.mechanism and sasl.jaas.config, e.g. \
         sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"u\" password=\"p\";"
    )]
    NoCredentials(String),
    /// `sasl.jaas.config` cannot be read.
    #[error("sasl.jaas.config: {0}")]
    Jaas(&'static str),
}

impl ClientSecurity {
    /// Neither TLS nor SASL.
    #[must_use]
    pub fn plaintext() -> Self {
        Self { protocol: SecurityProtocol::Plaintext, sasl: None }
    }

    /// Reads the properties that concern security; others are passed over.
    ///
    /// # Errors
    /// See [`SecurityError`].
    pub fn read(properties: &BTreeMap<String, String>) -> Result<Self, SecurityError> {
        let name = properties.get("security.protocol").map_or("PLAINTEXT", String::as_str);
        let protocol: SecurityProtocol = name.parse().map_err(|_| SecurityError::Protocol(name.to_owned()))?;
        let sasl = match protocol {
            SecurityProtocol::Plaintext | SecurityProtocol::Ssl => None,
            SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl => {
                let mechanism = properties.get("sasl.mechanism");
                let jaas = properties.get("sasl.jaas.config");
                let (Some(mechanism), Some(jaas)) = (mechanism, jaas) else {
                    return Err(SecurityError::NoCredentials(name.to_owned()));
                };
                Some(SaslSettings::read(mechanism, jaas)?)
            }
        };
        Ok(Self { protocol, sasl })
    }
}

impl SaslSettings {
    /// Reads a JAAS line: `<login module> required name="value" ...;`.
    fn read(mechanism: &str, jaas: &str) -> Result<Self, SecurityError> {
        let mut options = jaas_options(jaas)?;
        let mut take = |name: &str, missing| options.remove(name).ok_or(SecurityError::Jaas(missing));
        let username = take("username", "it has no username=\"...\"")?;
        let password = Secret::from(take("password", "it has no password=\"...\"")?.as_str());
        Ok(Self { mechanism: mechanism.to_owned(), username, password, options })
    }
}

/// The options of a JAAS line; values may be quoted, with backslashes before quotes.
fn jaas_options(line: &str) -> Result<BTreeMap<String, String>, SecurityError> {
    let body = line.trim().strip_suffix(';').ok_or(SecurityError::Jaas("it must end with ;"))?;
    let mut options = BTreeMap::new();
    let mut letters = body.chars().peekable();
    while let Some(word) = jaas_word(&mut letters)? {
        if letters.next_if_eq(&'=').is_some() {
            let value = jaas_word(&mut letters)?.ok_or(SecurityError::Jaas("an option has no value"))?;
            options.insert(word, value);
        }
    }
    Ok(options)
}

/// The next word, up to a blank or `=`.
fn jaas_word(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Option<String>, SecurityError> {
    while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
    let Some(quote) = letters.next_if(|letter| matches!(letter, '"' | '\'')) else {
        let mut word = String::new();
        while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace() && *letter != '=') {
            word.push(letter);
        }
        return Ok((!word.is_empty() || letters.peek().is_some()).then_some(word));
    };
    let mut word = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next()),
            end if end == quote => return Ok(Some(word)),
            other => word.push(other),
        }
    }
    Err(SecurityError::Jaas("a quote is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ClientSecurity, SecurityError> {
        ClientSecurity::read(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn nothing_said_is_plaintext() {
        let security = read(&[]).unwrap();
        assert_eq!(security, ClientSecurity::plaintext());
    }

    #[test]
    fn a_scram_login_is_read_and_its_password_is_not_shown() {
        let jaas = r#"org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="a \"b\" =c" tokenauth=true;"#;
        let security =
            read(&[("security.protocol", "SASL_SSL"), ("sasl.mechanism", "SCRAM-SHA-512"), ("sasl.jaas.config", jaas)])
                .unwrap();
        let sasl = security.sasl.as_ref().unwrap();
        assert_eq!((sasl.username.as_str(), sasl.password.reveal()), ("ann", "a \"b\" =c"));
        assert_eq!(sasl.options.get("tokenauth").map(String::as_str), Some("true"));
        assert!(!format!("{security:?}").contains("=c"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let sasl = [("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "PLAIN")];
        assert!(matches!(read(&sasl), Err(SecurityError::NoCredentials(_))));
        for jaas in
            ["M required username=\"u\" password=\"p\"", "M required username=\"u\";", "M required username=\"u"]
        {
            let mut pairs = sasl.to_vec();
            pairs.push(("sasl.jaas.config", jaas));
            assert!(matches!(read(&pairs), Err(SecurityError::Jaas(_))), "{jaas}");
        }
        assert!(matches!(read(&[("security.protocol", "TLS")]), Err(SecurityError::Protocol(_))));
    }
}
