//! Names of Kerberos: `alice@REALM`, `kafka/host@REALM`, as Kafka takes them apart.
//!
//! Where it differs from Apache Kafka: a name with a backslash is malformed. It stands before a slash or an at that is part of a
//! component, and whoever passed over it would take one name for another.

/// One name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KerberosName {
    /// The first component: a user or a service.
    pub service: String,
    /// The second component, if there is one: of a service its host.
    pub host: Option<String>,
    /// The realm.
    pub realm: Option<String>,
}

/// A name that is not of one or two components and a realm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a name of one or two components and a realm, as alice@REALM or kafka/host@REALM")]
pub struct MalformedName(pub String);

impl KerberosName {
    /// Takes a name apart. Without an `@` all of it is its first component.
    ///
    /// # Errors
    /// See [`MalformedName`].
    pub fn parse(text: &str) -> Result<Self, MalformedName> {
        let malformed = || MalformedName(text.to_owned());
        if text.contains('\\') {
            return Err(malformed());
        }
        let Some((components, realm)) = text.split_once('@') else {
            return Ok(Self { service: text.to_owned(), host: None, realm: None });
        };
        let (service, host) = match components.split_once('/') {
            Some((service, host)) => (service, Some(host)),
            None => (components, None),
        };
        if realm.contains(['/', '@']) || host.is_some_and(|host| host.contains('/')) {
            return Err(malformed());
        }
        Ok(Self { service: service.to_owned(), host: host.map(str::to_owned), realm: Some(realm.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, Option<String>, Option<String>)> {
        KerberosName::parse(text).ok().map(|name| (name.service, name.host, name.realm))
    }

    #[test]
    fn names_have_one_or_two_components_and_a_realm() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(parts("alice@R"), Some(("alice".to_owned(), None, text("R"))));
        assert_eq!(parts("kafka/host.x@R"), Some(("kafka".to_owned(), text("host.x"), text("R"))));
        assert_eq!(parts("alice"), Some(("alice".to_owned(), None, None)));
        for malformed in ["a/b/c@R", "a@b@R", "a@R/x", r"a\@R@S", r"a\/b@R"] {
            assert_eq!(parts(malformed), None, "{malformed}");
        }
    }
}
