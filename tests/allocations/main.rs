//! How often a steady request allocates, and what a connection keeps while it is idle: counted, so that no machine's
//! noise is in it. One broker in this process, spoken to over real sockets by threads that do not allocate.
//!
//! There is one function: another test beside it would be counted with it.
#![allow(unsafe_code, reason = "a global allocator that counts has to be one")]
#![allow(clippy::unwrap_used, reason = "a test, also where it is not inside a test function")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use barnabas_broker::bench::{batch, topic};
use barnabas_broker::seam::TcpNet;
use barnabas_broker::server::Server;
use barnabas_config::{Config, ConfigSources};
use barnabas_storage::seam::Seams;
use bytes::{BufMut, BytesMut};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ApiVersionsRequest, BrokerId, FetchRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::{HeaderVersion, Request, StrBytes};

/// Allocations of a steady produce request of one batch, at most, in `os` and in `group`, where the journal has its share.
/// Lower them when they become less.
const PRODUCE_MAX: [f64; 2] = [20.0, 28.0];
/// The same of a fetch of one partition.
const FETCH_MAX: f64 = 27.0;
/// Bytes of heap that an idle connection keeps.
const IDLE_BYTES_MAX: f64 = 3712.0;

static COUNT: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(more: usize, less: usize) {
    COUNT.fetch_add(u64::from(more > 0), Ordering::Relaxed);
    LIVE.fetch_add(more as i64 - less as i64, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

fn frame<R: Request + HeaderVersion>(request: &R, version: i16) -> Vec<u8> {
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    frame.put_i16(R::KEY);
    frame.put_i16(version);
    frame.put_i32(1);
    frame.put_i16(4);
    frame.put_slice(b"test");
    frame.put_bytes(0, usize::from(R::header_version(version) >= 2));
    request.encode(&mut frame, version).unwrap();
    let length = i32::try_from(frame.len() - 4).unwrap();
    frame[..4].copy_from_slice(&length.to_be_bytes());
    frame.to_vec()
}

fn produce(topic: &TopicName, records: usize) -> Vec<u8> {
    let partition = PartitionProduceData::default().with_index(0).with_records(Some(batch::of(100, records).bytes));
    let data = TopicProduceData::default().with_name(topic.clone()).with_partition_data(vec![partition]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(10_000).with_topic_data(vec![data]);
    frame(&request, 9)
}

fn fetch(topic: &TopicName) -> Vec<u8> {
    let partition = FetchPartition::default().with_partition(0).with_partition_max_bytes(1 << 20);
    let data = FetchTopic::default().with_topic(topic.clone()).with_partitions(vec![partition]);
    let request = FetchRequest::default().with_replica_id(BrokerId(-1)).with_session_epoch(-1);
    frame(&request.with_min_bytes(1).with_max_bytes(1 << 20).with_topics(vec![data]), 12)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Asks and reads the answer, into `inbox`; does not allocate.
fn ask(stream: &mut TcpStream, frame: &[u8], inbox: &mut [u8]) {
    stream.write_all(frame).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let length = usize::try_from(i32::from_be_bytes(length)).unwrap();
    stream.read_exact(&mut inbox[..length]).unwrap();
}

/// Allocations of this process a request, once the first ones are over.
fn allocations(address: SocketAddr, frame: &[u8]) -> f64 {
    const REQUESTS: u32 = 2000;
    let (mut stream, mut inbox) = (connect(address), vec![0; 2 << 20]);
    (0..100).for_each(|_| ask(&mut stream, frame, &mut inbox));
    let before = COUNT.load(Ordering::Relaxed);
    (0..REQUESTS).for_each(|_| ask(&mut stream, frame, &mut inbox));
    (COUNT.load(Ordering::Relaxed) - before) as f64 / f64::from(REQUESTS)
}

fn idle_bytes(address: SocketAddr) -> i64 {
    const CONNECTIONS: usize = 200;
    let (question, mut inbox) = (frame(&ApiVersionsRequest::default(), 0), vec![0; 1 << 16]);
    let mut idle = Vec::with_capacity(CONNECTIONS * 2);
    let mut before = 0;
    for number in 0..CONNECTIONS * 2 {
        if number == CONNECTIONS {
            before = LIVE.load(Ordering::Relaxed);
        }
        let mut stream = connect(address);
        ask(&mut stream, &question, &mut inbox);
        idle.push(stream);
    }
    (LIVE.load(Ordering::Relaxed) - before) / CONNECTIONS as i64
}

fn start(runtime: &tokio::runtime::Runtime, directory: &std::path::Path, mode: &str) -> Server {
    let assignments = vec![
        "listeners=PLAINTEXT://127.0.0.1:0".to_owned(),
        format!("log.dirs={}", directory.display()),
        format!("log.durability.mode={mode}"),
        "log.journal.bytes.initial=4194304".to_owned(),
    ];
    let read_file = |_: &std::path::Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    let sources = ConfigSources { files: vec![], environment: vec![], assignments, read_file: &read_file };
    let config = Arc::new(Config::load(&sources).unwrap().0);
    runtime.block_on(Server::start(config, Seams::system(), &TcpNet)).unwrap()
}

#[test]
fn a_steady_request_allocates_a_handful_of_times_and_an_idle_connection_keeps_little() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut findings = Vec::new();
    let mut least = |what: &str, found: f64, max: f64| {
        println!("{what}: {found:.2}, at most {max}");
        if found > max {
            findings.push(format!("{what}: {found:.2} are more than {max}"));
        }
    };
    for (mode, produce_max) in ["os", "group"].into_iter().zip(PRODUCE_MAX) {
        let directory = tempfile::tempdir().unwrap();
        let server = start(&runtime, directory.path(), mode);
        let address = server.addresses()[0];
        let wanted = topic::Wanted { name: "steady", partitions: Some(1), replication_factor: 1, configs: &[] };
        topic::ensure(&address.to_string().as_str().into(), &wanted).unwrap();
        let name = TopicName(StrBytes::from_static_str("steady"));
        let one = allocations(address, &produce(&name, 1));
        least(&format!("allocations of a produce of one record ({mode})"), one, produce_max);
        let many = allocations(address, &produce(&name, 150));
        least(&format!("allocations of a produce of 16 KiB ({mode})"), many, produce_max);
        least(&format!("allocations of a fetch of 1 MiB ({mode})"), allocations(address, &fetch(&name)), FETCH_MAX);
        least(&format!("bytes of an idle connection ({mode})"), idle_bytes(address) as f64, IDLE_BYTES_MAX);
        runtime.block_on(server.stop()).unwrap();
    }
    assert!(findings.is_empty(), "{findings:#?}");
}
