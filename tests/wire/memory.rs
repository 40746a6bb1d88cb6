//! What connections cost.

use kafka_protocol::messages::ApiVersionsRequest;

use crate::client::Client;
use crate::fixture::Fixture;

/// Idle connections.
const IDLE: usize = 500;
/// Bytes of resident memory that each may take.
const IDLE_BYTES_MAX: u64 = 4 << 10;

#[test]
fn an_idle_connection_costs_little() {
    let fixture = Fixture::start(&[]);
    let connect = || {
        let mut client = Client::connect(fixture.address());
        let _ = client.ask(&ApiVersionsRequest::default(), 0);
        client
    };
    let _warm: Vec<Client> = (0..50).map(|_| connect()).collect();
    let before = fixture.resident();
    let _idle: Vec<Client> = (0..IDLE).map(|_| connect()).collect();
    let each = fixture.resident().saturating_sub(before) / IDLE as u64;
    println!("an idle connection takes {each} bytes");
    assert!(each < IDLE_BYTES_MAX, "{each} bytes");
}

#[test]
fn claims_of_large_frames_take_no_memory() {
    let fixture = Fixture::start(&[]);
    let before = fixture.resident();
    let claim = || {
        let mut client = Client::connect(fixture.address());
        client.send(&[6, 0x40, 0, 0, 0, 3, 0, 1, 0, 0, 0, 1]).unwrap();
        client
    };
    let claims: Vec<Client> = (0..100).map(|_| claim()).collect();
    let mut other = Client::connect(fixture.address());
    assert!(!other.ask(&ApiVersionsRequest::default(), 0).api_keys.is_empty());
    let grown = fixture.resident().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes for {} claims", claims.len());
}
