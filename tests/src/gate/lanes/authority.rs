//! Who signs certificates for the lanes over TLS: made on the spot by openssl.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::gate::lane::Outcome;
use crate::gate::room::Room;

/// What signs, and the files it made.
pub(crate) struct Authority {
    place: PathBuf,
}

impl Authority {
    /// Certificates for the broker, which is `localhost`, and for a client.
    pub(crate) fn new(room: &Room<'_>) -> Result<Self, Outcome> {
        let place = room.path("certificates");
        fs::create_dir(&place)?;
        let authority = Self { place };
        authority.openssl(
            room,
            &["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
            &["-subj", "/CN=Gate-CA", "-keyout", "ca.key", "-out", "ca.pem"],
        )?;
        authority.issue(room, "broker", "/O=Barnabas/CN=broker", "subjectAltName=DNS:localhost,IP:127.0.0.1")?;
        authority.issue(room, "client", "/O=Barnabas/OU=clients/CN=alice", "keyUsage=digitalSignature")?;
        // Java 2.8 knows PEM since its 2.7; its own kind of store is tried as well.
        authority.openssl(
            room,
            &["pkcs12", "-export", "-inkey", "client.key", "-in", "client.crt", "-certfile", "ca.pem"],
            &["-passout", "pass:secret", "-name", "client", "-out", "client.p12"],
        )?;
        Ok(authority)
    }

    /// A key of its own and a certificate, together in NAME.pem.
    pub(crate) fn issue(&self, room: &Room<'_>, name: &str, subject: &str, extension: &str) -> Result<(), Outcome> {
        let (key, request, certificate) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.crt"));
        let extensions = format!("basicConstraints=CA:FALSE\n{extension}\n");
        fs::write(self.place.join("extensions"), extensions)?;
        self.openssl(
            room,
            &["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
            &["-subj", subject, "-keyout", &key, "-out", &request],
        )?;
        self.openssl(
            room,
            &["x509", "-req", "-in", &request, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"],
            &["-days", "2", "-extfile", "extensions", "-out", &certificate],
        )?;
        let both = fs::read_to_string(self.place.join(&key))? + &fs::read_to_string(self.place.join(&certificate))?;
        // In one step: a half of a file is never read.
        fs::write(self.place.join("new.pem"), both)?;
        fs::rename(self.place.join("new.pem"), self.file(&format!("{name}.pem")))?;
        Ok(())
    }

    /// The client's certificate and the authority's in DER as well.
    pub(crate) fn export(&self, room: &Room<'_>) -> Result<(), Outcome> {
        for (from, to) in [("client.crt", "client.der"), ("ca.pem", "ca.der")] {
            self.openssl(room, &["x509", "-in", from], &["-outform", "DER", "-out", to])?;
        }
        Ok(())
    }

    fn openssl(&self, room: &Room<'_>, arguments: &[&str], more: &[&str]) -> Result<(), Outcome> {
        let mut command = Command::new("openssl");
        command.args(arguments).args(more).current_dir(&self.place);
        room.step("openssl", command)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// The path of one of its files.
    pub(crate) fn shown(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// Tells a client in its environment what to trust, and what to show.
    pub(crate) fn tell(&self, command: &mut Command, shows_certificate: bool) {
        command.env("SSL_CA", self.shown("ca.pem"));
        if shows_certificate {
            command.env("SSL_CERT", self.shown("client.crt")).env("SSL_KEY", self.shown("client.key"));
        }
    }

    /// The same for a Java client.
    pub(crate) fn java_properties(&self, shows_certificate: bool) -> String {
        let trust = format!("ssl.truststore.type=PEM\nssl.truststore.location={}\n", self.shown("ca.pem"));
        if !shows_certificate {
            return trust;
        }
        format!(
            "{trust}ssl.keystore.type=PKCS12\nssl.keystore.location={}\nssl.keystore.password=secret\nssl.key.password=secret\n",
            self.shown("client.p12")
        )
    }
}
