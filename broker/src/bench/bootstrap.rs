//! Where the load client finds its brokers, and whether it talks to them over TLS and logs in.

use std::time::Duration;

use super::connection::Connection;
use super::login::login;
use super::{BenchError, STALLED};
use crate::client::security::SaslSettings;
use crate::tls::ClientTls;

/// Addresses, and how they are reached. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// host:port; several separated by commas.
    pub addresses: String,
    /// Without it connections are not encrypted.
    pub tls: Option<ClientTls>,
    /// Without it connections do not log in.
    pub sasl: Option<SaslSettings>,
    /// How long a connection may stand still.
    pub patience: Duration,
}

impl Bootstrap {
    /// Connects to the first of the addresses that listens.
    ///
    /// # Errors
    /// [`BenchError::Connect`], [`BenchError::Tls`], [`BenchError::Login`].
    pub fn open(&self) -> Result<Connection, BenchError> {
        self.open_at(&self.addresses)
    }

    /// Connects to another address in the same way.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(&self, addresses: &str) -> Result<Connection, BenchError> {
        let mut connection = Connection::open_by(addresses, self.tls.as_ref(), self.patience)?;
        match &self.sasl {
            Some(sasl) => login(&mut connection, sasl).map(|()| connection),
            None => Ok(connection),
        }
    }
}

impl From<&str> for Bootstrap {
    fn from(addresses: &str) -> Self {
        Self { addresses: addresses.to_owned(), tls: None, sasl: None, patience: STALLED }
    }
}
