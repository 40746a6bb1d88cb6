//! Apache Kafka, for recording: rules are set by its super user over a listener of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use barnabas_auth::Acl;
use barnabas_tests::harness::broker::{Broker, Server};
use barnabas_tests::harness::{port, wait};
use bytes::Bytes;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::{
    CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest, SaslAuthenticateRequest, SaslHandshakeRequest,
};
use kafka_protocol::protocol::StrBytes;
use tempfile::TempDir;

use super::Target;
use crate::client::Client;

const ANY: i8 = 1;
/// The controller of the process hears of rules by itself, and nothing tells when.
const HEARD: Duration = Duration::from_millis(100);

pub(super) struct Kafka {
    broker: Broker,
    admin: Client,
    _directory: TempDir,
}

impl Kafka {
    pub(super) fn start(jars: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut broker = Broker::prepare(&Server::Kafka(jars.to_owned()), directory.path(), &[]).unwrap();
        let admin = port::free().unwrap();
        let file = directory.path().join("server.properties");
        let written = std::fs::read_to_string(&file).unwrap();
        let plain = broker.bootstrap();
        let voters = written.lines().find_map(|line| line.strip_prefix("controller.quorum.voters=1@")).unwrap();
        let jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"admin\" \
                    password=\"admin\" user_admin=\"admin\";";
        let more = format!(
            "listeners=PLAINTEXT://{plain},ADMIN://127.0.0.1:{admin},CONTROLLER://{voters}\n\
             advertised.listeners=PLAINTEXT://{plain},ADMIN://127.0.0.1:{admin}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,ADMIN:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT\n\
             sasl.enabled.mechanisms=PLAIN\n\
             sasl.mechanism.controller.protocol=PLAIN\n\
             listener.name.admin.plain.sasl.jaas.config={jaas}\n\
             listener.name.controller.plain.sasl.jaas.config={jaas}\n\
             authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
             super.users=User:admin\n"
        );
        std::fs::write(&file, written + &more).unwrap();
        broker.restart().unwrap();
        let admin = logged_in(SocketAddr::from(([127, 0, 0, 1], admin)));
        Self { broker, admin, _directory: directory }
    }

    fn rules(&mut self) -> usize {
        let all = DescribeAclsRequest::default()
            .with_resource_type_filter(ANY)
            .with_resource_name_filter(None)
            .with_pattern_type_filter(ANY)
            .with_principal_filter(None)
            .with_host_filter(None)
            .with_operation(ANY)
            .with_permission_type(ANY);
        let found = self.admin.ask(&all, 3);
        assert_eq!(found.error_code, 0);
        found.resources.iter().map(|resource| resource.acls.len()).sum()
    }
}

fn logged_in(address: SocketAddr) -> Client {
    let mut client = Client::connect(address);
    let mechanism = StrBytes::from_static_str("PLAIN");
    let shaken = client.ask(&SaslHandshakeRequest::default().with_mechanism(mechanism), 1);
    assert_eq!(shaken.error_code, 0);
    let login = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from_static(b"\0admin\0admin"));
    assert_eq!(client.ask(&login, 2).error_code, 0);
    client
}

impl Target for Kafka {
    fn address(&self) -> SocketAddr {
        self.broker.bootstrap().parse().unwrap()
    }

    #[allow(clippy::disallowed_methods, reason = "nothing tells when the controller has heard; only at recording")]
    fn set(&mut self, acls: Vec<Acl>) {
        let everything = DeleteAclsFilter::default()
            .with_resource_type_filter(ANY)
            .with_resource_name_filter(None)
            .with_pattern_type_filter(ANY)
            .with_principal_filter(None)
            .with_host_filter(None)
            .with_operation(ANY)
            .with_permission_type(ANY);
        let gone = self.admin.ask(&DeleteAclsRequest::default().with_filters(vec![everything]), 3);
        assert_eq!(gone.filter_results[0].error_code, 0);
        let text = |text: &str| StrBytes::from_string(text.to_owned());
        let creation = |acl: &Acl| {
            AclCreation::default()
                .with_resource_type(acl.resource_type.code())
                .with_resource_name(text(&acl.resource_name))
                .with_resource_pattern_type(acl.pattern_type.code())
                .with_principal(text(&acl.principal))
                .with_host(text(&acl.host))
                .with_operation(acl.operation.code())
                .with_permission_type(acl.permission.code())
        };
        let creations: Vec<AclCreation> = acls.iter().map(creation).collect();
        let made = self.admin.ask(&CreateAclsRequest::default().with_creations(creations), 3);
        assert!(made.results.iter().all(|result| result.error_code == 0), "{made:?}");
        let mut distinct = acls;
        distinct.sort();
        distinct.dedup();
        let patience = Duration::from_secs(10);
        wait::until("the rules", patience, || (self.rules() == distinct.len()).then_some(())).unwrap();
        std::thread::sleep(HEARD);
    }
}
