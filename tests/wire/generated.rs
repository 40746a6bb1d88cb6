//! What `generate` writes for monitors names only what a broker tells.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use barnabas_tests::harness::{port, wait};

use crate::commands::{done, get};
use crate::fixture::{Fixture, program};

fn generated(what: &str) -> String {
    let output = Command::new(program()).args(["generate", what]).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The names of metrics in a text.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("kafka_") || word.starts_with("barnabas_")).collect()
}

#[test]
fn every_metric_of_a_dashboard_and_of_an_alert_is_told_by_a_broker() {
    let port = port::free().unwrap();
    let fixture = Fixture::start(&[("barnabas.http.listener", &port.to_string())]);
    done(&fixture, "topics create orders", "");
    let metrics = get(SocketAddr::from(([127, 0, 0, 1], port)), "/metrics");
    let told: BTreeSet<&str> =
        metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for what in ["dashboards", "alerts"] {
        let text = generated(what);
        let named = named(&text);
        assert!(named.len() > 10, "{what}: {named:?}");
        let missing: Vec<_> = named.difference(&told).collect();
        assert!(missing.is_empty(), "{what}: {missing:?}");
    }
    for told in [
        "kafka_log_logmanager_offlinelogdirectorycount 0",
        "kafka_server_replicamanager_underminisrpartitioncount 0",
        "barnabas_certificate_expiry_seconds 0",
    ] {
        assert!(metrics.lines().any(|line| line == told), "{told}");
    }
    for told in ["barnabas_log_directory_full", "barnabas_journal_live_bytes", "barnabas_journal_capacity_bytes"] {
        let prefix = format!("{told}{{directory=\"");
        assert!(metrics.lines().any(|line| line.starts_with(&prefix)), "{told}");
    }
}

#[test]
fn a_listener_with_tls_tells_when_its_certificate_expires() {
    let directory = tempfile::tempdir().unwrap();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../broker/src/tls/fixture/broker.pem");
    let [plain, tls, http] = [(); 3].map(|()| port::free().unwrap());
    let settings = [
        format!("log.dirs={}", directory.path().join("data").display()),
        format!("listeners=PLAINTEXT://127.0.0.1:{plain},SSL://127.0.0.1:{tls}"),
        format!("barnabas.http.listener={http}"),
        "ssl.keystore.type=PEM".to_owned(),
        format!("ssl.keystore.location={}", keys.display()),
    ];
    let mut broker = Command::new(program());
    broker.arg("serve").args(settings.iter().flat_map(|setting| ["-c", setting]));
    let mut broker = broker.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], http));
    let metrics = wait::until("metrics", Duration::from_secs(60), || {
        let page = TcpStream::connect(address).is_ok().then(|| get(address, "/metrics"))?;
        page.contains("barnabas_certificate_expiry_seconds").then_some(page)
    });
    broker.kill().unwrap();
    broker.wait().unwrap();
    let metrics = metrics.unwrap();
    let told = metrics.lines().find_map(|line| line.strip_prefix("barnabas_certificate_expiry_seconds ")).unwrap();
    // Between the years 2020 and 3000: these are seconds.
    assert!((1_577_836_800..32_503_680_000).contains(&told.parse::<i64>().unwrap()), "{told}");
}
