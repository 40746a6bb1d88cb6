//! PKCS12 stores: those of keytool (since Java 9 its own form) and of openssl.

use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};

/// What a JKS or JCEKS file begins with.
const JKS: [[u8; 4]; 2] = [[0xfe, 0xed, 0xfe, 0xed], [0xce, 0xce, 0xce, 0xce]];

/// A key in PKCS8 and its chain, leaf first.
pub(super) struct KeyEntry {
    pub(super) key: Vec<u8>,
    pub(super) chain: Vec<Vec<u8>>,
}

/// The first key of a store, by alias.
///
/// # Errors
/// What is wrong with it, for a message.
pub(super) fn key(store: &[u8], password: &str) -> Result<KeyEntry, String> {
    let store = open(store, password)?;
    let (_, chain) = store.private_key_chain().ok_or("the store has no private key with its certificate")?;
    let certificates = chain.certs().iter().map(|certificate| certificate.as_der().to_vec()).collect();
    Ok(KeyEntry { key: chain.key().as_der().to_vec(), chain: certificates })
}

/// Every certificate of a store, those of its keys too, as Java does.
///
/// # Errors
/// What is wrong with it, for a message.
pub(super) fn certificates(store: &[u8], password: &str) -> Result<Vec<Vec<u8>>, String> {
    let store = open(store, password)?;
    let mut found = Vec::new();
    for (_, entry) in store.entries() {
        match entry {
            KeyStoreEntry::Certificate(certificate) => found.push(certificate.as_der().to_vec()),
            KeyStoreEntry::PrivateKeyChain(chain) => {
                found.extend(chain.certs().first().map(|certificate| certificate.as_der().to_vec()));
            }
            KeyStoreEntry::Secret(_) => {}
        }
    }
    Ok(found)
}

fn open(store: &[u8], password: &str) -> Result<KeyStore, String> {
    if is_jks(store) {
        return Err(jks_advice("it"));
    }
    KeyStore::from_pkcs12(store, password, Pkcs12ImportPolicy::Relaxed)
        .map_err(|error| format!("no PKCS12 store for this password: {error}"))
}

/// Whether a file is a JKS store, whatever its type is said to be.
pub(super) fn is_jks(store: &[u8]) -> bool {
    store.first_chunk().is_some_and(|first| JKS.contains(first))
}

/// How to make a store of JKS one that can be read.
pub(super) fn jks_advice(file: &str) -> String {
    format!(
        "JKS stores are not read; convert {file} by 'keytool -importkeystore -srckeystore OLD.jks -destkeystore NEW.p12 \
         -deststoretype PKCS12' and set the type to PKCS12, or use PEM"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STORE: &[u8] = include_bytes!("fixture/keytool.p12");

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn no_damage_makes_it_panic(at in 0..STORE.len(), byte in any::<u8>(), end in 0..STORE.len()) {
            let mut damaged = STORE.to_vec();
            damaged[at] = byte;
            damaged.truncate(if byte % 2 == 0 { STORE.len() } else { end });
            let _ = (key(&damaged, "secret"), certificates(&damaged, "secret"));
        }
    }
}
