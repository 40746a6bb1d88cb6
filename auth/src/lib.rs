//! Principals and the authorizer's question. Only what a single open node needs: the authorizer allows everyone.
//!
//! Must not know: requests.

pub mod authorizer;
pub mod principal;

pub use authorizer::{AllowEveryone, Authorizer, Decision, Operation, Question, ResourceType};
pub use principal::Principal;
