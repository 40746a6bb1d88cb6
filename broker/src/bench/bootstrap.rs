//! Where the load client finds its brokers, and whether it talks to them over TLS.

use super::BenchError;
use super::connection::Connection;
use crate::tls::ClientTls;

/// Addresses, and how they are reached. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// host:port; several separated by commas.
    pub addresses: String,
    /// Without it connections are not encrypted.
    pub tls: Option<ClientTls>,
}

impl Bootstrap {
    /// Connects to the first of the addresses that listens.
    ///
    /// # Errors
    /// [`BenchError::Connect`], [`BenchError::Tls`].
    pub fn open(&self) -> Result<Connection, BenchError> {
        self.open_at(&self.addresses)
    }

    /// Connects to another address in the same way.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(&self, addresses: &str) -> Result<Connection, BenchError> {
        Connection::open_by(addresses, self.tls.as_ref())
    }
}

impl From<&str> for Bootstrap {
    fn from(addresses: &str) -> Self {
        Self { addresses: addresses.to_owned(), tls: None }
    }
}
