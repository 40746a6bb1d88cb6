//! Who asks: a connection, and the ids that the topics have at the moment.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use barnabas_tests::harness::wait;
use kafka_protocol::messages::*;
use uuid::Uuid;

use super::cases::{DOOMED, KNOWN, MADE, fetch_codes, make, metadata, offset_commit, text, topic};
use crate::client::Client;

const PATIENCE: Duration = Duration::from_secs(30);

/// Who asks.
pub(super) struct Peer {
    client: Client,
    /// The id of the topic that stays.
    pub(super) known: Uuid,
    /// The id of the topic that is deleted again and again.
    pub(super) doomed: Uuid,
}

impl Deref for Peer {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Peer {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Peer {
    /// Makes what requests want to find: topics, and a coordinator.
    pub(super) fn prepared(client: Client) -> Self {
        let mut peer = Self { client, known: Uuid::nil(), doomed: Uuid::nil() };
        peer.restore();
        let find = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("golden.group")]);
        let is_found = |peer: &mut Self| peer.ask(&find, 4).coordinators[0].error_code == 0;
        wait::until("the coordinator", PATIENCE, || is_found(&mut peer).then_some(())).unwrap();
        let is_loaded = |peer: &mut Self| {
            let answer = offset_commit(peer);
            answer.topics.iter().any(|one| one.name == topic(KNOWN) && one.partitions[0].error_code == 0)
        };
        wait::until("the group to be loaded", PATIENCE, || is_loaded(&mut peer).then_some(())).unwrap();
        wait::until("the topic", PATIENCE, || (fetch_codes(&mut peer) == 0).then_some(())).unwrap();
        peer
    }

    /// The topics as they were: none made by accident, none missing. The group, too.
    pub(super) fn restore(&mut self) {
        let state = delete_topics_request::DeleteTopicState::default().with_name(Some(topic(MADE)));
        let gone = DeleteTopicsRequest::default().with_topics(vec![state]).with_timeout_ms(10_000);
        assert!([0, 3].contains(&self.ask(&gone, 6).responses[0].error_code));
        let made = make(self, &[KNOWN, DOOMED]);
        assert!(made.iter().all(|code| [0, 36].contains(code)), "{made:?}");
        (self.known, self.doomed) = wait::until("the topics to settle", PATIENCE, || self.settled()).unwrap();
        offset_commit(self);
    }

    /// The ids, when the broker knows what is there and what is not.
    fn settled(&mut self) -> Option<(Uuid, Uuid)> {
        let answer = metadata(self, &[KNOWN, DOOMED, MADE], false);
        let find = |name| answer.topics.iter().find(|one| one.name.as_ref().is_some_and(|found| *found == topic(name)));
        let [known, doomed, made] = [KNOWN, DOOMED, MADE].map(|name| find(name).unwrap());
        let codes = [known, doomed, made].map(|one| one.error_code);
        (codes == [0, 0, 3]).then_some((known.topic_id, doomed.topic_id))
    }
}
