//! The audit: what was denied, what was administered, and which logins and TLS handshakes failed, to a file and an internal topic. Off unless
//! one of them is set.
//!
//! Where it differs from Apache Kafka: Kafka has a logger of the authorizer's answers and no record of operations.
//!
//! Invariants:
//! 1. No request waits for it: an event goes into a bounded queue or is lost, and how many were lost is an event, too.
//! 2. Refusals take at most half of the queue, so that a client that is refused cannot crowd out what others administer; those of peers
//!    that have not shown who they are take at most a quarter.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use barnabas_config::{Config, key};
use barnabas_storage::Timestamp;
use barnabas_storage::advice::LOOK_AT_DISK;
use barnabas_storage::seam::{Clock, Seams};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::limits::{AUDIT_FOLD_CHECK, AUDIT_ROUND_EVENTS_MAX};
use crate::metrics::Metrics;
use crate::partition::Partitions;
use crate::seam::Tasks;
use crate::topics::Topics;

pub mod event;
mod folds;
mod sinks;

use event::{Actor, Deed, Event};
use folds::{Folds, Taken};
use sinks::{FileSink, TopicSink};

/// The file of the audit could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("barnabas.audit.file: open {path}: check that its directory can be written")]
pub struct AuditFileError {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// The audit of one broker.
pub struct Audit {
    /// `None` when it is off.
    queue: Option<mpsc::Sender<Event>>,
    takes_logins: bool,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    folds: Mutex<Folds>,
    lost: AtomicU64,
    /// Whoever writes holds it: the task, and at the end the one who stops the broker.
    writer: tokio::sync::Mutex<Writer>,
}

/// What only the writer has.
struct Writer {
    queue: mpsc::Receiver<Event>,
    file: Option<FileSink>,
    topic: Option<TopicSink>,
    node: i32,
    written: u64,
    /// Whether the last round failed: the log says so once.
    is_failing: bool,
}

impl Audit {
    /// As the settings say.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(
        config: &Config,
        seams: &Seams,
        metrics: &Arc<Metrics>,
        node: i32,
        topics: Topics,
        partitions: Arc<Partitions>,
    ) -> Result<Self, AuditFileError> {
        let count = |key| u64::try_from(config.read::<i64>(key)).unwrap_or(1);
        let path = config.read(&key::AUDIT_FILE);
        let file = if path.trim().is_empty() {
            None
        } else {
            let path = PathBuf::from(path.trim());
            let (bytes_max, files_max) = (count(&key::AUDIT_FILE_BYTES_MAX), count(&key::AUDIT_FILES_MAX));
            let opened = FileSink::open(Arc::clone(&seams.disk), path.clone(), bytes_max, files_max);
            Some(opened.map_err(|source| AuditFileError { path, source })?)
        };
        let topic = config.read(&key::AUDIT_TOPIC_ENABLE).then(|| TopicSink::new(topics, partitions));
        let events_max = usize::try_from(config.read(&key::AUDIT_QUEUE_EVENTS_MAX)).unwrap_or(1);
        let (sender, queue) = mpsc::channel(events_max.max(1));
        Ok(Self {
            queue: (file.is_some() || topic.is_some()).then_some(sender),
            takes_logins: config.read(&key::AUDIT_LOGINS) == "all",
            clock: Arc::clone(&seams.clock),
            metrics: Arc::clone(metrics),
            folds: Mutex::default(),
            lost: AtomicU64::new(0),
            writer: tokio::sync::Mutex::new(Writer { queue, file, topic, node, written: 0, is_failing: false }),
        })
    }

    /// Whether anything is told to anybody.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.queue.is_some()
    }

    /// Whether logins that were made are told, too.
    #[must_use]
    pub fn takes_logins(&self) -> bool {
        self.is_on() && self.takes_logins
    }

    /// Takes an event; never waits.
    pub fn tell(&self, actor: Actor, deed: Deed) {
        let Some(queue) = &self.queue else { return };
        let event = Event { time: self.clock.now(), actor, deed, repeats: None };
        if event.is_refusal() {
            match self.folds.lock().take(&event, self.clock.monotonic()) {
                Taken::First if queue.max_capacity() - queue.capacity() < most_waiting(queue, &event) => {}
                Taken::Counted => return self.metrics.audit_events_folded.add(1),
                Taken::First | Taken::NoRoom => return self.lose(1),
            }
        }
        self.metrics.audit_queue_events.add(1);
        if queue.try_send(event).is_err() {
            self.metrics.audit_queue_events.sub(1);
            self.lose(1);
        }
    }

    fn lose(&self, count: u64) {
        self.metrics.audit_events_lost.add(count);
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    /// Starts the task that writes; nothing when the audit is off.
    pub fn start(self: &Arc<Self>, tasks: &Tasks) {
        if !self.is_on() {
            return;
        }
        let (audit, writing, mut stopping) = (Arc::clone(self), tasks.clone(), tasks.stopping());
        tasks.spawn("audit", async move {
            while !stopping.is_set() {
                let mut writer = audit.writer.lock().await;
                let mut events = Vec::new();
                tokio::select! {
                    biased;
                    () = stopping.wait() => return,
                    _ = writer.queue.recv_many(&mut events, AUDIT_ROUND_EVENTS_MAX) => {}
                    () = writing.sleep(AUDIT_FOLD_CHECK) => {}
                }
                audit.write(&mut writer, &writing, events, Some(audit.clock.monotonic())).await;
            }
        });
    }

    /// Writes what is left. To be called when no request runs any more and the logs are still open.
    pub async fn finish(&self, tasks: &Tasks) {
        let mut writer = self.writer.lock().await;
        let mut events = Vec::new();
        while let Ok(event) = writer.queue.try_recv() {
            events.push(event);
        }
        self.write(&mut writer, tasks, events, None).await;
        if let Some(file) = writer.file.take()
            && let Err(error) = tasks.blocking(move || file.sync()).await
        {
            tracing::error!(%error, "barnabas.audit.file was not synced: its last events may be lost; {LOOK_AT_DISK}");
        }
    }

    /// Writes events from the queue, refusals whose minute is over at `now`, and how many were lost.
    async fn write(&self, writer: &mut Writer, tasks: &Tasks, mut events: Vec<Event>, now: Option<Duration>) {
        self.metrics.audit_queue_events.sub(events.len() as u64);
        events.extend(self.folds.lock().due(now));
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            events.push(event_of_loss(self.clock.now(), lost));
        }
        if events.is_empty() {
            return;
        }
        let lines = events.iter().map(|event| writer.line(event)).collect();
        self.metrics.audit_events.add(events.len() as u64);
        let missed = writer.write(tasks, lines, self.clock.now()).await;
        if missed > 0 {
            // The event of a loss is the last one: what it told has to be told again.
            self.lost.fetch_add(lost, Ordering::Relaxed);
            self.lose(missed.saturating_sub(usize::from(lost > 0)) as u64);
        }
    }
}

impl Writer {
    fn line(&mut self, event: &Event) -> String {
        self.written += 1;
        event.to_json(self.node, self.written)
    }

    /// Writes the lines to the file and to the topic; how many of them one of both has not taken.
    async fn write(&mut self, tasks: &Tasks, lines: Vec<String>, now: Timestamp) -> usize {
        let lines = Arc::new(lines);
        let mut failed: Vec<(String, usize)> = Vec::new();
        if let Some(mut file) = self.file.take() {
            let these = Arc::clone(&lines);
            let written = tasks.blocking(move || {
                let written = file.write(&these);
                (file, written)
            });
            let (file, written) = written.await;
            self.file = Some(file);
            failed.extend(written.err().map(|(error, missed)| (format!("barnabas.audit.file: {error}"), missed)));
        }
        if let Some(topic) = &self.topic {
            let written = topic.write(&lines, now).await;
            failed.extend(written.err().map(|(error, missed)| (error.to_string(), missed)));
        }
        if !self.is_failing {
            for (error, missed) in &failed {
                tracing::error!(
                    missed,
                    "audit events were lost: {error}; see that the audit's file and topic can be written"
                );
            }
        }
        self.is_failing = !failed.is_empty();
        failed.iter().map(|(_, missed)| *missed).max().unwrap_or(0)
    }
}

/// How many events may wait before a refusal is not taken any more.
fn most_waiting(queue: &mpsc::Sender<Event>, refusal: &Event) -> usize {
    queue.max_capacity() / if refusal.is_of_stranger() { 4 } else { 2 }
}

fn event_of_loss(time: Timestamp, count: u64) -> Event {
    let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let (client_id, listener) = (event::Text::of(""), Arc::from(""));
    let actor = Actor { principal: None, client_id, peer: nowhere, local: nowhere, listener };
    Event { time, actor, deed: Deed::Lost { count }, repeats: None }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "real files are what is tested")]
mod tests;
