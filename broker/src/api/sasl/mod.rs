//! SASL and the credentials behind it.

pub mod alter_user_scram_credentials;
pub mod describe_user_scram_credentials;
pub mod sasl_authenticate;
pub mod sasl_handshake;
pub(crate) mod super_users;
