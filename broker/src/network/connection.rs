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

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;

use super::answers::{Answer, Answers, Owed};
use super::budget::{Own, Share};
use super::eagerness::{Eagerness, Half};
use super::frame::{FrameError, Frames, Head};
use super::turns::Weight;
use super::{Network, Stage};
use crate::api::CloseReason;
use crate::api::context::ConnectionInfo;
use crate::limits::{
    CONTENDED_BYTES_MIN, CONTENDED_INTERVAL, FRAME_BODY_TIMEOUT, FRAME_BYTES_PER_SECOND_MIN, FRAME_HEAD_TIMEOUT,
    IDLE_FIRST, LOGIN_PAUSE_MAX, LOGIN_TIME_MAX,
};
use crate::metrics::RequestTime;
use crate::seam::{Stopping, Stream};

mod ended;
mod writer;

pub use ended::Ended;
use writer::Writer;

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
    let mut writer = Writer::new(&network, &answers, &stream, &weight);
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
            // On the heap: few connections ever have one.
            return Box::pin(self.one_token()).await;
        }
        self.muted().await?;
        let head = self.head().await?;
        self.weight.asked(head.bytes);
        if head.bytes > network.options.login_bytes_max && !self.info.is_authenticated() {
            let claimed = i32::try_from(head.bytes).unwrap_or(i32::MAX);
            return Err(FrameError::Length(claimed).into());
        }
        let admission = network.service.admit(self.info, head.prefix, head.bytes)?;
        let mut share = network.budget.take(head.bytes.saturating_add(admission.cost), &self.own).await;
        let frame = self.body(head, &share).await?;
        let mut time = RequestTime::arrived(head.prefix.key, network.tasks.monotonic());
        let frame = if admission.in_backlog { network.backlog.take(frame).await } else { frame };
        network.unsent.room().await;
        network.metrics.requests.increment();
        time.begins(network.tasks.monotonic());
        let begun = network.service.begin(self.info, frame)?;
        let answer = match begun.stage {
            Stage::Answered(reply) => Answer::Ready(reply),
            Stage::Second(stage) => {
                time.waits(network.tasks.monotonic());
                share.shrink(begun.keeps);
                Answer::Coming(stage, share)
            }
            Stage::Alone(work) => tokio::select! {
                biased;
                reply = work => Answer::Ready(reply),
                never = poll_fn(|_| {
                    time.waits(network.tasks.monotonic());
                    Poll::<Infallible>::Pending
                }) => match never {},
                gone = self.frames.gone(&mut self.from) => return Err(gone.into()),
            },
        };
        if matches!(answer, Answer::Ready(_)) {
            time.is_made(network.tasks.monotonic());
        }
        let owed = Owed { header: Some(begun.header), answer, held: None, time };
        self.answers.put(owed, &network.unsent);
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
        self.answers.put(
            Owed { header: None, answer: Answer::Ready(reply), held: None, time: RequestTime::NONE },
            &network.unsent,
        );
        Ok(())
    }

    /// The head, which is mostly there already.
    async fn head(&mut self) -> Result<Head, Ended> {
        if let Some(head) = self.frames.head(&mut self.from).now_or_never() {
            return Ok(head?);
        }
        // On the heap: a connection that waits for nothing has no room for it.
        let head = self.frames.head(&mut self.from);
        Box::pin(until(self.network, &mut self.stopping, FRAME_HEAD_TIMEOUT, head)).await
    }

    /// The body, which is mostly there already.
    async fn body(&mut self, head: Head, share: &Share) -> Result<Bytes, Ended> {
        if let Some(whole) = self.frames.whole(&mut self.from, head).now_or_never() {
            return Ok(whole?);
        }
        // On the heap: a connection that waits for nothing has no room for it.
        Box::pin(self.rest_of_body(head, share)).await
    }

    /// Waits for the body. While others wait for the memory that is reserved for it, its bytes have to keep coming.
    async fn rest_of_body(&mut self, head: Head, share: &Share) -> Result<Bytes, Ended> {
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
        if self.info.may_stay() {
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

#[cfg(test)]
mod tests;
