//! A cluster as a client sees it: finds the broker that can answer (any, the controller, a group's coordinator, a
//! partition's leader) and keeps one connection to each that it talked to. Or the same with controllers for brokers, where
//! they have listeners of their own (KIP-919): then "any" is the active one.
//!
//! Must not know: what the requests mean, beyond Metadata, DescribeCluster and FindCoordinator.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    DescribeClusterRequest, DescribeClusterResponse, FindCoordinatorRequest, MetadataRequest, MetadataResponse,
    TopicName,
};
use kafka_protocol::protocol::{Request, StrBytes};

use super::{CallError, Client, ClientSettings, Endpoint, code};

/// Between two attempts at something that may pass.
const RETRY_EVERY: Duration = Duration::from_millis(100);
/// Versions whose fields are all understood here.
const METADATA_VERSION: i16 = 12;
const FIND_COORDINATOR_VERSION: i16 = 5;
const DESCRIBE_CLUSTER_VERSION: i16 = 2;
/// From here on controllers can be described (KIP-919).
const CONTROLLERS_SINCE: i16 = 1;
/// From here on brokers that are fenced can be asked for (KIP-1073).
const FENCED_SINCE: i16 = 2;
/// From here on the keys of a FindCoordinator are a list (KIP-699).
const COORDINATORS_SINCE: i16 = 4;
/// From here on topics may be asked for without making them.
const NO_AUTO_CREATE_SINCE: i16 = 4;

/// A cluster as a client sees it.
pub struct Cluster {
    settings: ClientSettings,
    /// The connection that answered first.
    home: Client,
    /// Further connections, by address.
    others: HashMap<String, Client>,
    /// Addresses by broker id, as the metadata advertises them.
    addresses: BTreeMap<i32, String>,
    controller: Option<i32>,
    coordinators: HashMap<String, i32>,
}

impl Cluster {
    /// Connects to the first bootstrap server that answers; of controllers, to the active one.
    ///
    /// # Errors
    /// The last server's, when none answers; the address is not a controller's.
    pub async fn connect(settings: ClientSettings) -> Result<Self, CallError> {
        let mut cluster = Self::around(first(&settings).await?, settings);
        if cluster.settings.endpoint == Endpoint::Controllers {
            cluster.move_to_controller().await?;
        }
        Ok(cluster)
    }

    /// Only the active one of the controllers answers everything.
    async fn move_to_controller(&mut self) -> Result<(), CallError> {
        self.learn().await?;
        let id = self.controller.unwrap_or(-1);
        let address = self.addresses.get(&id).ok_or(CallError::NoBroker(id))?;
        if address != self.home.address() {
            self.home = Client::connect(address, &self.settings).await?;
        }
        Ok(())
    }

    fn around(home: Client, settings: ClientSettings) -> Self {
        let (others, addresses, coordinators) = (HashMap::new(), BTreeMap::new(), HashMap::new());
        Self { settings, home, others, addresses, controller: None, coordinators }
    }

    /// What it was told.
    #[must_use]
    pub fn settings(&self) -> &ClientSettings {
        &self.settings
    }

    /// The broker that answered first: for whatever any broker can say.
    pub fn any(&mut self) -> &mut Client {
        &mut self.home
    }

    /// Describes topics; all of them for `None`. Never makes one.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn metadata(&mut self, topics: Option<&[&str]>) -> Result<MetadataResponse, CallError> {
        let version = self.home.version_of::<MetadataRequest>(METADATA_VERSION)?;
        let named = |name: &&str| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        let request = MetadataRequest::default()
            .with_topics(topics.map(|topics| topics.iter().map(named).collect()))
            .with_allow_auto_topic_creation(version < NO_AUTO_CREATE_SINCE);
        let answer = self.home.call(&request, version).await?;
        if answer.error_code != 0 {
            return Err(CallError::Refused { act: "ask for metadata".to_owned(), code: answer.error_code });
        }
        self.addresses = answer.brokers.iter().map(|one| (one.node_id.0, at(&one.host, one.port))).collect();
        self.controller = Some(answer.controller_id.0).filter(|id| *id >= 0);
        Ok(answer)
    }

    /// Describes the cluster: its id, and its brokers or controllers, whichever are asked; fenced brokers on request, where
    /// a broker tells of them. The answer may be a refusal.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn describe(&mut self, with_fenced: bool) -> Result<DescribeClusterResponse, CallError> {
        let version = self.home.version_of::<DescribeClusterRequest>(DESCRIBE_CLUSTER_VERSION)?;
        let endpoint = self.settings.endpoint;
        if endpoint == Endpoint::Controllers && version < CONTROLLERS_SINCE {
            let (address, api) = (self.home.address().to_owned(), DescribeClusterRequest::KEY);
            return Err(CallError::Unsupported { address, api });
        }
        let request = DescribeClusterRequest::default()
            .with_endpoint_type(endpoint as i8)
            .with_include_fenced_brokers(with_fenced && version >= FENCED_SINCE);
        self.home.call(&request, version).await
    }

    /// Learns who is there, and which of them is the controller.
    async fn learn(&mut self) -> Result<(), CallError> {
        if self.settings.endpoint == Endpoint::Brokers {
            return self.metadata(Some(&[])).await.map(|_| ());
        }
        let answer = self.describe(false).await?;
        if answer.error_code != 0 {
            let act = format!("ask {} for the controllers", self.home.address());
            return Err(CallError::Refused { act, code: answer.error_code });
        }
        self.addresses = answer.brokers.iter().map(|one| (one.broker_id.0, at(&one.host, one.port))).collect();
        self.controller = Some(answer.controller_id.0).filter(|id| *id >= 0);
        Ok(())
    }

    /// Every broker by its id, with the address it advertises.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn brokers(&mut self) -> Result<BTreeMap<i32, String>, CallError> {
        if self.addresses.is_empty() {
            self.learn().await?;
        }
        Ok(self.addresses.clone())
    }

    /// The broker with this id.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn broker(&mut self, id: i32) -> Result<&mut Client, CallError> {
        if !self.addresses.contains_key(&id) {
            self.learn().await?;
        }
        let address = self.addresses.get(&id).ok_or(CallError::NoBroker(id))?.clone();
        if address == self.home.address() {
            return Ok(&mut self.home);
        }
        if !self.others.contains_key(&address) {
            let client = Client::connect(&address, &self.settings).await?;
            self.others.insert(address.clone(), client);
        }
        self.others.get_mut(&address).ok_or(CallError::NoBroker(id))
    }

    /// The active controller, or a broker that forwards to it.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn controller(&mut self) -> Result<&mut Client, CallError> {
        // A broker of a KRaft cluster forwards, and names any broker as the controller; before, only one could answer.
        if self.controller.is_none() {
            self.learn().await?;
        }
        let id = self.controller.ok_or(CallError::NoBroker(-1))?;
        self.broker(id).await
    }

    /// The coordinator of a group.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn coordinator(&mut self, group: &str) -> Result<&mut Client, CallError> {
        let id = match self.coordinators.get(group) {
            Some(id) => *id,
            None => self.find_coordinator(group).await?,
        };
        self.coordinators.insert(group.to_owned(), id);
        self.broker(id).await
    }

    async fn find_coordinator(&mut self, group: &str) -> Result<i32, CallError> {
        let version = self.home.version_of::<FindCoordinatorRequest>(FIND_COORDINATOR_VERSION)?;
        let key = StrBytes::from_string(group.to_owned());
        let request = FindCoordinatorRequest::default();
        let request = if version >= COORDINATORS_SINCE {
            request.with_coordinator_keys(vec![key])
        } else {
            request.with_key(key)
        };
        let act = || format!("find the coordinator of group {group}");
        let mut attempts = self.attempts();
        loop {
            let answer = self.home.call(&request, version).await?;
            let (code, id) = match answer.coordinators.first() {
                Some(found) => (found.error_code, found.node_id.0),
                None => (answer.error_code, answer.node_id.0),
            };
            if code == 0 {
                return Ok(id);
            }
            if !code::passes(code) || !attempts.again().await {
                return Err(CallError::Refused { act: act(), code });
            }
        }
    }

    /// Asks a group's coordinator; looks for it anew, for as long as a call may take, when it has moved or is not ready.
    /// `code_of` says what an answer's error is.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn ask_coordinator<R: Request>(
        &mut self,
        group: &str,
        version_max: i16,
        request: impl Fn(i16) -> R,
        code_of: impl Fn(&R::Response) -> i16,
    ) -> Result<R::Response, CallError> {
        let mut attempts = self.attempts();
        loop {
            let coordinator = self.coordinator(group).await?;
            let version = coordinator.version_of::<R>(version_max)?;
            let answer = coordinator.call(&request(version), version).await?;
            let code = code_of(&answer);
            if !code::passes(code) || !attempts.again().await {
                return Ok(answer);
            }
            self.coordinators.remove(group);
        }
    }

    /// Asks the controller; looks for it anew when it has moved.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn ask_controller<R: Request>(
        &mut self,
        version_max: i16,
        request: impl Fn(i16) -> R,
        code_of: impl Fn(&R::Response) -> i16,
    ) -> Result<R::Response, CallError> {
        let mut attempts = self.attempts();
        loop {
            let controller = self.controller().await?;
            let version = controller.version_of::<R>(version_max)?;
            let answer = controller.call(&request(version), version).await?;
            let moved = code_of(&answer) == ResponseError::NotController.code();
            if !moved || !attempts.again().await {
                return Ok(answer);
            }
            self.controller = None;
        }
    }

    pub(super) fn attempts(&self) -> Attempts {
        Attempts { left: self.settings.timeout.as_millis() / RETRY_EVERY.as_millis() }
    }
}

/// A connection to the first bootstrap server that answers.
async fn first(settings: &ClientSettings) -> Result<Client, CallError> {
    let mut failure = None;
    for address in &settings.bootstrap {
        match Client::connect(address, settings).await {
            Ok(home) => return Ok(home),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or(CallError::NoBroker(-1)))
}

fn at(host: &str, port: i32) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// How often something that may pass is tried.
pub(super) struct Attempts {
    left: u128,
}

impl Attempts {
    /// Waits a moment; `false` when the time is over.
    pub(super) async fn again(&mut self) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        tokio::time::sleep(RETRY_EVERY).await;
        true
    }
}

/// A topic's name for a request.
#[must_use]
pub fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn attempts_end_when_the_time_is_over() {
        let mut attempts = Attempts { left: 2 };
        assert!(attempts.again().await && attempts.again().await && !attempts.again().await);
    }
}
