//! Brokers: who they are and where they can be reached.

use super::codec::{DecodeError, Reader, Writer};
use super::image::{MetadataImage, Touched};
use super::record::Body;

/// Kafka's `node.id` of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerId(pub i32);

/// Where a broker can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerEndpoint {
    /// Listener name.
    pub listener: String,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: u16,
}

/// A registered broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerImage {
    /// `node.id`.
    pub id: BrokerId,
    /// Rises at each registration; the raft index of the record.
    pub epoch: i64,
    /// Advertised listeners.
    pub endpoints: Vec<BrokerEndpoint>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// A fenced broker leads nothing.
    pub fenced: bool,
}

impl BrokerImage {
    /// Where a client of this listener reaches the broker.
    #[must_use]
    pub fn endpoint(&self, listener: &str) -> Option<&BrokerEndpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.listener == listener)
    }
}

/// A broker (re)started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterBrokerRecord {
    /// `node.id`.
    pub id: BrokerId,
    /// The broker epoch; `None` in the log, where it is the entry's own index; set in a snapshot.
    pub epoch: Option<i64>,
    /// Advertised listeners.
    pub endpoints: Vec<BrokerEndpoint>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Whether it may lead.
    pub fenced: bool,
}

impl From<&BrokerImage> for RegisterBrokerRecord {
    fn from(broker: &BrokerImage) -> Self {
        Self {
            id: broker.id,
            epoch: Some(broker.epoch),
            endpoints: broker.endpoints.clone(),
            rack: broker.rack.clone(),
            fenced: broker.fenced,
        }
    }
}

impl Body for RegisterBrokerRecord {
    fn encode(&self, out: &mut Writer) {
        out.signed(i64::from(self.id.0));
        out.optional(self.epoch, Writer::signed);
        out.list(&self.endpoints, |out, endpoint| {
            out.text(&endpoint.listener);
            out.text(&endpoint.host);
            out.unsigned(u64::from(endpoint.port));
        });
        out.optional(self.rack.as_deref(), Writer::text);
        out.flag(self.fenced);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            id: BrokerId(from.int32()?),
            epoch: from.optional(Reader::signed)?,
            endpoints: from.list(|from| {
                Ok(BrokerEndpoint {
                    listener: from.text()?.to_owned(),
                    host: from.text()?.to_owned(),
                    port: u16::try_from(from.unsigned()?).map_err(|_| DecodeError::Range)?,
                })
            })?,
            rack: from.optional(|from| Ok(from.text()?.to_owned()))?,
            fenced: from.flag()?,
        })
    }
}

impl RegisterBrokerRecord {
    pub(super) fn apply(&self, index: u64, image: &mut MetadataImage, touched: &mut Touched) {
        let epoch = self.epoch.unwrap_or_else(|| i64::try_from(index).unwrap_or(i64::MAX));
        let broker = BrokerImage {
            id: self.id,
            epoch,
            endpoints: self.endpoints.clone(),
            rack: self.rack.clone(),
            fenced: self.fenced,
        };
        image.brokers.insert_mut(self.id, broker);
        touched.brokers();
    }
}
