//! Values that stand elsewhere: `${env:NAME}`, `${file:/path:key}` of a properties file, `${directory:/path:file}`.
//! As Kafka's providers of those names, but without a declaration. What they give is never shown.

use std::io;
use std::path::Path;

use crate::properties;

/// Reads the text of a file; the configuration has no file access of its own.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// Why a reference has no value.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// No such variable.
    #[error("${{env:{0}}}: the environment has no variable {0}")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("read {path} for a value: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The file has no such key.
    #[error("${{file:{path}:{key}}}: {path} has no key {key}")]
    NoKey {
        /// The file.
        path: String,
        /// The key.
        key: String,
    },
}

/// Where values may stand.
pub(crate) struct Providers<'a> {
    pub(crate) variables: &'a [(String, String)],
    pub(crate) read_file: ReadFile<'a>,
}

/// A value after its references have been replaced.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) text: String,
    /// True when a provider gave part of it: then it is not shown.
    pub(crate) hidden: bool,
}

impl Providers<'_> {
    /// Replaces every reference once; a reference to an unknown provider stays as it is, as in Kafka.
    pub(crate) fn resolve(&self, raw: &str) -> Result<Resolved, ProviderError> {
        let mut text = String::with_capacity(raw.len());
        let mut hidden = false;
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((reference, behind)) = after.split_once('}') else { break };
            text.push_str(before);
            match self.look_up(reference)? {
                Some(value) => {
                    text.push_str(&value);
                    hidden = true;
                }
                None => text.extend(["${", reference, "}"]),
            }
            rest = behind;
        }
        text.push_str(rest);
        Ok(Resolved { text, hidden })
    }

    fn look_up(&self, reference: &str) -> Result<Option<String>, ProviderError> {
        let mut parts = reference.splitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("env"), Some(name), None) => self.variable(name).map(Some),
            (Some("file"), Some(path), Some(key)) => self.key_of_file(path, key).map(Some),
            (Some("directory"), Some(path), Some(file)) => self.text_of(&Path::new(path).join(file)).map(Some),
            _ => Ok(None),
        }
    }

    fn variable(&self, name: &str) -> Result<String, ProviderError> {
        let found = self.variables.iter().find(|(variable, _)| variable == name);
        found.map(|(_, value)| value.clone()).ok_or_else(|| ProviderError::NoVariable(name.to_owned()))
    }

    fn key_of_file(&self, path: &str, key: &str) -> Result<String, ProviderError> {
        let text = self.text_of(Path::new(path))?;
        let mut found = properties::parse(&text).into_iter().flatten().filter(|property| property.key == key);
        found
            .next_back()
            .map(|property| property.value)
            .ok_or_else(|| ProviderError::NoKey { path: path.to_owned(), key: key.to_owned() })
    }

    fn text_of(&self, path: &Path) -> Result<String, ProviderError> {
        (self.read_file)(path).map_err(|source| ProviderError::Unreadable { path: path.display().to_string(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(raw: &str) -> Result<Resolved, ProviderError> {
        let variables = [("SECRET".to_owned(), "s3".to_owned())];
        let read_file = |path: &Path| match path.to_str() {
            Some("/etc/pw.properties") => Ok("user=u\npassword=p\\=w\n".to_owned()),
            Some("/run/secrets/token") => Ok("t".to_owned()),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        Providers { variables: &variables, read_file: &read_file }.resolve(raw)
    }

    fn hidden(text: &str) -> Resolved {
        Resolved { text: text.to_owned(), hidden: true }
    }

    #[test]
    fn each_provider_gives_its_value() {
        assert_eq!(resolve("a${env:SECRET}b").unwrap(), hidden("as3b"));
        assert_eq!(resolve("${file:/etc/pw.properties:password}").unwrap(), hidden("p=w"));
        assert_eq!(resolve("${directory:/run/secrets:token}${env:SECRET}").unwrap(), hidden("ts3"));
    }

    #[test]
    fn what_is_no_reference_stays() {
        for raw in ["plain", "${vault:x}", "${env:SECRET", "$SECRET"] {
            assert_eq!(resolve(raw).unwrap(), Resolved { text: raw.to_owned(), hidden: false });
        }
    }

    #[test]
    fn a_missing_value_names_what_is_missing() {
        assert_eq!(
            resolve("${env:NONE}").unwrap_err().to_string(),
            "${env:NONE}: the environment has no variable NONE"
        );
        assert!(resolve("${file:/etc/pw.properties:none}").unwrap_err().to_string().contains("has no key none"));
        assert!(resolve("${file:/nowhere:k}").unwrap_err().to_string().starts_with("read /nowhere"));
    }
}
