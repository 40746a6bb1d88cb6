//! Principals, the names in certificates, rules of access, the authorizer, and the mechanisms of SASL: pure, the answer
//! depends on nothing but the question and the rules.
//!
//! Must not know: requests.

pub mod acl;
pub mod authorizer;
pub mod base36;
pub mod code;
pub mod explain;
mod host;
mod index;
pub mod jwt;
pub mod kerberos;
pub mod lint;
mod pattern;
mod prefixes;
pub mod principal;
mod principal_map;
pub mod recipe;
mod replacement;
mod rule_error;
mod rules;
pub mod sasl;
pub mod scram;
pub mod standard;
pub mod tls;

pub use acl::{Acl, AclFilter, PatternFilter};
pub use authorizer::{AllowEveryone, Authorizer, Decision, Question, Reason, Verdict};
pub use code::{Operation, PatternType, Permission, ResourceType};
pub use principal::Principal;
pub use rule_error::RuleError;
pub use sasl::Mechanism;
pub use scram::{ScramCredential, ScramMechanism};
pub use standard::{InvalidSuperUser, StandardAuthorizer};
