//! The login of a connection of the load client, before any load.

use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;

use super::BenchError;
use super::connection::Connection;
use crate::client::code;
use crate::client::exchange::Exchange;
use crate::client::security::SaslSettings;

/// Served by every broker that the load client can talk to.
const VERSION: i16 = 1;
const ACT: &str = "log in";

/// Logs in.
pub(super) fn login(connection: &mut Connection, sasl: &SaslSettings) -> Result<(), BenchError> {
    let mechanism = sasl.mechanism.trim();
    let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_string(mechanism.to_owned()));
    let answer = connection.call(&handshake, VERSION, ACT)?;
    if answer.error_code != 0 {
        let served: Vec<&str> = answer.mechanisms.iter().map(StrBytes::as_str).collect();
        let reason = format!("sasl.mechanism={mechanism} is not served there; these are: {}", served.join(", "));
        return Err(connection.not_logged_in(reason));
    }
    let mut next = Some(Exchange::begin(sasl).map_err(|reason| connection.not_logged_in(reason))?);
    while let Some((exchange, message)) = next {
        let request = SaslAuthenticateRequest::default().with_auth_bytes(message.into());
        let answer = connection.call(&request, VERSION, ACT)?;
        if answer.error_code != 0 {
            let told = answer.error_message.as_deref().unwrap_or_default();
            let reason = format!("{} ({}). {told}", code::name(answer.error_code), answer.error_code);
            return Err(connection.not_logged_in(reason));
        }
        next = exchange.next(&answer.auth_bytes).map_err(|reason| connection.not_logged_in(reason))?;
    }
    Ok(())
}
