//! `ssl.enabled.protocols` and `ssl.cipher.suites` in rustls's words.

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion, version};

use super::TlsError;

/// TLS versions of a setting's list.
pub(super) fn protocols(names: &[&str]) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    if names.is_empty() {
        return Ok(vec![&version::TLS13, &version::TLS12]);
    }
    let one = |name: &&str| match *name {
        "TLSv1.3" => Ok(&version::TLS13),
        "TLSv1.2" => Ok(&version::TLS12),
        other => Err(TlsError::Settings(format!(
            "ssl.enabled.protocols={other} is not served: TLSv1.2 and TLSv1.3 are (older versions are broken)"
        ))),
    };
    names.iter().map(one).collect()
}

/// The algorithms of aws-lc, with only these cipher suites, or all that rustls has when the list is empty.
pub(super) fn provider(suites: &[&str]) -> Result<CryptoProvider, TlsError> {
    let mut provider = aws_lc_rs::default_provider();
    if suites.is_empty() {
        return Ok(provider);
    }
    let mut wanted = Vec::new();
    for name in suites {
        match provider.cipher_suites.iter().find(|suite| name_of(suite) == *name) {
            Some(suite) => wanted.push(*suite),
            None => {
                let known: Vec<String> = provider.cipher_suites.iter().map(name_of).collect();
                return Err(TlsError::Settings(format!(
                    "ssl.cipher.suites={name} is not served; these are: {}",
                    known.join(", ")
                )));
            }
        }
    }
    provider.cipher_suites = wanted;
    Ok(provider)
}

/// Whether one of the suites is of one of the versions.
pub(super) fn have_a_suite(protocols: &[&'static SupportedProtocolVersion], provider: &CryptoProvider) -> bool {
    let suites = &provider.cipher_suites;
    suites.iter().any(|suite| protocols.iter().any(|protocol| protocol.version == suite.version().version))
}

/// The name that IANA and Java give a suite.
fn name_of(suite: &SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_have_the_names_of_iana() {
        let names: Vec<String> = provider(&[]).unwrap().cipher_suites.iter().map(name_of).collect();
        let known = [
            "TLS_AES_256_GCM_SHA384",
            "TLS_AES_128_GCM_SHA256",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ];
        assert_eq!(names, known);
    }

    #[test]
    fn only_what_is_listed_is_offered_and_the_unknown_is_refused_with_the_list() {
        let picked = provider(&["TLS_AES_128_GCM_SHA256"]).unwrap();
        assert_eq!(picked.cipher_suites.len(), 1);
        let error = provider(&["TLS_RSA_WITH_AES_128_CBC_SHA"]).unwrap_err().to_string();
        assert!(error.contains("TLS_RSA_WITH_AES_128_CBC_SHA") && error.contains("TLS_AES_256_GCM_SHA384"), "{error}");
        let error = protocols(&["TLSv1.2", "TLSv1"]).unwrap_err().to_string();
        assert!(error.contains("TLSv1 is not served"), "{error}");
        assert_eq!(protocols(&["TLSv1.2"]).unwrap().len(), 1);
    }
}
