//! A realm of Kerberos: MIT's KDC with a database and a port of its own.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use barnabas_tests::harness::port;
use barnabas_tests::harness::process::Process;
use barnabas_tests::harness::wait;

use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// Its name.
pub(super) const REALM: &str = "GATE.TEST";
/// Longest wait for the KDC.
const LISTENS: Duration = Duration::from_secs(30);

pub(super) struct Realm {
    place: PathBuf,
    _kdc: Process,
}

impl Realm {
    /// Makes the database and starts the KDC.
    pub(super) fn start(room: &Room<'_>) -> Result<Self, Outcome> {
        let place = room.path("realm");
        fs::create_dir(&place)?;
        let port = port::free()?;
        let shown = place.display();
        let krb5 = format!(
            "[libdefaults]\n default_realm = {REALM}\n dns_lookup_realm = false\n dns_lookup_kdc = false\n \
             dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n\
             [realms]\n {REALM} = {{\n  kdc = 127.0.0.1:{port}\n }}\n\
             [domain_realm]\n localhost = {REALM}\n\
             [logging]\n kdc = FILE:{shown}/kdc.log\n"
        );
        let kdc = format!(
            "[kdcdefaults]\n kdc_listen = 127.0.0.1:{port}\n kdc_tcp_listen = 127.0.0.1:{port}\n\
             [realms]\n {REALM} = {{\n  database_name = {shown}/principal\n  key_stash_file = {shown}/stash\n }}\n"
        );
        fs::write(place.join("krb5.conf"), krb5)?;
        fs::write(place.join("kdc.conf"), kdc)?;
        let program = |name: &str, arguments: &[&str]| {
            let mut command = Command::new(name);
            command.args(arguments);
            command.env("KRB5_CONFIG", place.join("krb5.conf")).env("KRB5_KDC_PROFILE", place.join("kdc.conf"));
            command
        };
        room.step("kdb5_util", program("kdb5_util", &["-r", REALM, "-P", "of the gate", "create", "-W", "-s"]))?;
        let kdc = room.start("krb5kdc", program("krb5kdc", &["-n", "-r", REALM]))?;
        wait::until("the KDC to listen", LISTENS, || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok())?;
        Ok(Self { place, _kdc: kdc })
    }

    /// A new principal with a random key, which is in the keytab of this name.
    pub(super) fn principal(&self, room: &Room<'_>, name: &str, keytab: &str) -> Result<(), Outcome> {
        let file = self.keytab(keytab);
        for query in [format!("addprinc -randkey {name}"), format!("ktadd -k {file} {name}")] {
            let mut command = Command::new("kadmin.local");
            command.args(["-r", REALM, "-q", &query]);
            command.env("KRB5_CONFIG", self.config()).env("KRB5_KDC_PROFILE", self.place.join("kdc.conf"));
            room.step("kadmin", command)?;
        }
        let told = fs::read_to_string(room.output("kadmin"))?;
        if told.contains("added to keytab") { Ok(()) } else { failed(format!("no key of {name}: {told}")) }
    }

    /// A keytab's path.
    pub(super) fn keytab(&self, name: &str) -> String {
        self.place.join(format!("{name}.keytab")).display().to_string()
    }

    /// The library's configuration, for clients and brokers.
    pub(super) fn config(&self) -> String {
        self.place.join("krb5.conf").display().to_string()
    }

    /// A file of its own.
    pub(super) fn file(&self, name: &str) -> String {
        self.place.join(name).display().to_string()
    }
}
