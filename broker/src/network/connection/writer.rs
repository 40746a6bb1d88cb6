//! The writing half of a connection: answers leave in order, as many at once as there are.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use futures_util::FutureExt;
use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::io::AsyncWriteExt;

use super::super::answers::{Answer, Answers, Owed};
use super::super::eagerness::Half;
use super::super::outbox::Outbox;
use super::super::turns::Weight;
use super::super::{Network, ResponseHeader};
use super::Ended;
use crate::api::{CloseReason, Reply};
use crate::limits::{
    CONTENDED_BYTES_MIN, UNSENT_BYTES_FREE, WRITE_BYTES_MIN, WRITE_CONTENDED_INTERVAL, WRITE_INTERVAL,
};
use crate::metrics::RequestTime;
use crate::seam::Stream;

/// An answer on its way out.
type Next = (Option<ResponseHeader>, Reply, RequestTime);

/// Those that are written at once: mostly one.
type Times = SmallVec<[RequestTime; 1]>;

/// The writing half.
pub(super) struct Writer<'a, S> {
    network: &'a Network,
    answers: &'a Answers,
    oldest: Option<Owed>,
    to: Half<'a, S>,
    weight: &'a Weight<'a>,
}

impl<'a, S: Stream> Writer<'a, S> {
    /// Nothing is owed yet.
    pub(super) fn new(network: &'a Network, answers: &'a Answers, to: &'a Mutex<S>, weight: &'a Weight<'a>) -> Self {
        Self { network, answers, oldest: None, to: Half(to), weight }
    }

    /// Writes answers until none will be owed any more.
    pub(super) async fn run(&mut self) -> Result<(), Ended> {
        let mut outbox = Outbox::default();
        let mut times = Times::new();
        while let Some(next) = self.next().await {
            let mut refused = put(&mut outbox, &mut times, next).err();
            let mut count = 1;
            while refused.is_none() && outbox.has_room() {
                let Some(next) = self.next().now_or_never().flatten() else { break };
                refused = put(&mut outbox, &mut times, next).err();
                count += 1;
            }
            self.write(&mut outbox, &mut times).await?;
            self.answers.written(count);
            if let Some(reason) = refused {
                return Err(reason.into());
            }
        }
        let _ = self.to.shutdown().await;
        Ok(())
    }

    /// The next answer in order. What was taken stays when this is dropped.
    async fn next(&mut self) -> Option<Next> {
        if self.oldest.is_none() {
            self.oldest = self.answers.take().await;
        }
        let (oldest, unsent) = (self.oldest.as_mut()?, &self.network.unsent);
        poll_fn(|context| oldest.poll_made(unsent, &self.network.tasks, context)).await;
        match self.oldest.take()? {
            Owed { header, answer: Answer::Ready(reply), time, .. } => Some((header, reply, time)),
            Owed { answer: Answer::Coming(..), .. } => None,
        }
    }

    fn are_sent(&self, times: &mut Times) {
        let now = self.network.tasks.monotonic();
        std::mem::take(times).iter().for_each(|time| self.network.metrics.request_times.sent(time, now));
    }

    /// Writes while the peer takes its bytes, and has the answer behind them made meanwhile: it may wait for room that must
    /// not come to one who is asleep. Who holds room that others wait for has to take its bytes without a stall.
    async fn write(&mut self, outbox: &mut Outbox, times: &mut Times) -> Result<(), Ended> {
        let mut since = self.network.tasks.monotonic();
        times.iter_mut().for_each(|time| self.network.metrics.request_times.sending(time, since));
        let bytes = outbox.bytes();
        self.weight.answered(bytes);
        if bytes == 0 {
            self.are_sent(times);
            return Ok(());
        }
        let _pending = PendingBytes::new(self.network, bytes as u64);
        let memory = outbox.memory_bytes();
        let held = (memory > UNSENT_BYTES_FREE).then(|| self.network.unsent.hold(memory));
        let mut taken = 0;
        loop {
            let before = outbox.bytes();
            let written = {
                let tasks = &self.network.tasks;
                let mut writing = pin!(tasks.within(WRITE_CONTENDED_INTERVAL, outbox.write_all(&mut self.to)));
                poll_fn(|context| {
                    let written = writing.as_mut().poll(context);
                    if let (Poll::Pending, Some(behind)) = (&written, &mut self.oldest) {
                        let _ = behind.poll_made(&self.network.unsent, &self.network.tasks, context);
                    }
                    written
                })
                .await
            };
            if let Some(written) = written {
                self.are_sent(times);
                return Ok(written?);
            }
            let now = before - outbox.bytes();
            if (held.is_some() || self.oldest.is_some())
                && self.network.unsent.is_contended()
                && now < CONTENDED_BYTES_MIN
            {
                return Err(Ended::SlowReader);
            }
            taken += now;
            // By the clock: on a busy broker a wait of a second takes several.
            if self.network.tasks.monotonic().saturating_sub(since) >= WRITE_INTERVAL {
                if taken < WRITE_BYTES_MIN {
                    return Err(Ended::SlowReader);
                }
                (taken, since) = (0, self.network.tasks.monotonic());
            }
        }
    }
}

/// Shows bytes that wait for their peer in the metrics, also when the write is dropped.
struct PendingBytes<'a>(&'a Network, u64);

impl<'a> PendingBytes<'a> {
    fn new(network: &'a Network, bytes: u64) -> Self {
        network.metrics.answer_bytes_pending.add(bytes);
        Self(network, bytes)
    }
}

impl Drop for PendingBytes<'_> {
    fn drop(&mut self) {
        self.0.metrics.answer_bytes_pending.sub(self.1);
    }
}

fn put(outbox: &mut Outbox, times: &mut Times, (header, reply, time): Next) -> Result<(), CloseReason> {
    times.push(time);
    match reply {
        Reply::Body(body) => outbox
            .put(header, body)
            .map_err(|bytes| CloseReason::Encode(format!("{bytes} bytes are more than a frame can hold"))),
        Reply::Nothing => Ok(()),
        Reply::Close(reason) => Err(reason),
    }
}
