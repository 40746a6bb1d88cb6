//! Bytes that no client sends: for every key and version counts of 2^31-1, negative lengths, truncated and random
//! bodies. The broker stays up, keeps its memory, and serves others meanwhile.

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use barnabas_broker::api::{Row, table};
use bytes::Bytes;
use kafka_protocol::messages::ApiVersionsRequest;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use crate::client::{Client, frame, raw_frame};
use crate::fixture::Fixture;

/// Frames in all, unless `HOSTILE_FRAMES` says otherwise.
const FRAMES: u64 = 30_000;
/// Growth of resident memory that is allowed.
const GROWTH_MAX: u64 = 64 << 20;
/// Connections that send at the same time.
const SENDERS: u64 = 4;

/// Values that stand where a length or count may be.
const EXTREMES: [&[u8]; 7] = [
    &[0x7f, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xfe],
    &[0x80, 0, 0, 0],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    &[0x7f, 0xff],
    &[0x80, 0],
];

/// The hostile body of this number.
fn body(number: u64, random: &mut Random) -> Vec<u8> {
    let offset = usize::try_from(number % 48).unwrap();
    match (number / 48) % 10 {
        kind @ 0..=6 => {
            let mut body = vec![0; offset];
            body.extend(EXTREMES[usize::try_from(kind).unwrap()]);
            body.extend(vec![0; random.below(64)]);
            body
        }
        7 => vec![0; offset],
        8 => (0..random.below(200)).map(|_| random.byte()).collect(),
        _ => (0..random.below(64)).map(|_| [0, 1, 2, 0xff, b'a'][random.below(5)]).collect(),
    }
}

fn hostile_frame(number: u64, random: &mut Random) -> Bytes {
    let rows = table();
    let row: &Row = &rows[random.below(rows.len())];
    let versions = usize::try_from(row.versions.max - row.versions.min + 1).unwrap();
    let version = row.versions.min + i16::try_from(random.below(versions)).unwrap();
    raw_frame(row.key, version, 1, version >= row.shape.flexible, &body(number, random))
}

/// Connects from one of many loopback addresses: closed connections use up the ports of each.
fn connect_from_somewhere(to: SocketAddr, random: &mut Random) -> Client {
    let from = SocketAddr::from(([127, 1, random.byte(), random.byte()], 0));
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &from).unwrap();
    connect(&socket, &to).unwrap();
    Client::of(TcpStream::from(socket))
}

/// Sends the frame and a harmless request behind it; whether the connection lives to answer that. The frame itself may
/// have an answer or none, as a produce request with acks=0 has.
fn survives(client: &mut Client, hostile: &Bytes) -> bool {
    let harmless = frame(&ApiVersionsRequest::default(), 0, 2);
    if client.send(&[&hostile[..], &harmless[..]].concat()).is_err() {
        return false;
    }
    loop {
        match client.answer_or_error() {
            Ok(Some(answer)) if answer.correlation_id == 2 => return true,
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(error) => panic!("no answer to {hostile:?}: {error}"),
        }
    }
}

/// Sends this sender's share of the frames; returns how many left the connection open.
fn send_share(address: SocketAddr, sender: u64, frames: u64) -> u64 {
    let mut random = Random(sender * 7919 + 1);
    let mut answered = 0;
    let mut client = connect_from_somewhere(address, &mut random);
    for number in (sender..frames).step_by(usize::try_from(SENDERS).unwrap()) {
        let frame = hostile_frame(number, &mut random);
        if survives(&mut client, &frame) {
            answered += 1;
        } else {
            client = connect_from_somewhere(address, &mut random);
        }
    }
    answered
}

#[test]
fn hostile_frames_neither_stop_nor_swell_the_broker() {
    let frames = std::env::var("HOSTILE_FRAMES").ok().map_or(FRAMES, |frames| frames.parse().unwrap());
    let mut fixture = Fixture::start(&[("auto.create.topics.enable", "false")]);
    let address = fixture.address();
    // What every connection and API needs once is not growth.
    send_share(address, 0, 2000);
    let before = fixture.resident();
    let done = AtomicBool::new(false);
    let (answered, bystander) = std::thread::scope(|scope| {
        let done = &done;
        let bystander = scope.spawn(move || {
            let mut client = Client::connect(address);
            let mut asked = 0_u64;
            while !done.load(Ordering::Relaxed) {
                assert!(!client.ask(&ApiVersionsRequest::default(), 0).api_keys.is_empty());
                asked += 1;
            }
            asked
        });
        let senders: Vec<_> = (0..SENDERS).map(|id| scope.spawn(move || send_share(address, id, frames))).collect();
        let answered: Vec<_> = senders.into_iter().map(|sender| sender.join()).collect();
        done.store(true, Ordering::Relaxed);
        let bystander = bystander.join().unwrap();
        (answered.into_iter().map(|sender| sender.unwrap()).sum::<u64>(), bystander)
    });
    let grown = fixture.resident().saturating_sub(before);
    println!(
        "{frames} frames, {answered} left their connection open, grown by {grown} bytes, {bystander} requests of another connection"
    );
    assert_eq!(fixture.broker.crashed(), None);
    assert!(grown < GROWTH_MAX, "{grown} bytes");
    fixture.broker.stop().unwrap();
}

/// xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}
