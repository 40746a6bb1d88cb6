//! Principals, the authorizer's question, and the mechanisms of SASL. The authorizer allows everyone so far.
//!
//! Must not know: requests.

pub mod authorizer;
pub mod base36;
pub mod principal;
pub mod sasl;
pub mod scram;

pub use authorizer::{AllowEveryone, Authorizer, Decision, Operation, Question, ResourceType};
pub use principal::Principal;
pub use sasl::Mechanism;
pub use scram::{ScramCredential, ScramMechanism};
