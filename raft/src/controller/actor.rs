//! The one task that decides. It takes what waits, evaluates it request by request against the committed image and
//! what the requests before it in the round decided, proposes every entry, waits for their commit and publication,
//! and answers.
//!
//! Invariants:
//! 1. Decisions are made one after the other, each against an image that has all earlier ones.
//! 2. An answer is given after the entries it rests on are committed, applied, and seen by every listener.
//! 3. Nothing is carried from one round to the next: the next one starts from the committed image.

use std::ops::Range;
use std::sync::Arc;

use barnabas_auth::{Acl, AclFilter};
use barnabas_storage::Timestamp;
use barnabas_storage::seam::Seams;
use tokio::sync::{mpsc, oneshot};

use super::{
    AlteredQuotas, AlteredUsers, ConfigChange, CreatedTopics, DelegationTokenChange, DeletedAcls, MorePartitions,
    NewDelegationToken, NewTopic, ScramAlteration, TopicDeletion, TopicUndeletion,
};
use crate::consensus::quorum::Quorum;
use crate::error::{
    AclError, AlterConfigError, CreatePartitionsError, DelegationTokenError, DeleteTopicError, OpenError, ProposeError,
};
use crate::metadata::cluster::{ClusterRecord, ClusterSecretRecord};
use crate::metadata::delegation_tokens::DelegationTokenRecord;
use crate::metadata::features::{FeatureLevelRecord, METADATA_VERSION, METADATA_VERSION_BOOTSTRAP};
use crate::metadata::scram::UserScramCredentialRecord;
use crate::metadata::{BrokerEndpoint, BrokerId, DelegationToken, Entry, MetadataImage, Record, Touched};
use crate::publisher::Publications;

/// Requests that one round takes.
const ROUND: usize = 64;
/// Records that one entry may hold, as in Kafka.
pub(super) const RECORDS_PER_ENTRY: usize = 10_000;

type Answer<T> = oneshot::Sender<Result<T, ProposeError>>;

/// What the actor is asked.
pub(super) enum Request {
    RegisterBroker {
        endpoints: Vec<BrokerEndpoint>,
        rack: Option<String>,
        answer: Answer<()>,
    },
    CreateTopics {
        topics: Vec<NewTopic>,
        validate_only: bool,
        answer: Answer<CreatedTopics>,
    },
    DeleteTopics {
        topics: Vec<TopicDeletion>,
        answer: Answer<Vec<Result<(), DeleteTopicError>>>,
    },
    AllocateProducerIds {
        answer: Answer<Range<i64>>,
    },
    AlterConfigs {
        changes: Vec<ConfigChange>,
        validate_only: bool,
        answer: Answer<Vec<Result<(), AlterConfigError>>>,
    },
    CreatePartitions {
        topics: Vec<MorePartitions>,
        validate_only: bool,
        answer: Answer<Vec<Result<(), CreatePartitionsError>>>,
    },
    UpdateFeatures {
        levels: Vec<(String, i16)>,
        answer: Answer<()>,
    },
    AlterClientQuotas {
        altered: Vec<AlteredQuotas>,
        answer: Answer<()>,
    },
    AlterScram {
        alterations: Vec<ScramAlteration>,
        answer: Answer<AlteredUsers>,
    },
    CreateAcls {
        acls: Vec<Acl>,
        answer: Answer<Result<(), AclError>>,
    },
    DeleteAcls {
        filters: Vec<AclFilter>,
        answer: Answer<DeletedAcls>,
    },
    DelegationToken(TokenRequest),
    KeptTopics(KeptTopicsRequest),
}

/// What the actor is asked about deleted topics that are kept.
pub(super) enum KeptTopicsRequest {
    Undelete { topics: Vec<TopicUndeletion>, validate_only: bool, answer: Answer<CreatedTopics> },
    Remove { until: Timestamp, answer: Answer<usize> },
}

/// What the actor is asked about delegation tokens.
pub(super) enum TokenRequest {
    Create { new: NewDelegationToken, answer: Answer<Result<Arc<DelegationToken>, DelegationTokenError>> },
    Change { change: DelegationTokenChange, answer: Answer<Result<Timestamp, DelegationTokenError>> },
    RemoveExpired { answer: Answer<usize> },
}

/// What a request came to: entries to propose, and who to tell of their fate.
struct Decision {
    entries: usize,
    answer: Box<dyn FnOnce(Result<(), ProposeError>) + Send>,
}

/// The decisions of one round, and the image with all of them.
struct Round {
    image: MetadataImage,
    entries: Vec<Entry>,
    decisions: Vec<Decision>,
}

/// The controller's task.
pub(super) struct Actor {
    pub(super) node_id: BrokerId,
    pub(super) seams: Seams,
    pub(super) quorum: Arc<Quorum>,
    pub(super) publications: Arc<Publications>,
}

impl Actor {
    /// Names the cluster in a new log, or checks that an old one is of this cluster. A log from before clusters had
    /// secrets gets one.
    pub(super) async fn bootstrap(
        &self,
        cluster_id: &str,
        first_users: Vec<UserScramCredentialRecord>,
    ) -> Result<(), OpenError> {
        let image = self.quorum.image();
        if image.cluster_id().is_empty() {
            let cluster = ClusterRecord { cluster_id: cluster_id.to_owned() };
            let feature = FeatureLevelRecord { name: METADATA_VERSION.to_owned(), level: METADATA_VERSION_BOOTSTRAP };
            let secret = ClusterSecretRecord::random(&*self.seams.rng);
            let mut records: Vec<Record> = vec![cluster.into(), feature.into(), secret.into()];
            records.extend(first_users.into_iter().map(Record::from));
            self.commit_first(records).await?;
        } else if image.cluster_id() != cluster_id {
            let (found, expected) = (image.cluster_id().to_owned(), cluster_id.to_owned());
            return Err(OpenError::OtherCluster { found, expected });
        } else if image.secret().is_empty() {
            self.commit_first(vec![ClusterSecretRecord::random(&*self.seams.rng).into()]).await?;
        } else {
            self.publications.wait_for(image.applied_index()).await;
        }
        Ok(())
    }

    async fn commit_first(&self, records: Vec<Record>) -> Result<(), OpenError> {
        let entry = Entry { timestamp: self.seams.clock.now(), records };
        self.commit(vec![entry]).await.map_err(|error| OpenError::Raft(error.to_string()))
    }

    /// Decides until no handle is left.
    pub(super) async fn run(self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.recv().await {
            let mut waiting = vec![first];
            while waiting.len() < ROUND
                && let Ok(request) = requests.try_recv()
            {
                waiting.push(request);
            }
            self.round(waiting).await;
            self.quorum.snapshot_when_due().await;
        }
    }

    async fn round(&self, requests: Vec<Request>) {
        let mut round = Round { image: self.quorum.image(), entries: Vec::new(), decisions: Vec::new() };
        for request in requests {
            self.decide(request, &mut round);
        }
        let mut outcomes = self.quorum.propose(round.entries).await.into_iter();
        let mut last = 0;
        let mut answers = Vec::with_capacity(round.decisions.len());
        for decision in round.decisions {
            let outcome: Result<Vec<u64>, ProposeError> = outcomes.by_ref().take(decision.entries).collect();
            last = outcome.as_ref().map_or(last, |indexes| indexes.iter().fold(last, |last, at| last.max(*at)));
            answers.push((decision.answer, outcome.map(drop)));
        }
        self.publications.wait_for(last).await;
        for (answer, outcome) in answers {
            answer(outcome);
        }
    }

    async fn commit(&self, entries: Vec<Entry>) -> Result<(), ProposeError> {
        for outcome in self.quorum.propose(entries).await {
            self.publications.wait_for(outcome?).await;
        }
        Ok(())
    }

    fn decide(&self, request: Request, round: &mut Round) {
        match request {
            Request::RegisterBroker { endpoints, rack, answer } => {
                let records = super::register_broker::decide(&round.image, self.node_id, endpoints, rack);
                self.record(round, records, (), answer);
            }
            Request::CreateTopics { topics, validate_only, answer } => {
                let start = self.first_broker();
                let before = round.image.clone();
                let (records, topics) = super::create_topics::decide(&mut round.image, topics, &*self.seams.rng, start);
                // The evaluation already changed the image, so that the topics of one request see each other.
                round.image = before;
                let records = if validate_only { Vec::new() } else { records };
                self.record(round, records, topics, answer);
            }
            Request::DeleteTopics { topics, answer } => {
                let (records, outcomes) = super::delete_topics::decide(&round.image, &topics, self.seams.clock.now());
                self.record(round, records, outcomes, answer);
            }
            Request::AlterConfigs { changes, validate_only, answer } => {
                let (records, outcomes) = super::alter_configs::decide(&round.image, &changes);
                let records = if validate_only { Vec::new() } else { records };
                self.record(round, records, outcomes, answer);
            }
            Request::CreatePartitions { topics, validate_only, answer } => {
                let (records, outcomes) = super::create_partitions::decide(&round.image, &topics, self.first_broker());
                let records = if validate_only { Vec::new() } else { records };
                self.record(round, records, outcomes, answer);
            }
            Request::UpdateFeatures { levels, answer } => {
                let records = super::update_features::decide(&round.image, &levels);
                self.record(round, records, (), answer);
            }
            Request::AlterScram { alterations, answer } => {
                let (records, users) = super::alter_scram::decide(&round.image, alterations);
                self.record(round, records, users, answer);
            }
            Request::AlterClientQuotas { altered, answer } => {
                let records = super::alter_client_quotas::decide(&round.image, altered);
                self.record(round, records, (), answer);
            }
            Request::AllocateProducerIds { answer } => match super::producer_ids::decide(&round.image, self.node_id) {
                Ok((records, block)) => self.record(round, records, block, answer),
                Err(error) => drop(answer.send(Err(error))),
            },
            Request::CreateAcls { acls, answer } => {
                let decided = super::acls::create(&round.image, acls, &*self.seams.rng);
                let (records, outcome) =
                    decided.map_or_else(|error| (Vec::new(), Err(error)), |records| (records, Ok(())));
                self.record(round, records, outcome, answer);
            }
            Request::DeleteAcls { filters, answer } => {
                let (records, outcomes) = super::acls::delete(&round.image, &filters);
                self.record(round, records, outcomes, answer);
            }
            Request::DelegationToken(request) => self.decide_token(request, round),
            Request::KeptTopics(request) => self.decide_kept(request, round),
        }
    }

    fn decide_kept(&self, request: KeptTopicsRequest, round: &mut Round) {
        match request {
            KeptTopicsRequest::Undelete { topics, validate_only, answer } => {
                // The evaluation changes the image, so that the topics of one request see each other.
                let mut image = round.image.clone();
                let now = self.seams.clock.now();
                let (records, topics) = super::kept_topics::undelete(&mut image, &topics, self.node_id, now);
                let records = if validate_only { Vec::new() } else { records };
                self.record(round, records, topics, answer);
            }
            KeptTopicsRequest::Remove { until, answer } => {
                let records = super::kept_topics::remove(&round.image, until);
                let count = records.len();
                self.record(round, records, count, answer);
            }
        }
    }

    fn decide_token(&self, request: TokenRequest, round: &mut Round) {
        let now = self.seams.clock.now();
        match request {
            TokenRequest::Create { new, answer } => {
                let made = super::delegation_tokens::create(&round.image, new, now, &*self.seams.rng);
                let record = |token: &Arc<_>| DelegationTokenRecord { token: Arc::clone(token) }.into();
                self.record(round, made.iter().map(record).collect(), made, answer);
            }
            TokenRequest::Change { change, answer } => {
                let decided = super::delegation_tokens::change(&round.image, &change, now);
                let (records, outcome) = match decided {
                    Ok((record, expires)) => (vec![record], Ok(expires)),
                    Err(error) => (Vec::new(), Err(error)),
                };
                self.record(round, records, outcome, answer);
            }
            TokenRequest::RemoveExpired { answer } => {
                let records = super::delegation_tokens::expired(&round.image, now);
                let count = records.len();
                self.record(round, records, count, answer);
            }
        }
    }

    /// Where the placement of new partitions begins.
    fn first_broker(&self) -> usize {
        usize::try_from(self.seams.rng.next_u64() >> 33).unwrap_or(0)
    }

    /// Takes the records into the round, in as few entries as hold them.
    fn record<T: Send + 'static>(&self, round: &mut Round, records: Vec<Record>, value: T, answer: Answer<T>) {
        let timestamp = self.seams.clock.now();
        let before = round.entries.len();
        for records in records.chunks(RECORDS_PER_ENTRY) {
            let entry = Entry { timestamp, records: records.to_vec() };
            round.image.apply(round.image.applied_index() + 1, &entry, &mut Touched::default());
            round.entries.push(entry);
        }
        let answer = Box::new(move |outcome: Result<(), ProposeError>| {
            // Whoever asked may have gone; what was decided stays decided.
            drop(answer.send(outcome.map(|()| value)));
        });
        round.decisions.push(Decision { entries: round.entries.len() - before, answer });
    }
}
