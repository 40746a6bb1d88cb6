//! `super.users`, where more is asked of whoever acts on them.

use std::collections::BTreeSet;

/// The setting as Kafka reads it: split at semicolons, compared as a whole.
pub(crate) fn super_users(text: &str) -> BTreeSet<&str> {
    text.split(';').map(str::trim).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_super_users_may_hold_commas() {
        assert_eq!(super_users(" User:CN=a,O=b ; User:root;").len(), 2);
        assert!(super_users("User:CN=a,O=b;User:root").contains("User:CN=a,O=b"));
    }
}
