//! OAUTHBEARER (RFC 7628, KIP-255): the client's first message in Kafka's grammar, and the server's side of the exchange.

mod message;
mod server;

pub use message::{ClientInitial, MESSAGE_BYTES_MAX};
pub use server::{Answer, OauthBearerError, OauthBearerServer};

/// What a client is told of a token that was refused: RFC 7628 calls it the server's challenge, and Kafka's has no more in it.
pub const INVALID_TOKEN: &str = r#"{"status":"invalid_token"}"#;
/// What the client answers to it, and nothing else.
pub const SEPARATOR: u8 = 0x01;
