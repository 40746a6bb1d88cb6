//! An issuer of OAuth tokens: an RSA key, the set that holds its public half, and tokens it signs. openssl does the cryptography.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// An issuer and the directory it keeps its files in.
#[derive(Debug)]
pub struct Issuer {
    directory: PathBuf,
    name: String,
}

impl Issuer {
    /// Makes a key under this name and publishes it in [`Issuer::keys`].
    pub fn new(directory: &Path, name: &str) -> io::Result<Self> {
        let issuer = Self { directory: directory.to_owned(), name: name.to_owned() };
        let key = issuer.key();
        openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"], &key, b"")?;
        issuer.publish()?;
        Ok(issuer)
    }

    /// The file of its public keys.
    pub fn keys(&self) -> PathBuf {
        self.directory.join("keys.json")
    }

    /// Puts its public key where [`Issuer::keys`] says, in place of what is there.
    pub fn publish(&self) -> io::Result<()> {
        let told = openssl(&["rsa", "-noout", "-modulus", "-in"], &self.key(), b"")?;
        let modulus = String::from_utf8_lossy(&told).trim().trim_start_matches("Modulus=").to_owned();
        let digits = |at: usize| modulus.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let modulus: Vec<u8> = (0..modulus.len()).step_by(2).map_while(digits).collect();
        let key = json!({ "kty": "RSA", "kid": self.name, "use": "sig", "n": base64url(&modulus), "e": "AQAB" });
        let new = self.directory.join("new.json");
        std::fs::write(&new, json!({ "keys": [key] }).to_string())?;
        std::fs::rename(new, self.keys())
    }

    /// A token of `subject` that is good for so long, with further claims.
    pub fn token(&self, subject: &str, life: Duration, more: &Value) -> io::Result<String> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(io::Error::other)?.as_secs();
        let mut claims = json!({ "sub": subject, "iat": now, "exp": now + life.as_secs() });
        for (name, value) in more.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        let head = json!({ "alg": "RS256", "kid": self.name, "typ": "JWT" });
        let signed = format!("{}.{}", base64url(head.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
        let signature = openssl(&["dgst", "-sha256", "-sign"], &self.key(), signed.as_bytes())?;
        Ok(format!("{signed}.{}", base64url(&signature)))
    }

    fn key(&self) -> PathBuf {
        self.directory.join(format!("{}.key", self.name))
    }
}

/// Runs openssl with a file as its last argument; what it writes to its standard output.
fn openssl(arguments: &[&str], file: &Path, input: &[u8]) -> io::Result<Vec<u8>> {
    let mut command = Command::new("openssl");
    command.args(arguments).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input)?;
    }
    let output = child.wait_with_output()?;
    let told = || io::Error::other(format!("openssl: {}", String::from_utf8_lossy(&output.stderr)));
    if output.status.success() { Ok(output.stdout) } else { Err(told()) }
}

/// Base64 as tokens have it: of the URL's alphabet, without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number =
            three.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..=three.len() {
            text.push(char::from(ALPHABET[number >> (18 - 6 * at) & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, encoded) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(base64url(plain.as_bytes()), encoded);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }
}
