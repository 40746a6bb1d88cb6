//! A map by principal, looked into without making a text of the principal.

use std::collections::HashMap;

use crate::principal::Principal;

/// Values by type and name of a principal.
#[derive(Clone, Debug)]
pub(crate) struct PrincipalMap<V> {
    kinds: HashMap<String, HashMap<String, V>>,
}

impl<V> Default for PrincipalMap<V> {
    fn default() -> Self {
        Self { kinds: HashMap::new() }
    }
}

impl<V> PrincipalMap<V> {
    pub(crate) fn get(&self, principal: &Principal) -> Option<&V> {
        self.kinds.get(&*principal.kind)?.get(&*principal.name)
    }

    /// The value of `kind:name`, made by `make` when it is not there.
    pub(crate) fn entry(&mut self, kind: &str, name: &str, make: impl FnOnce() -> V) -> &mut V {
        self.kinds.entry(kind.to_owned()).or_default().entry(name.to_owned()).or_insert_with(make)
    }
}
