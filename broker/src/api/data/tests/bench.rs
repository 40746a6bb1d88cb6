//! A broker in a temporary directory, and short words for requests and answers.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use barnabas_config::{Config, ConfigSources, SecurityProtocol};
use barnabas_raft::NewTopic;
use barnabas_storage::batch::BatchBuilder;
use barnabas_storage::seam::Seams;
use barnabas_storage::{Timestamp, TopicId};
use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{FetchRequest, FetchResponse, ProduceRequest, ProduceResponse, TopicName};
use kafka_protocol::protocol::{Decodable, StrBytes};
use tempfile::TempDir;

use crate::api::context::ConnectionInfo;
use crate::api::data::fetch::Fetch;
use crate::api::data::produce::Produce;
use crate::api::{Api, Chunk, Reply, RequestContext, TwoStage};
use crate::broker::Broker;
use crate::seam::TcpNet;
use crate::server::Server;
use crate::session::Session;

/// A broker in a temporary directory.
pub(crate) struct Bench {
    server: Server,
    _dir: TempDir,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(settings: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let logs = format!("log.dirs={}", dir.path().join("data").display());
        let fixed = ["listeners=PLAINTEXT://127.0.0.1:0", &logs, "log.journal.bytes.initial=4194304"];
        let assignments = fixed.iter().chain(settings).map(|one| (*one).to_owned()).collect();
        let read_file = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
        let sources = ConfigSources { files: vec![], environment: vec![], assignments, read_file: &read_file };
        let config = Arc::new(Config::load(&sources).unwrap().0);
        let server = Server::start(config, Seams::system(), &TcpNet).await.unwrap();
        Self { server, _dir: dir }
    }

    pub(crate) fn broker(&self) -> &Arc<Broker> {
        self.server.broker()
    }

    pub(crate) fn context<T: Api>(&self, version: i16) -> RequestContext {
        let address = SocketAddr::from(([127, 0, 0, 1], 9092));
        let protocol = SecurityProtocol::Plaintext;
        let session = Session::at_accept(protocol, None);
        let connection = ConnectionInfo::new(1, Arc::from("PLAINTEXT"), protocol, address, address, session);
        RequestContext {
            broker: Arc::clone(self.broker()),
            principal: connection.principal(),
            connection: Arc::new(connection),
            api: T::NAME,
            needs: T::NEEDS,
            version,
            client_id: Arc::from("test"),
        }
    }

    pub(super) async fn create(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) -> TopicId {
        let topic = NewTopic {
            name: name.to_owned(),
            partitions,
            replication_factor: 1,
            assignment: vec![],
            configs: configs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        let created = self.broker().controller.create_topics(vec![topic], false).await.unwrap();
        created[0].as_ref().unwrap().id
    }

    pub(super) async fn delete(&self, topic: TopicId) {
        self.broker().controller.delete_topics(vec![topic]).await.unwrap()[0].as_ref().unwrap();
    }

    pub(super) async fn produce(&self, version: i16, request: ProduceRequest) -> ProduceResponse {
        let reply = Produce::begin(self.context::<Produce>(version), request).await;
        ProduceResponse::decode(&mut body(reply), version).unwrap()
    }

    /// Produces one batch to one partition with acks=-1; the partition's answer.
    pub(super) async fn append(&self, topic: &str, partition: i32, batch: &Bytes) -> PartitionProduceResponse {
        let response = self.produce(9, produce_request(-1, &[(topic, partition, batch.clone())])).await;
        response.responses[0].partition_responses[0].clone()
    }

    pub(super) async fn fetch(&self, version: i16, request: FetchRequest) -> FetchResponse {
        let reply = Fetch::begin(self.context::<Fetch>(version), request).await;
        FetchResponse::decode(&mut body(reply), version).unwrap()
    }

    /// Fetches one partition from an offset, without waiting.
    pub(super) async fn read(&self, topic: &str, partition: i32, offset: i64) -> PartitionData {
        let response = self.fetch(12, fetch_request(&[(topic, partition, offset)])).await;
        response.responses[0].partitions[0].clone()
    }
}

/// The bytes of an answer.
pub(super) fn body(reply: Reply) -> Bytes {
    let Reply::Body(chunks) = reply else { panic!("no body: {reply:?}") };
    let mut joined = Vec::new();
    for chunk in &chunks {
        match chunk {
            Chunk::Memory(bytes) => joined.extend_from_slice(bytes),
            Chunk::Mapped(range) => joined.write_all(&range.io_slice(0)).unwrap(),
        }
    }
    joined.into()
}

/// A batch of so many records with values of so many bytes.
pub(super) fn batch(records: usize, value_bytes: usize) -> Bytes {
    batch_of((0..records).map(|record| vec![u8::try_from(record % 251).unwrap(); value_bytes]))
}

pub(super) fn batch_of(values: impl IntoIterator<Item = Vec<u8>>) -> Bytes {
    let add = |batch: BatchBuilder, value: Vec<u8>| batch.record(Timestamp(1000), Some(b"key"), Some(&value));
    values.into_iter().fold(BatchBuilder::new(), add).build()
}

pub(super) fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

pub(super) fn produce_request(acks: i16, batches: &[(&str, i32, Bytes)]) -> ProduceRequest {
    let topics = batches.iter().map(|(topic, partition, batch)| {
        let data = PartitionProduceData::default().with_index(*partition).with_records(Some(batch.clone()));
        TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![data])
    });
    ProduceRequest::default()
        .with_transactional_id(None)
        .with_acks(acks)
        .with_timeout_ms(30_000)
        .with_topic_data(topics.collect())
}

/// Fetches without waiting; 1 MiB a partition, 50 MiB in all.
pub(super) fn fetch_request(partitions: &[(&str, i32, i64)]) -> FetchRequest {
    let topics = partitions.iter().map(|(topic, partition, offset)| {
        let partition = fetch_partition(*partition, *offset, 1 << 20);
        FetchTopic::default().with_topic(name(topic)).with_partitions(vec![partition])
    });
    FetchRequest::default()
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_session_epoch(-1)
        .with_topics(topics.collect())
}

pub(super) fn fetch_partition(partition: i32, offset: i64, max_bytes: i32) -> FetchPartition {
    FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(offset)
        .with_current_leader_epoch(-1)
        .with_last_fetched_epoch(-1)
        .with_partition_max_bytes(max_bytes)
}

pub(super) fn records(data: &PartitionData) -> &[u8] {
    data.records.as_deref().expect("records are never null")
}

/// Two batches, but for base offset, leader epoch, and where they stand.
pub(super) fn assert_same_batch(stored: &[u8], sent: &[u8]) {
    assert_eq!(stored.len(), sent.len());
    assert_eq!(stored[8..12], sent[8..12], "length");
    assert_eq!(stored[16..], sent[16..], "everything after the leader epoch");
}
