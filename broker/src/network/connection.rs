//! One connection: one task that reads requests and writes answers at the same time.
//!
//! Invariants:
//! 1. Requests are begun in the order in which they came, and answers leave in that order.
//! 2. A one-stage request is awaited before the next one is begun; a two-stage request's second stage is awaited when
//!    its answer is the next to leave.
//! 3. Memory for a request is taken from the budget after its length and before its body.
//! 4. When the peer is gone, what is pending is dropped. When a request is refused, earlier answers still leave.
//! 5. Who has had more than its quota is not read until its wait is over; its answers leave.
//! 6. At a stop, what was received is finished and nothing more is read.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;

use super::answers::{Answer, Answers, Owed};
use super::budget::{Own, Share};
use super::eagerness::{Eagerness, Half};
use super::frame::{FrameError, Frames, Head};
use super::outbox::Outbox;
use super::turns::Weight;
use super::{Network, ResponseHeader, Stage};
use crate::api::context::ConnectionInfo;
use crate::api::{CloseReason, Reply};
use crate::limits::{
    CONTENDED_BYTES_MIN, CONTENDED_INTERVAL, FRAME_BODY_TIMEOUT, FRAME_BYTES_PER_SECOND_MIN, FRAME_HEAD_TIMEOUT,
    IDLE_FIRST, LOGIN_PAUSE_MAX, LOGIN_TIME_MAX, UNSENT_BYTES_FREE, WRITE_BYTES_MIN, WRITE_CONTENDED_INTERVAL,
    WRITE_INTERVAL,
};
use crate::seam::{Stopping, Stream};

mod ended;

pub use ended::Ended;

/// Serves one connection until it ends.
pub async fn serve<S: Stream>(network: Arc<Network>, stream: S, info: Arc<ConnectionInfo>, stopping: Stopping) {
    let (stream, answers) = (Mutex::new(stream), Answers::new(Arc::clone(&network.metrics)));
    let (weight, connected) = (Weight::new(&network.turns), network.tasks.monotonic());
    let mut reader = Reader {
        network: &network,
        info: &info,
        answers: &answers,
        frames: Frames::new(network.options.request_bytes_max),
        own: Own::default(),
        from: Half(&stream),
        weight: &weight,
        stopping,
        connected,
    };
    let mut writer = Writer { network: &network, answers: &answers, oldest: None, to: Half(&stream), weight: &weight };
    let mut writing = pin!(writer.run());
    let ended = {
        // Pinned here: a future that is handed over by value would have its room twice.
        let reading = pin!(reader.run());
        both(&network, &stream, &answers, &weight, reading, writing.as_mut()).await
    };
    if matches!(ended, Ended::Refused(_) | Ended::Stopping) {
        answers.close();
        let _ = writing.await;
    }
    ended.note(&network, &info);
}

/// Polls both halves, the reading one first, until one ends. While answers leave as they come, the next request is looked for.
fn both<'a, S: Stream>(
    network: &'a Network,
    stream: &'a Mutex<S>,
    answers: &'a Answers,
    weight: &'a Weight<'a>,
    mut reading: Pin<&'a mut impl Future<Output = Ended>>,
    mut writing: Pin<&'a mut impl Future<Output = Result<(), Ended>>>,
) -> impl Future<Output = Ended> {
    let mut eagerness = Eagerness::default();
    network.turns.each(weight, move |context| {
        let mut round = 0;
        loop {
            if let Poll::Ready(ended) = reading.as_mut().poll(context) {
                return Poll::Ready(ended);
            }
            if let Poll::Ready(ended) = writing.as_mut().poll(context) {
                return Poll::Ready(ended.err().unwrap_or(Ended::PeerClosed));
            }
            if !answers.have_just_left() || !eagerness.is_next_here(stream, round) {
                return Poll::Pending;
            }
            round += 1;
        }
    })
}

/// The reading half.
struct Reader<'a, S> {
    network: &'a Network,
    info: &'a Arc<ConnectionInfo>,
    answers: &'a Answers,
    frames: Frames,
    own: Own,
    from: Half<'a, S>,
    weight: &'a Weight<'a>,
    stopping: Stopping,
    /// When it came, on the clock of the tasks.
    connected: Duration,
}

impl<S: Stream> Reader<'_, S> {
    async fn run(&mut self) -> Ended {
        loop {
            if let Err(ended) = self.one_request().await {
                return ended;
            }
        }
    }

    async fn one_request(&mut self) -> Result<(), Ended> {
        let network = self.network;
        self.answers.room().await;
        if self.info.login.is_over() {
            return Err(CloseReason::LoginFailed.into());
        }
        self.request_begun().await?;
        if self.info.login.expects_bare_token() {
            return self.one_token().await;
        }
        self.muted().await?;
        let head = until(network, &mut self.stopping, FRAME_HEAD_TIMEOUT, self.frames.head(&mut self.from)).await?;
        self.weight.asked(head.bytes);
        if head.bytes > network.options.login_bytes_max && !self.info.is_authenticated() {
            let claimed = i32::try_from(head.bytes).unwrap_or(i32::MAX);
            return Err(FrameError::Length(claimed).into());
        }
        let admission = network.service.admit(self.info, head.prefix, head.bytes)?;
        let mut share = network.budget.take(head.bytes.saturating_add(admission.cost), &self.own).await;
        let frame = self.body(head, &share).await?;
        let frame = if admission.in_backlog { network.backlog.take(frame).await } else { frame };
        network.unsent.room().await;
        network.metrics.requests.increment();
        let begun = network.service.begin(self.info, frame)?;
        let answer = match begun.stage {
            Stage::Answered(reply) => Answer::Ready(reply),
            Stage::Second(stage) => {
                share.shrink(begun.keeps);
                Answer::Coming(stage, share)
            }
            Stage::Alone(work) => tokio::select! {
                biased;
                reply = work => Answer::Ready(reply),
                gone = self.frames.gone(&mut self.from) => return Err(gone.into()),
            },
        };
        self.answers.put(Owed { header: Some(begun.header), answer, held: None }, &network.unsent);
        Ok(())
    }

    /// A token without a header, as a SaslHandshake of version 0 announces them.
    async fn one_token(&mut self) -> Result<(), Ended> {
        let network = self.network;
        let token = self.frames.token(&mut self.from, network.options.login_bytes_max);
        let token = until(network, &mut self.stopping, FRAME_HEAD_TIMEOUT, token).await?;
        let reply = tokio::select! {
            biased;
            reply = network.service.token(self.info, token) => reply,
            gone = self.frames.gone(&mut self.from) => return Err(gone.into()),
        };
        self.answers.put(Owed { header: None, answer: Answer::Ready(reply), held: None }, &network.unsent);
        Ok(())
    }

    /// Waits for the body. While others wait for the memory that is reserved for it, its bytes have to keep coming.
    async fn body(&mut self, head: Head, share: &Share) -> Result<Bytes, Ended> {
        let mut left = FRAME_BODY_TIMEOUT + Duration::from_secs((head.bytes / FRAME_BYTES_PER_SECOND_MIN) as u64);
        let mut held = self.frames.held();
        while !left.is_zero() {
            let whole = self.frames.whole(&mut self.from, head);
            match until(self.network, &mut self.stopping, CONTENDED_INTERVAL, whole).await {
                Err(Ended::SlowSender) => {}
                whole => return whole,
            }
            if share.is_contended() && self.frames.held() - held < CONTENDED_BYTES_MIN {
                return Err(Ended::SlowSender);
            }
            held = self.frames.held();
            left = left.saturating_sub(CONTENDED_INTERVAL);
        }
        Err(Ended::SlowSender)
    }

    /// Waits while the client has had more than its quota. A peer that leaves meanwhile is not waited for.
    async fn muted(&mut self) -> Result<(), Ended> {
        let tasks = &self.network.tasks;
        loop {
            let left = self.info.mute.left(tasks.monotonic());
            if left.is_zero() {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = tasks.sleep(left) => {}
                gone = self.frames.gone(&mut self.from) => return Err(gone.into()),
                () = self.stopping.wait() => return Err(Ended::Stopping),
            }
        }
    }

    /// How long the next request may be waited for. Who does not get on with a login is cut, however it fills its time.
    fn idle_max(&self) -> Result<Duration, Ended> {
        if self.info.is_authenticated() {
            return Ok(self.network.options.idle_max);
        }
        let left = LOGIN_TIME_MAX.saturating_sub(self.network.tasks.monotonic().saturating_sub(self.connected));
        if left.is_zero() { Err(Ended::SlowSender) } else { Ok(left.min(LOGIN_PAUSE_MAX)) }
    }

    /// Waits for the first byte of a request, as long as a connection may be idle: at first for a short time, so that the
    /// runtime has a timer that is due soon. Beside one that is not, each produce's timer of 30 seconds would be the
    /// earliest, and the worker that sleeps until then would be woken to be told.
    async fn request_begun(&mut self) -> Result<(), Ended> {
        let idle_max = self.idle_max()?;
        let (mut waited, mut wait) = (Duration::ZERO, IDLE_FIRST.min(idle_max));
        loop {
            let owed_before = !self.answers.is_empty();
            let begun = self.frames.begun(&mut self.from);
            let begun = tokio::select! {
                biased;
                begun = self.network.tasks.within(wait, begun) => begun,
                () = self.stopping.wait() => return Err(Ended::Stopping),
            };
            match begun {
                Some(begun) => return Ok(begun?),
                None if owed_before || !self.answers.is_empty() => (waited, wait) = (Duration::ZERO, idle_max),
                None => {
                    waited += wait;
                    wait = idle_max.saturating_sub(waited);
                    if wait.is_zero() {
                        return Err(Ended::Idle);
                    }
                }
            }
        }
    }
}

/// Awaits a part of a request for a bounded time; at a stop only what is here already counts.
async fn until<T>(
    network: &Network,
    stopping: &mut Stopping,
    timeout: Duration,
    part: impl Future<Output = Result<T, FrameError>>,
) -> Result<T, Ended> {
    tokio::select! {
        biased;
        part = network.tasks.within(timeout, part) => Ok(part.ok_or(Ended::SlowSender)??),
        () = stopping.wait() => Err(Ended::Stopping),
    }
}

/// The writing half.
struct Writer<'a, S> {
    network: &'a Network,
    answers: &'a Answers,
    oldest: Option<Owed>,
    to: Half<'a, S>,
    weight: &'a Weight<'a>,
}

impl<S: Stream> Writer<'_, S> {
    /// Writes answers until none will be owed any more.
    async fn run(&mut self) -> Result<(), Ended> {
        let mut outbox = Outbox::default();
        while let Some((header, reply)) = self.next().await {
            let mut refused = put(&mut outbox, header, reply).err();
            let mut count = 1;
            while refused.is_none() && outbox.has_room() {
                let Some((header, reply)) = self.next().now_or_never().flatten() else { break };
                refused = put(&mut outbox, header, reply).err();
                count += 1;
            }
            self.write(&mut outbox).await?;
            self.answers.written(count);
            if let Some(reason) = refused {
                return Err(reason.into());
            }
        }
        let _ = self.to.shutdown().await;
        Ok(())
    }

    /// The next answer in order. What was taken stays when this is dropped.
    async fn next(&mut self) -> Option<(Option<ResponseHeader>, Reply)> {
        if self.oldest.is_none() {
            self.oldest = self.answers.take().await;
        }
        let (oldest, unsent) = (self.oldest.as_mut()?, &self.network.unsent);
        poll_fn(|context| oldest.poll_made(unsent, context)).await;
        match self.oldest.take()? {
            Owed { header, answer: Answer::Ready(reply), .. } => Some((header, reply)),
            Owed { answer: Answer::Coming(..), .. } => None,
        }
    }

    /// Writes while the peer takes its bytes, and has the answer behind them made meanwhile: it may wait for room that must
    /// not come to one who is asleep. Who holds room that others wait for has to take its bytes without a stall.
    async fn write(&mut self, outbox: &mut Outbox) -> Result<(), Ended> {
        let bytes = outbox.bytes();
        self.weight.answered(bytes);
        if bytes == 0 {
            return Ok(());
        }
        let _pending = PendingBytes::new(self.network, bytes as u64);
        let memory = outbox.memory_bytes();
        let held = (memory > UNSENT_BYTES_FREE).then(|| self.network.unsent.hold(memory));
        let (mut taken, mut since) = (0, self.network.tasks.monotonic());
        loop {
            let before = outbox.bytes();
            let written = {
                let tasks = &self.network.tasks;
                let mut writing = pin!(tasks.within(WRITE_CONTENDED_INTERVAL, outbox.write_all(&mut self.to)));
                poll_fn(|context| {
                    let written = writing.as_mut().poll(context);
                    if let (Poll::Pending, Some(behind)) = (&written, &mut self.oldest) {
                        let _ = behind.poll_made(&self.network.unsent, context);
                    }
                    written
                })
                .await
            };
            if let Some(written) = written {
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

fn put(outbox: &mut Outbox, header: Option<ResponseHeader>, reply: Reply) -> Result<(), CloseReason> {
    match reply {
        Reply::Body(body) => outbox
            .put(header, body)
            .map_err(|bytes| CloseReason::Encode(format!("{bytes} bytes are more than a frame can hold"))),
        Reply::Nothing => Ok(()),
        Reply::Close(reason) => Err(reason),
    }
}

#[cfg(test)]
mod tests;
