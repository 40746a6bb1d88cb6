//! Who a client is, as far as a subscription may choose it by that.

use std::net::SocketAddr;

use barnabas_storage::TopicId;
use uuid::Uuid;

/// What a client runs, as its ApiVersions told (KIP-511).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Software {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Who a client is.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The id that it was given.
    pub instance: Uuid,
    /// `client.id`.
    pub client_id: &'a str,
    /// What it runs, if that was told.
    pub software: Option<&'a Software>,
    /// Where it connects from.
    pub peer: SocketAddr,
    /// Who it logged in as.
    pub principal: &'a str,
}

impl Identity<'_> {
    /// What a selector of a subscription compares.
    pub(super) fn selected(&self, selector: &str) -> Option<String> {
        match selector {
            "client_id" => Some(self.client_id.to_owned()),
            "client_instance_id" => Some(self.instance_name()),
            "client_software_name" => self.software.map(|software| software.name.clone()),
            "client_software_version" => self.software.map(|software| software.version.clone()),
            "client_source_address" => Some(self.peer.ip().to_string()),
            "client_source_port" => Some(self.peer.port().to_string()),
            _ => None,
        }
    }

    /// The id as Kafka writes it, which is as it writes those of topics.
    pub(super) fn instance_name(&self) -> String {
        TopicId(self.instance).to_string()
    }
}
