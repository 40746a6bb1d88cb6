//! ApiVersions before anything else is agreed, and what closes a connection.

use barnabas_broker::api::table;
use bytes::Buf;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::ApiVersionsRequest;
use kafka_protocol::protocol::StrBytes;

use crate::client::{Client, raw_frame};
use crate::fixture::Fixture;

fn named() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str("wire-test"))
        .with_client_software_version(StrBytes::from_static_str("1.0"))
}

#[test]
fn api_versions_is_the_table_in_every_version_and_survives_an_unknown_one() {
    let fixture = Fixture::start(&[]);
    let mut client = Client::connect(fixture.address());
    for version in [5, 127, -1, i16::MAX] {
        client.send(&raw_frame(18, version, 9, true, b"not to be read")).unwrap();
        let answer = client.answer().unwrap();
        assert_eq!(answer.correlation_id, 9);
        let mut rest = answer.rest;
        assert_eq!(rest.get_i16(), ResponseError::UnsupportedVersion.code());
        assert_eq!((rest.get_i32(), rest.get_i16(), rest.get_i16(), rest.get_i16()), (1, 18, 0, 4));
        assert!(rest.is_empty());
    }
    for version in 0..=4 {
        let response = client.ask(&named(), version);
        let shown = response.api_keys.iter().map(|key| (key.api_key, key.min_version, key.max_version));
        let expected = table().iter().map(|row| (row.key, row.advertised.min, row.advertised.max));
        assert!(shown.eq(expected));
        assert_eq!(response.error_code, 0);
        assert_eq!(response.finalized_features.len(), usize::from(version >= 3));
    }
    let nameless = client.ask(&ApiVersionsRequest::default(), 3);
    assert_eq!(nameless.error_code, ResponseError::InvalidRequest.code());
}

#[test]
fn what_kafka_closes_on_is_closed_on() {
    let fixture = Fixture::start(&[]);
    let refused: [&[u8]; 7] = [
        &raw_frame(4, 0, 1, false, &[0; 32]),
        &raw_frame(999, 0, 1, false, &[]),
        &raw_frame(3, 99, 1, true, &[0; 32]),
        &raw_frame(0, 2, 1, false, &[0; 32]),
        &raw_frame(3, 9, 1, true, b"\xff\xff\xff\xff\x0f"),
        &[0xff, 0xff, 0xff, 0xff, 0, 0],
        &[0x7f, 0xff, 0xff, 0xff, 0, 18, 0, 0],
    ];
    for bytes in refused {
        let mut client = Client::connect(fixture.address());
        client.send(bytes).unwrap();
        assert!(client.answer().is_none(), "{bytes:?}");
    }
}

#[test]
fn half_a_frame_is_cut_at_its_deadline() {
    let fixture = Fixture::start(&[]);
    let mut client = Client::connect(fixture.address());
    client.send(&[0, 0, 0, 20, 0, 18]).unwrap();
    assert!(client.answer().is_none());
}
