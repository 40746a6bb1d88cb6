//! `sasl.kerberos.*` and the login module of a listener that serves GSSAPI, checked at the start and at each change.
//!
//! Where it differs from Apache Kafka: the keytab is one for the process, because the library has no other way; the
//! service's name is taken from the principal, and `sasl.kerberos.service.name`, which Kafka demands, has to be the same;
//! nothing is fetched from a KDC, as a keytab is all that checks tickets need.

use std::path::PathBuf;

use barnabas_auth::Mechanism;
use barnabas_auth::kerberos::{KerberosName, ShortNameRules};
use barnabas_auth::sasl::jaas::{JaasEntry, KRB5_LOGIN_MODULE};
use barnabas_config::{Config, key};

use super::super::settings::of_mechanism;

/// What a listener's tickets are checked by.
#[derive(Clone, Debug)]
pub struct KerberosSettings {
    /// Who we are, as `kafka/host@REALM`.
    pub principal: String,
    /// Where our key is; `None` for the library's own place.
    pub keytab: Option<PathBuf>,
    /// How names become short ones.
    pub rules: ShortNameRules,
}

/// What a broker says that is built without the library.
pub(super) const NOT_BUILT: &str = "GSSAPI is not built into this program: build it with `cargo build --release --features \
                                    gssapi` (on Debian with libkrb5-dev and libclang-dev), or take GSSAPI out of \
                                    sasl.enabled.mechanisms";

impl KerberosSettings {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong, with the setting's name.
    pub fn read(config: &Config, listener: &str) -> Result<Self, String> {
        if cfg!(feature = "gssapi") { Self::parse(config, listener) } else { Err(NOT_BUILT.to_owned()) }
    }

    fn parse(config: &Config, listener: &str) -> Result<Self, String> {
        let text = |name: &str| {
            let given = of_mechanism(config, listener, Mechanism::Gssapi, name);
            given.map(str::trim).filter(|text| !text.is_empty())
        };
        let jaas = text(key::SASL_JAAS_CONFIG.name).ok_or_else(|| no_module(listener))?;
        let entry = JaasEntry::read(jaas).map_err(|error| format!("{}: {error}", key::SASL_JAAS_CONFIG.name))?;
        if entry.module != KRB5_LOGIN_MODULE {
            return Err(format!("sasl.jaas.config names {}: GSSAPI wants {KRB5_LOGIN_MODULE}", entry.module));
        }
        if entry.option("useKeyTab") != Some("true") {
            return Err(
                "sasl.jaas.config: a broker has its key in a keytab: write useKeyTab=true keyTab=\"...\"".to_owned()
            );
        }
        let principal =
            entry.option("principal").ok_or("sasl.jaas.config: principal=\"kafka/host@REALM\" is missing")?;
        check_service(principal, &[entry.option("serviceName"), text(key::KERBEROS_SERVICE_NAME.name)])?;
        let keytab = entry.option("keyTab").map(|keytab| keytab.strip_prefix("FILE:").unwrap_or(keytab));
        let rules = text(key::KERBEROS_PRINCIPAL_TO_LOCAL_RULES.name).unwrap_or_default();
        let rules = ShortNameRules::parse(rules)
            .map_err(|error| format!("{}: {error}", key::KERBEROS_PRINCIPAL_TO_LOCAL_RULES.name))?;
        Ok(Self { principal: principal.to_owned(), keytab: keytab.map(PathBuf::from), rules })
    }

    /// For messages.
    #[must_use]
    pub fn keytab_shown(&self) -> String {
        self.keytab.as_ref().map_or_else(|| "the system's keytab".to_owned(), |keytab| keytab.display().to_string())
    }
}

fn no_module(listener: &str) -> String {
    format!(
        "GSSAPI needs listener.name.{}.gssapi.sasl.jaas.config={KRB5_LOGIN_MODULE} required useKeyTab=true \
         keyTab=\"/etc/kafka.keytab\" principal=\"kafka/host@REALM\";",
        listener.to_ascii_lowercase()
    )
}

/// Clients ask their KDC for the service that they are told: ours, or their tickets are for somebody else.
fn check_service(principal: &str, told: &[Option<&str>]) -> Result<(), String> {
    let name = KerberosName::parse(principal).map_err(|error| format!("sasl.jaas.config: principal: {error}"))?;
    if name.host.is_none() {
        return Err(format!("sasl.jaas.config: principal={principal}: a service has a host, as kafka/host@REALM"));
    }
    match told.iter().flatten().find(|told| **told != name.service) {
        Some(other) => Err(format!(
            "{} is {other}, and principal={principal} is {}: they have to be the same",
            key::KERBEROS_SERVICE_NAME.name,
            name.service
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use barnabas_config::ConfigSources;

    use super::*;

    const JAAS: &str = "listener.name.secure.gssapi.sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required \
                        useKeyTab=true storeKey=true keyTab=\"/etc/kafka.keytab\" principal=\"kafka/host.x@REALM\";";

    fn config(settings: &[&str]) -> Config {
        let assignments = settings.iter().map(|one| (*one).to_owned()).collect();
        let read_file = |_: &std::path::Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
        let sources = ConfigSources { files: vec![], environment: vec![], assignments, read_file: &read_file };
        Config::load(&sources).unwrap().0
    }

    fn parse(settings: &[&str]) -> Result<KerberosSettings, String> {
        KerberosSettings::parse(&config(settings), "SECURE")
    }

    fn refused(settings: &[&str], why: &str) {
        let error = parse(settings).unwrap_err();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn kafkas_names_and_prefixes_are_read() {
        let read =
            parse(&[JAAS, "sasl.kerberos.service.name=kafka", "sasl.kerberos.principal.to.local.rules=RULE:[1:$1]"]);
        let read = read.unwrap();
        assert_eq!(read.principal, "kafka/host.x@REALM");
        assert_eq!(read.keytab.as_deref(), Some(std::path::Path::new("/etc/kafka.keytab")));
        assert!(
            parse(&[JAAS]).is_ok()
                && parse(&[&JAAS.replace("keyTab=\"", "keyTab=\"FILE:")]).unwrap().keytab == read.keytab
        );
    }

    #[test]
    fn what_could_not_work_is_said_at_the_start() {
        refused(&[], "listener.name.secure.gssapi.sasl.jaas.config=com.sun.");
        refused(&[&JAAS.replace("com.sun.security.auth.module.Krb5", "com.example.")], "GSSAPI wants com.sun.");
        refused(&[&JAAS.replace(';', "")], "semicolon");
        refused(&[&JAAS.replace("useKeyTab=true", "")], "useKeyTab=true");
        refused(&[&JAAS.replace("principal=", "principle=")], "is missing");
        refused(&[&JAAS.replace("kafka/host.x@REALM", "kafka@REALM")], "a service has a host");
        refused(&[&JAAS.replace("kafka/host.x@REALM", "a/b/c@REALM")], "'a/b/c@REALM' is not a name");
        refused(&[JAAS, "sasl.kerberos.service.name=other"], "have to be the same");
        refused(&[&JAAS.replace("storeKey=true", "serviceName=other")], "have to be the same");
        refused(&[JAAS, "sasl.kerberos.principal.to.local.rules=RULE:[1:$5]"], "principal.to.local.rules: the format");
    }

    #[cfg(not(feature = "gssapi"))]
    #[test]
    fn a_broker_without_the_library_says_how_it_is_built() {
        let error = KerberosSettings::read(&config(&[JAAS]), "SECURE").unwrap_err();
        assert!(error.contains("--features gssapi") && error.contains("sasl.enabled.mechanisms"), "{error}");
    }
}
