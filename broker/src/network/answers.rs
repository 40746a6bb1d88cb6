//! The answers that one connection owes, in the order of its requests.
//!
//! Invariants:
//! 1. Answers leave in the order in which their requests came.
//! 2. At most [`ANSWERS_MAX`] are owed, and no request is read while more than [`ANSWER_BYTES_MAX`] bytes of finished
//!    ones wait.
//! 3. Reader and writer are polled by one task, the reader first: so the writer always sees what the reader put, and
//!    only the reader has to be woken.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use parking_lot::Mutex;

use super::ResponseHeader;
use super::budget::Share;
use crate::api::{Chunk, Reply, SecondStage};
use crate::limits::{ANSWER_BYTES_MAX, ANSWERS_MAX, UNSENT_BYTES_FREE};
use crate::metrics::{Metrics, RequestTime};
use crate::seam::Tasks;
use crate::unsent::{Held, Unsent};

/// Places that are kept while nothing is owed, so that a few requests at a time allocate none.
const PLACES_KEPT: usize = 4;

/// One answer that is owed.
pub struct Owed {
    /// What goes in front of it; `None` of a bare token, which has nothing but a length.
    pub header: Option<ResponseHeader>,
    /// The answer, or the way to it.
    pub answer: Answer,
    /// Room for the answer's bytes while it waits.
    pub held: Option<Held>,
    /// Where its time went.
    pub time: RequestTime,
}

/// An answer, or the way to it.
pub enum Answer {
    /// It is here.
    Ready(Reply),
    /// Its second stage runs; the memory share is held until it ends.
    Coming(SecondStage, Share),
}

/// The queue between the reading and the writing half of one connection.
pub struct Answers {
    queue: Mutex<Queue>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Owed>,
    /// Those that wait, and those that the writer has taken but not written.
    owed: usize,
    ready_bytes: usize,
    /// An answer has left since [`Answers::have_just_left`] was asked.
    has_left: bool,
    closed: bool,
    reader: Option<Waker>,
}

impl Answers {
    /// Nothing is owed.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { queue: Mutex::default(), metrics }
    }

    /// Waits until a further answer may be owed.
    pub async fn room(&self) {
        poll_fn(|context| {
            let mut queue = self.queue.lock();
            if queue.owed < ANSWERS_MAX && queue.ready_bytes < ANSWER_BYTES_MAX {
                return Poll::Ready(());
            }
            queue.reader = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Puts an answer behind the others.
    pub fn put(&self, mut owed: Owed, unsent: &Arc<Unsent>) {
        self.metrics.answers_pending.increment();
        let bytes = owed.memory_bytes();
        let mut queue = self.queue.lock();
        queue.owed += 1;
        queue.ready_bytes += bytes;
        if queue.ready_bytes > UNSENT_BYTES_FREE {
            owed.held = Some(unsent.hold(bytes));
        }
        queue.waiting.push_back(owed);
    }

    /// No further answer will be owed.
    pub fn close(&self) {
        self.queue.lock().closed = true;
    }

    /// Whether nothing is owed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.lock().owed == 0
    }

    /// Whether an answer has left since this was asked last, and none is owed now.
    #[must_use]
    pub fn have_just_left(&self) -> bool {
        let mut queue = self.queue.lock();
        std::mem::take(&mut queue.has_left) && queue.owed == 0
    }

    /// Waits for the oldest answer to be owed; `None` after [`Answers::close`] when none is left.
    pub async fn take(&self) -> Option<Owed> {
        poll_fn(|_| {
            let mut queue = self.queue.lock();
            let Some(oldest) = queue.waiting.pop_front() else {
                return if queue.closed { Poll::Ready(None) } else { Poll::Pending };
            };
            queue.ready_bytes -= oldest.memory_bytes();
            if queue.waiting.is_empty() && queue.waiting.capacity() > PLACES_KEPT {
                // An idle connection keeps no memory that a busy one needed.
                queue.waiting = VecDeque::new();
            }
            Poll::Ready(Some(oldest))
        })
        .await
    }

    /// This many of the answers that were taken are on their way.
    pub fn written(&self, count: usize) {
        self.metrics.answers_pending.sub(count as u64);
        let mut queue = self.queue.lock();
        queue.owed -= count;
        queue.has_left = true;
        if let Some(reader) = queue.reader.take() {
            reader.wake();
        }
    }
}

impl Owed {
    /// Ready when the answer is made; what a second stage made is unsent from then on.
    pub fn poll_made(&mut self, unsent: &Arc<Unsent>, tasks: &Tasks, context: &mut Context<'_>) -> Poll<()> {
        if let Answer::Coming(stage, _) = &mut self.answer {
            self.answer = Answer::Ready(ready!(stage.as_mut().poll(context)));
            self.time.is_made(tasks.monotonic());
            let bytes = self.memory_bytes();
            self.held = (bytes > UNSENT_BYTES_FREE).then(|| unsent.hold(bytes));
        }
        Poll::Ready(())
    }

    fn memory_bytes(&self) -> usize {
        match &self.answer {
            Answer::Ready(Reply::Body(pieces)) => pieces.iter().map(Chunk::memory_bytes).sum(),
            Answer::Ready(Reply::Nothing | Reply::Close(_)) | Answer::Coming(..) => 0,
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.metrics.answers_pending.sub(self.queue.get_mut().owed as u64);
    }
}
