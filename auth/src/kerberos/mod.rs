//! Names of Kerberos, and the short names that become principals.
//!
//! Must not know: Kerberos itself. Whoever asks has had the name from a library that verified it.

pub mod name;
pub mod short_name;

pub use name::{KerberosName, MalformedName};
pub use short_name::{NoShortName, ShortNameRules, ShortNames};
