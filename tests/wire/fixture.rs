//! A broker to talk to, built from this workspace.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use barnabas_tests::harness::broker::{Broker, Server};
use tempfile::TempDir;

/// A running broker and its directory.
pub(crate) struct Fixture {
    pub(crate) broker: Broker,
    directory: TempDir,
}

impl Fixture {
    /// Starts a broker with these settings over the usual ones.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let broker = Broker::start(&Server::Barnabas(program()), directory.path(), settings).unwrap();
        Self { broker, directory }
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.broker.bootstrap().parse().unwrap()
    }

    /// Resident memory of the broker in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// The process whose command line names our directory.
    fn pid(&self) -> u32 {
        let wanted = self.directory.path().to_str().unwrap();
        let processes = std::fs::read_dir("/proc").unwrap();
        let mut pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        let ours = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(wanted)
        };
        pids.find(ours).expect("the broker runs")
    }
}

/// The broker's binary in the profile of these tests, brought up to date once.
pub(crate) fn program() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let mut build = Command::new(env!("CARGO"));
        // Of the whole workspace: of the package alone, crates would have fewer features and be built again.
        build.args(["build", "--quiet", "--workspace", "--bin", "barnabas"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success());
        let own = std::env::current_exe().unwrap();
        own.parent().and_then(|deps| deps.parent()).unwrap().join("barnabas")
    };
    PROGRAM.get_or_init(build).clone()
}
