//! Where a command finds its cluster: flags, over the environment, over a profile, over a Java client's properties file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::environment::{variable, variables};
use super::{Failure, files};
use crate::client::{ClientSettings, Cluster};

/// Variables that are properties: `BARNABAS_CLIENT_SECURITY_PROTOCOL` is `security.protocol`.
const VARIABLES: &str = "BARNABAS_CLIENT_";

/// Where a command finds its cluster.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArguments {
    /// A broker, host:port; several separated by commas. [env: BOOTSTRAP_SERVERS] [default: 127.0.0.1:9092]
    #[arg(short, long, visible_alias = "bootstrap", global = true, value_name = "HOST:PORT")]
    bootstrap_server: Option<String>,
    /// Controllers to ask instead, which only Kafka's tools have an option for.
    #[arg(skip)]
    bootstrap_controller: Option<String>,
    /// A Java client's properties file: bootstrap.servers, security.protocol, sasl.*, ssl.*.
    #[arg(long, global = true, value_name = "FILE")]
    command_config: Option<PathBuf>,
    /// A client property, over the file's; may be given several times.
    #[arg(long = "command-property", global = true, value_name = "KEY=VALUE")]
    command_properties: Vec<String>,
    /// A properties file by name: ~/.config/barnabas/NAME.properties. [env: BARNABAS_PROFILE] [default: default]
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// How long one request may take, in seconds.
    #[arg(long, global = true, value_name = "SECONDS", value_parser = super::duration)]
    timeout: Option<Duration>,
}

impl ConnectionArguments {
    /// For a bootstrap server that is known otherwise, as a Kafka tool's options give it.
    pub(super) fn of_tool(bootstrap_server: Option<String>, command_config: Option<PathBuf>) -> Self {
        Self { bootstrap_server, command_config, ..Self::default() }
    }

    /// As the words of a line say that is being typed: what is not of the connection, or makes no sense yet, is passed over.
    pub(super) fn of_words(words: &[String]) -> Self {
        let mut this = Self::default();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ => (word, None),
            };
            let mut value = || value.or_else(|| words.next()).map(str::to_owned);
            match name {
                "-b" | "--bootstrap-server" | "--bootstrap" => this.bootstrap_server = value(),
                "--command-config" => this.command_config = value().map(PathBuf::from),
                "--command-property" => this.command_properties.extend(value()),
                "--profile" => this.profile = value(),
                _ => {}
            }
        }
        this
    }

    /// With controllers that are asked themselves, instead of brokers.
    pub(super) fn with_controllers(self, bootstrap_controller: Option<String>) -> Self {
        Self { bootstrap_controller, ..self }
    }

    /// With further client properties, over the file's.
    pub(super) fn with_properties(mut self, properties: impl IntoIterator<Item = String>) -> Self {
        self.command_properties.extend(properties);
        self
    }

    /// `--timeout`, if it was given.
    pub(super) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// What they come to, together with the environment and files.
    ///
    /// # Errors
    /// Files that cannot be read, properties that make no sense.
    pub(super) fn settings(&self) -> Result<ClientSettings, Failure> {
        let mut properties = BTreeMap::new();
        for file in self.files()? {
            properties.extend(read_file(&file)?);
        }
        properties.extend(from_environment(variables()));
        for given in &self.command_properties {
            let (key, value) = given
                .split_once('=')
                .ok_or_else(|| Failure::usage(format!("--command-property {given}: it is of the form KEY=VALUE")))?;
            properties.insert(key.trim().to_owned(), value.to_owned());
        }
        let (servers, controllers) = ("bootstrap.servers", "bootstrap.controllers");
        for (given, name, other) in
            [(&self.bootstrap_server, servers, controllers), (&self.bootstrap_controller, controllers, servers)]
        {
            if let Some(addresses) = given {
                properties.insert(name.to_owned(), addresses.clone());
                properties.remove(other);
            }
        }
        if let Some(timeout) = self.timeout {
            properties.insert("request.timeout.ms".to_owned(), timeout.as_millis().max(1).to_string());
        }
        Ok(ClientSettings::read(properties)?)
    }

    /// Connects.
    ///
    /// # Errors
    /// See [`Self::settings`]; nobody there.
    pub(super) async fn connect(&self) -> Result<Cluster, Failure> {
        Ok(Cluster::connect(self.settings()?).await?)
    }

    /// Files of properties, the strongest last. The unnamed profile is read when it is there and nothing else is named.
    fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let named = self.profile.clone().or_else(|| variable("BARNABAS_PROFILE"));
        let mut files: Vec<PathBuf> = self.command_config.iter().cloned().collect();
        let path = |name: &str| profiles().map(|directory| directory.join(format!("{name}.properties")));
        match named {
            Some(name) => {
                let path = path(&name).ok_or_else(|| Failure::usage("a profile needs $HOME or $XDG_CONFIG_HOME"))?;
                files.push(path);
            }
            None if files.is_empty() => files.extend(path("default").filter(|path| files::exists(path))),
            None => {}
        }
        Ok(files)
    }
}

fn profiles() -> Option<PathBuf> {
    let base = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    base.or_else(|| Some(Path::new(&variable("HOME")?).join(".config"))).map(|base| base.join("barnabas"))
}

fn read_file(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let text = files::read(path)?;
    let mut properties = BTreeMap::new();
    for property in barnabas_config::properties::parse(&text) {
        let property = property.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        properties.insert(property.key, property.value);
    }
    Ok(properties)
}

fn from_environment(variables: Vec<(String, String)>) -> BTreeMap<String, String> {
    let mut properties = BTreeMap::new();
    for (name, value) in variables {
        if name == "BOOTSTRAP_SERVERS" || name == "BARNABAS_BOOTSTRAP_SERVERS" {
            properties.insert("bootstrap.servers".to_owned(), value);
        } else if let Some(rest) = name.strip_prefix(VARIABLES) {
            properties.insert(rest.to_ascii_lowercase().replace('_', "."), value);
        }
    }
    properties
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::client::Endpoint;

    #[test]
    fn flags_win_over_properties_and_those_over_the_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let text = "bootstrap.servers = file:1\nclient.id = file\nrequest.timeout.ms=5\n";
        file.write_all(text.as_bytes()).unwrap();
        let arguments = ConnectionArguments {
            timeout: Some(Duration::from_secs(2)),
            ..ConnectionArguments::of_tool(Some("flag:2".to_owned()), Some(file.path().to_path_buf()))
        };
        let arguments = arguments.with_properties(["client.id=property".to_owned()]);
        let settings = arguments.settings().unwrap();
        assert_eq!(settings.bootstrap, ["flag:2"]);
        assert_eq!((settings.client_id.as_str(), settings.timeout), ("property", Duration::from_secs(2)));
    }

    #[test]
    fn servers_and_controllers_that_are_given_go_before_the_others_of_a_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"bootstrap.servers=file:1\nbootstrap.controllers=file:2\n").unwrap();
        let of = |server: Option<&str>, controller: Option<&str>| {
            let arguments = ConnectionArguments::of_tool(server.map(str::to_owned), Some(file.path().to_path_buf()));
            arguments.with_controllers(controller.map(str::to_owned)).settings().unwrap()
        };
        let (brokers, controllers) = (of(Some("flag:3"), None), of(None, Some("flag:4")));
        assert_eq!((brokers.endpoint, brokers.bootstrap), (Endpoint::Brokers, vec!["flag:3".to_owned()]));
        assert_eq!((controllers.endpoint, controllers.bootstrap), (Endpoint::Controllers, vec!["flag:4".to_owned()]));
    }

    #[test]
    fn variables_become_properties() {
        let variables = [("BOOTSTRAP_SERVERS", "a:1"), ("BARNABAS_CLIENT_SECURITY_PROTOCOL", "SSL"), ("HOME", "/")];
        let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let properties: Vec<_> = from_environment(owned).into_iter().collect();
        let wanted = [("bootstrap.servers", "a:1"), ("security.protocol", "SSL")];
        assert_eq!(properties, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_line_that_is_being_typed_says_where_the_cluster_is() {
        let words = "barnabas -b one:1 topics describe --profile=p --command-property a=b --command-config f orders --bootstrap";
        let read = ConnectionArguments::of_words(&words.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(read.bootstrap_server, None, "the last one has no value yet");
        assert_eq!((read.profile.as_deref(), read.command_properties), (Some("p"), vec!["a=b".to_owned()]));
        assert_eq!(read.command_config, Some(PathBuf::from("f")));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let arguments = ConnectionArguments::of_tool(None, Some(PathBuf::from("/no/such/file")));
        let failure = arguments.settings().err().unwrap();
        assert!(failure.to_string().contains("/no/such/file"), "{failure}");
    }
}
