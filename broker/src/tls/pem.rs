//! PEM: what stands between BEGIN and END lines. As in Kafka, line ends inside may be missing or be blanks: a properties file
//! often holds it in one line.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One section.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// What BEGIN says: `CERTIFICATE`, `PRIVATE KEY`, ...
    pub(super) label: String,
    pub(super) der: Vec<u8>,
}

/// Reads every section of a text.
///
/// # Errors
/// What is wrong with it, for a message.
pub(super) fn sections(text: &str) -> Result<Vec<Section>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or("a BEGIN line has no end")?;
        let end = format!("-----END {label}-----");
        let (body, after) = after.split_once(&end).ok_or_else(|| format!("there is no {end}"))?;
        if body.contains("Proc-Type:") {
            return Err("the key is encrypted in OpenSSL's old form: convert it by 'openssl pkcs8 -topk8'".to_owned());
        }
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|error| format!("the base64 of {label}: {error}"))?;
        found.push(Section { label: label.to_owned(), der });
        rest = after;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sections_are_read_with_line_ends_and_without() {
        let text = "Bag Attributes\n  x: y\n-----BEGIN CERTIFICATE-----\nAQID\nBAUG\n-----END CERTIFICATE-----\nsubject=\n\
                    -----BEGIN PRIVATE KEY----- Bwg= -----END PRIVATE KEY-----";
        let read = sections(text).unwrap();
        let read: Vec<_> = read.iter().map(|section| (section.label.as_str(), section.der.as_slice())).collect();
        assert_eq!(read, [("CERTIFICATE", &[1, 2, 3, 4, 5, 6][..]), ("PRIVATE KEY", &[7, 8])]);
    }

    #[test]
    fn what_is_cut_off_or_encrypted_in_the_old_form_is_told() {
        let error = sections("-----BEGIN X-----\nAQID").err().unwrap();
        assert!(error.contains("-----END X-----"), "{error}");
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END RSA PRIVATE KEY-----";
        assert!(sections(old).err().unwrap().contains("openssl pkcs8"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}(-----BEGIN [A-Z]{0,3}-{0,6}.{0,20}-----END [A-Z]{0,3}-{0,6})?.{0,10}") {
            let _ = sections(&text);
        }
    }
}
