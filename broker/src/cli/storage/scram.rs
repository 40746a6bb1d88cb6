//! Users that a cluster begins with, in the words of kafka-storage's `--add-scram`.

use std::collections::BTreeMap;
use std::path::Path;

use barnabas_auth::scram::{ITERATIONS_MAX, ITERATIONS_MIN};
use barnabas_auth::{ScramCredential, ScramMechanism, base36};
use barnabas_raft::metadata::scram::UserScramCredentialRecord;
use barnabas_storage::seam::{Rng, Seams};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::cli::{Failure, files};

/// Reads what was given: `SCRAM-SHA-256=[name=alice,password=secret]` each, or `@FILE` with one a line.
///
/// # Errors
/// What is wrong, in Kafka's words; never a password.
pub(in crate::cli) fn users(given: &[String]) -> Result<Vec<UserScramCredentialRecord>, Failure> {
    let seams = Seams::system();
    let mut texts = Vec::new();
    for one in given {
        match one.strip_prefix('@') {
            Some(file) => texts.extend(files::read(Path::new(file))?.lines().map(|line| line.trim().to_owned())),
            None => texts.push(one.clone()),
        }
    }
    let texts = texts.iter().filter(|text| !text.is_empty());
    texts.map(|text| read(text, &*seams.rng).map_err(Failure::usage)).collect()
}

fn read(text: &str, rng: &dyn Rng) -> Result<UserScramCredentialRecord, String> {
    let (mechanism, rest) = text.trim().split_once('=').ok_or("Failed to find equals sign in SCRAM argument")?;
    let unsupported = |_| format!("The add-scram mechanism {mechanism} is not supported.");
    let mechanism: ScramMechanism = mechanism.parse().map_err(unsupported)?;
    let rest = rest.strip_prefix('[').ok_or("Expected configuration string to start with [")?;
    let rest = rest.strip_suffix(']').ok_or("Expected configuration string to end with ]")?;
    let mut parts = parts(rest)?;
    let user = parts.remove("name").ok_or("You must supply 'name' to add-scram")?;
    let salt = match parts.remove("salt") {
        Some(salt) => STANDARD.decode(&salt).map_err(|_| format!("Failed to decode given salt: {salt}"))?,
        None if parts.contains_key("password") => random_salt(rng),
        None if parts.contains_key("saltedpassword") => {
            return Err("You must supply 'salt' with 'saltedpassword' to add-scram".to_owned());
        }
        None => Vec::new(),
    };
    let iterations = iterations(parts.remove("iterations"), mechanism)?;
    let credential = match (parts.remove("password"), parts.remove("saltedpassword")) {
        (Some(password), _) => ScramCredential::of_password(mechanism, &password, salt, iterations),
        (None, Some(salted)) => {
            let salted = STANDARD.decode(salted).map_err(|_| "Failed to decode given saltedPassword")?;
            ScramCredential::of_salted_password(mechanism, &salted, salt, iterations)
        }
        (None, None) => return Err("You must supply one of 'password' or 'saltedpassword' to add-scram".to_owned()),
    };
    if !parts.is_empty() {
        let names: Vec<String> = parts.into_keys().collect();
        return Err(format!("Unknown SCRAM configurations: {}", names.join(", ")));
    }
    Ok(UserScramCredentialRecord { user, mechanism, credential })
}

fn parts(text: &str) -> Result<BTreeMap<String, String>, String> {
    let part = |part: &str| {
        let (name, value) = part.split_once('=').ok_or("No equals sign found in a SCRAM component")?;
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        Ok((name.to_owned(), value.to_owned()))
    };
    text.split(',').map(part).collect()
}

fn iterations(text: Option<String>, mechanism: ScramMechanism) -> Result<u32, String> {
    let Some(text) = text else { return Ok(ITERATIONS_MIN) };
    let number: u32 = text.parse().map_err(|_| format!("Failed to parse iterations count: {text}"))?;
    let bound = |sign: &str, bound: u32| {
        Err(format!("The 'iterations' value must be {sign} {bound} for add-scram using {mechanism}"))
    };
    match number {
        few if few < ITERATIONS_MIN => bound(">=", ITERATIONS_MIN),
        many if many > ITERATIONS_MAX => bound("<=", ITERATIONS_MAX),
        number => Ok(number),
    }
}

fn random_salt(rng: &dyn Rng) -> Vec<u8> {
    let bits: Vec<u8> = (0..3).flat_map(|_| rng.next_u64().to_be_bytes()).collect();
    base36::of_130_bits(&bits).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<UserScramCredentialRecord, String> {
        read(text, &*Seams::system().rng)
    }

    #[test]
    fn a_user_has_a_password_or_a_salted_one() {
        let user = of("SCRAM-SHA-256=[name=alice,password=alice-secret]").unwrap();
        assert_eq!((user.user.as_str(), user.credential.iterations), ("alice", ITERATIONS_MIN));
        assert!(user.credential.is_of_password(ScramMechanism::Sha256, "alice-secret"));
        let salted = of(r#"SCRAM-SHA-512=[name=alice,iterations=8192,salt="N3E=",saltedpassword="YCE="]"#).unwrap();
        assert_eq!((salted.credential.iterations, &salted.credential.salt[..]), (8192, &b"7q"[..]));
    }

    #[test]
    fn what_is_wrong_is_told_in_kafkas_words_and_without_the_password() {
        for (text, reason) in [
            ("SCRAM-SHA-1=[name=a,password=topsecret]", "mechanism SCRAM-SHA-1 is not supported"),
            ("SCRAM-SHA-256", "equals sign"),
            ("SCRAM-SHA-256=name=a,password=topsecret", "start with ["),
            ("SCRAM-SHA-256=[name=a,password=topsecret", "end with ]"),
            ("SCRAM-SHA-256=[password=topsecret]", "'name'"),
            ("SCRAM-SHA-256=[name=a]", "'password' or"),
            ("SCRAM-SHA-256=[name=a,saltedpassword=YCE=]", "'salt'"),
            ("SCRAM-SHA-256=[name=a,iterations=10,password=topsecret]", ">= 4096"),
            ("SCRAM-SHA-256=[name=a,iterations=999999,password=topsecret]", "<= 16384"),
            ("SCRAM-SHA-256=[name=a,password=topsecret,x=y]", "configurations: x"),
            ("SCRAM-SHA-256=[name=a,topsecret]", "component"),
        ] {
            let said = of(text).err().unwrap();
            assert!(said.contains(reason) && !said.contains("topsecret"), "{text}: {said}");
        }
    }
}
