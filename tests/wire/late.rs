//! A broker that hears of changes later than the client that made them, as Apache Kafka's do.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::commands::json;
use crate::fixture::{Fixture, program};

/// Kafka's number of Metadata.
const METADATA: [u8; 2] = [0, 3];
/// The topic, and one as long that nobody makes.
const TOPIC: &[u8] = b"bills";
const UNHEARD_OF: &[u8] = b"sllib";
/// How often the broker has not heard of it.
const TIMES: usize = 3;

/// Hands frames to a broker and back. As often as `left` says, it is not asked for the topic but for the other one, and what it
/// says of that is taken for its answer.
fn between(mut client: TcpStream, broker: SocketAddr, left: &AtomicUsize) -> io::Result<()> {
    let mut broker = TcpStream::connect(broker)?;
    loop {
        let mut request = frame(&mut client)?;
        let named = request.windows(TOPIC.len()).position(|bytes| bytes == TOPIC);
        if let Some(at) = named.filter(|_| request[4..6] == METADATA)
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        {
            request[at..at + TOPIC.len()].copy_from_slice(UNHEARD_OF);
        }
        broker.write_all(&request)?;
        let mut answer = frame(&mut broker)?;
        if let Some(at) = answer.windows(UNHEARD_OF.len()).position(|bytes| bytes == UNHEARD_OF) {
            answer[at..at + TOPIC.len()].copy_from_slice(TOPIC);
        }
        client.write_all(&answer)?;
    }
}

/// One frame with its length.
fn frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    stream.read_exact(&mut frame)?;
    let length = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
    frame.resize(4 + usize::try_from(length).map_err(io::Error::other)?, 0);
    stream.read_exact(&mut frame[4..])?;
    Ok(frame)
}

#[test]
fn a_plan_is_done_when_its_new_topics_are_known() {
    let fixture = Fixture::start(&[("auto.create.topics.enable", "false")]);
    let (broker, left) = (fixture.address(), Arc::new(AtomicUsize::new(TIMES)));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let late = listener.local_addr().unwrap().to_string();
    let counted = Arc::clone(&left);
    thread::spawn(move || {
        for client in listener.incoming() {
            // It ends when one of both has gone.
            let _ = between(client.unwrap(), broker, &counted);
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("topics.yaml");
    std::fs::write(&file, "topics: [{name: bills, partitions: 3}]\n").unwrap();
    let mut apply = Command::new(program());
    let ended = apply.args(["topics", "apply", "--yes", "-b", &late]).arg(&file).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(left.load(Ordering::SeqCst), 0, "the broker is asked until it knows");
    assert_eq!(json(&fixture, "topics describe bills")["topics"][0]["partitions"], Value::from(3));
}
