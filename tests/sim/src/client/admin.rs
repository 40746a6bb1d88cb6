//! Makes the topics of the plan, then others that come and go, and looks whether what was answered is so.

use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::{CreateTopicsRequest, DeleteTopicsRequest, MetadataRequest};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::connection::Connection;
use super::{Phase, Shared, pause};
use crate::dice::Dice;
use crate::plan::{Mode, TopicPlan};
use crate::trace::trace;

const CREATE_TOPICS: i16 = 7;
const DELETE_TOPICS: i16 = 6;
const METADATA: i16 = 12;
const TOPIC_ALREADY_EXISTS: i16 = 36;

/// What is known of a topic that comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    There(Uuid),
    Gone,
    /// An answer is missing.
    Open,
}

struct Admin {
    shared: Rc<Shared>,
    dice: Dice,
    connection: Option<Connection>,
    known: BTreeMap<String, Known>,
}

/// Runs until the drain.
pub(crate) async fn run(shared: Rc<Shared>) -> turmoil::Result {
    let dice = shared.dice("admin");
    let mut admin = Admin { shared: Rc::clone(&shared), dice, connection: None, known: BTreeMap::new() };
    for topic in &shared.plan.topics {
        while admin.connected(|admin| Box::pin(admin.make(topic))).await.is_err() {
            pause(Duration::from_millis(50)).await;
        }
    }
    shared.phase.set(Phase::Work);
    while shared.phase.get() < Phase::Drain {
        let wait = admin.dice.within(50..=1500);
        pause(Duration::from_millis(wait)).await;
        let turn = admin.dice.within(0..=3);
        let _ = admin.connected(|admin| Box::pin(admin.turn(turn))).await;
    }
    while admin.connected(|admin| Box::pin(admin.look())).await.is_err() {
        pause(Duration::from_millis(50)).await;
    }
    Ok(())
}

type Work<'a> = std::pin::Pin<Box<dyn Future<Output = io::Result<()>> + 'a>>;

impl Admin {
    /// Does it on a connection, which is given up after an error.
    async fn connected<'a>(&'a mut self, work: impl FnOnce(&'a mut Self) -> Work<'a>) -> io::Result<()> {
        if self.connection.is_none() {
            self.connection = Some(Connection::open().await?);
        }
        work(self).await
    }

    async fn call<R: kafka_protocol::protocol::Request>(
        &mut self,
        request: &R,
        version: i16,
    ) -> io::Result<R::Response> {
        let connection = self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let answered = connection.call(request, version).await;
        if answered.is_err() {
            self.connection = None;
        }
        answered
    }

    /// A topic of the plan. Nothing fails meanwhile.
    async fn make(&mut self, plan: &TopicPlan) -> io::Result<()> {
        let (code, id) = self.create(&plan.name, plan.partitions, configs(plan)).await?;
        if code != 0 {
            return Err(io::Error::other(format!("CreateTopics: {code}")));
        }
        self.shared.topic_ids.borrow_mut().push(id);
        Ok(())
    }

    async fn turn(&mut self, turn: u64) -> io::Result<()> {
        let there = self.known.iter().find(|(_, known)| matches!(known, Known::There(_)));
        match (turn, there.map(|(name, _)| name.clone())) {
            (0, Some(name)) => self.remove(name).await,
            (1 | 2, _) => self.add().await,
            _ => self.look().await,
        }
    }

    async fn add(&mut self) -> io::Result<()> {
        let name = format!("made-{}", self.known.len());
        self.known.insert(name.clone(), Known::Open);
        let partitions = i32::try_from(self.dice.within(1..=3)).unwrap_or(1);
        let (code, id) = self.create(&name, partitions, Vec::new()).await?;
        trace!("admin made {name}: {code} {id}");
        if code == 0 {
            self.known.insert(name, Known::There(id));
        }
        Ok(())
    }

    async fn remove(&mut self, name: String) -> io::Result<()> {
        self.known.insert(name.clone(), Known::Open);
        let topic = DeleteTopicState::default().with_name(Some(StrBytes::from_string(name.clone()).into()));
        let request = DeleteTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5000);
        let answer = self.call(&request, DELETE_TOPICS).await?;
        let code = answer.responses.first().map(|topic| topic.error_code);
        trace!("admin removed {name}: {code:?}");
        if code == Some(0) {
            self.known.insert(name, Known::Gone);
        }
        Ok(())
    }

    /// Compares all topics with what is known.
    async fn look(&mut self) -> io::Result<()> {
        let answer = self.call(&MetadataRequest::default().with_topics(None), METADATA).await?;
        let seen: BTreeMap<String, Uuid> =
            answer.topics.into_iter().filter_map(|topic| Some((topic.name?.0.to_string(), topic.topic_id))).collect();
        let mut history = self.shared.history.borrow_mut();
        for (name, known) in &self.known {
            match (known, seen.get(name)) {
                (Known::There(id), None) => {
                    history.outrage(format!("lost-topic: {name} {id} was made and is not there"))
                }
                (Known::There(id), Some(other)) if id != other => {
                    history.outrage(format!("changed-topic: {name} was made as {id} and is {other}"));
                }
                (Known::Gone, Some(_)) => history.outrage(format!("returned-topic: {name} was removed and is there")),
                _ => {}
            }
        }
        for (plan, id) in self.shared.plan.topics.iter().zip(self.shared.topic_ids.borrow().iter()) {
            if seen.get(&plan.name) != Some(id) {
                history.outrage(format!("lost-topic: {} {id} is {:?}", plan.name, seen.get(&plan.name)));
            }
        }
        Ok(())
    }

    async fn create(
        &mut self,
        name: &str,
        partitions: i32,
        configs: Vec<CreatableTopicConfig>,
    ) -> io::Result<(i16, Uuid)> {
        let topic = CreatableTopic::default()
            .with_name(StrBytes::from_string(name.to_owned()).into())
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs);
        let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5000);
        let answer = self.call(&request, CREATE_TOPICS).await?;
        let made = answer.topics.first().ok_or_else(|| io::Error::other("no topic"))?;
        if made.error_code == TOPIC_ALREADY_EXISTS {
            trace!("{name} is there already");
        }
        Ok((made.error_code, made.topic_id))
    }
}

fn configs(plan: &TopicPlan) -> Vec<CreatableTopicConfig> {
    let mode = match plan.mode {
        Mode::Group => "group",
        Mode::Interval => "interval",
        Mode::Os => "os",
    };
    let mut settings = vec![("durability.mode", mode.to_owned()), ("segment.bytes", plan.segment_bytes.to_string())];
    settings.extend(plan.retention_bytes.map(|bytes| ("retention.bytes", bytes.to_string())));
    let setting = |(name, value): (&str, String)| {
        CreatableTopicConfig::default()
            .with_name(StrBytes::from_string(name.to_owned()))
            .with_value(Some(StrBytes::from_string(value)))
    };
    settings.into_iter().map(setting).collect()
}
