//! A topic that is protected from its deletion, and from that of its records.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::IncrementalAlterConfigsRequest;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};

use crate::client::Client;
use crate::commands::{done, failed};
use crate::fixture::Fixture;
use crate::login::text;

const SETTING: &str = "barnabas.delete.protection";

fn set(client: &mut Client, value: &str) -> i16 {
    let setting = AlterableConfig::default().with_name(text(SETTING)).with_value(Some(text(value)));
    let resource = AlterConfigsResource::default().with_resource_type(2).with_resource_name(text("orders"));
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource.with_configs(vec![setting])]);
    client.ask(&request, 0).responses[0].error_code
}

#[test]
fn a_protected_topic_is_deleted_by_nobody_until_it_is_protected_no_longer() {
    let fixture = Fixture::start(&[]);
    let mut client = Client::connect(fixture.address());
    done(&fixture, &format!("topics create orders --config {SETTING}=true"), "");
    done(&fixture, "topics create other", "");
    done(&fixture, "produce orders", "one\n");
    let (code, told) = failed(&fixture, "topics delete orders other --yes");
    assert!(code != 0 && told.contains("POLICY_VIOLATION") && told.contains(SETTING), "{told}");
    assert_eq!(failed(&fixture, "topics describe other").0, 3, "each topic on its own merits");
    let (code, told) = failed(&fixture, "topics trim orders --to latest --yes");
    assert!(code != 0 && told.contains("POLICY_VIOLATION"), "{told}");
    assert_eq!(done(&fixture, "consume orders --from earliest --exit --format %v\\n", ""), "one\n");
    assert_eq!(set(&mut client, "perhaps"), ResponseError::InvalidConfig.code());
    assert_eq!(set(&mut client, "false"), 0);
    done(&fixture, "topics trim orders --to latest --yes", "");
    assert_eq!(done(&fixture, "consume orders --from earliest --exit --format %v\\n", ""), "");
    done(&fixture, "topics delete orders --yes", "");
    assert_eq!(failed(&fixture, "topics describe orders").0, 3);
}
