//! Our broker, in this process: rules are set through its controller.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use barnabas_auth::{Acl, AclFilter};
use barnabas_broker::seam::TcpNet;
use barnabas_broker::server::Server;
use barnabas_config::{Config, ConfigSources};
use barnabas_storage::seam::Seams;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::Target;

pub(super) struct Ours {
    runtime: Runtime,
    server: Server,
    _directory: TempDir,
}

impl Ours {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let assignments = [
            "listeners=PLAINTEXT://127.0.0.1:0".to_owned(),
            format!("log.dirs={}", directory.path().join("data").display()),
            "log.journal.bytes.initial=4194304".to_owned(),
            "group.initial.rebalance.delay.ms=0".to_owned(),
            "authorizer.class.name=standard".to_owned(),
        ];
        let read_file = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
        let assignments = assignments.to_vec();
        let sources = ConfigSources { files: vec![], environment: vec![], assignments, read_file: &read_file };
        let config = Arc::new(Config::load(&sources).unwrap().0);
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(Server::start(config, Seams::system(), &TcpNet)).unwrap();
        Self { runtime, server, _directory: directory }
    }
}

impl Target for Ours {
    fn address(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    fn set(&mut self, acls: Vec<Acl>) {
        let controller = &self.server.broker().controller;
        self.runtime.block_on(async {
            controller.delete_acls(vec![AclFilter::EVERYTHING]).await.unwrap()[0].as_ref().unwrap();
            controller.create_acls(acls).await.unwrap().unwrap();
        });
    }
}
