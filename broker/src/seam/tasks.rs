//! The seam of async tasks: the only place that spawns them, and the only one that waits for time. A simulator runs
//! the same code on a paused tokio clock.
//!
//! Invariants:
//! 1. Every task has a name and is counted while it runs.
//! 2. A panic in a task is logged with the task's name.
//! 3. After [`Tasks::stop`] every task that waits on [`Stopping`] is woken; `stop` returns when all have ended or the
//!    deadline has passed.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use barnabas_storage::advice::REPORT_BUG;
use barnabas_storage::seam::Spawn;
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tracing::Instrument;

/// Spawns and stops tasks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tasks {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Where tasks run: metadata is published from a thread that has no runtime of its own.
    runtime: Option<Handle>,
    /// Blocking work goes to the runtime's pool; in a simulator it runs where it stands.
    pool: bool,
    stopping: watch::Sender<bool>,
    running: AtomicUsize,
    ended: Notify,
    /// A moment on the clock that tasks wait by.
    made: tokio::time::Instant,
}

/// Tells a task that it is to end.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Returns when the broker stops. Cancellation-safe.
    pub async fn wait(&mut self) {
        // The sender lives as long as the tasks; should it be gone, then the broker has stopped.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }

    /// Whether the broker stops.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }
}

/// Counts a task down when it ends, by whatever way.
struct Running {
    shared: Arc<Shared>,
    name: &'static str,
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(task = self.name, "a task panicked; {REPORT_BUG}");
        }
        if self.shared.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.ended.notify_waiters();
        }
    }
}

impl Tasks {
    /// No task runs yet. Made inside a runtime, it spawns there from any thread.
    #[must_use]
    pub fn new() -> Self {
        Self::with_pool(true)
    }

    /// As [`Tasks::new`], with a pool for blocking work if these threads allow one.
    #[must_use]
    pub fn on(spawn: &dyn Spawn) -> Self {
        Self::with_pool(spawn.has_blocking_pool())
    }

    #[allow(clippy::disallowed_methods, reason = "this is the seam of async tasks and their time")]
    fn with_pool(pool: bool) -> Self {
        let (stopping, _) = watch::channel(false);
        let (runtime, running) = (Handle::try_current().ok(), AtomicUsize::new(0));
        let (ended, made) = (Notify::new(), tokio::time::Instant::now());
        Self { shared: Arc::new(Shared { runtime, pool, stopping, running, ended, made }) }
    }

    /// How many tasks can run at the same moment.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.shared.runtime.as_ref().map_or(1, |runtime| runtime.metrics().num_workers())
    }

    /// How long the workers were busy since they began, all together.
    #[must_use]
    pub fn busy(&self) -> Duration {
        let busy = self.shared.runtime.as_ref().map(|runtime| {
            let metrics = runtime.metrics();
            (0..metrics.num_workers()).map(|worker| metrics.worker_total_busy_duration(worker)).sum()
        });
        busy.unwrap_or_default()
    }

    /// Runs `work` in the background. It should end when [`Tasks::stopping`] says so.
    #[allow(clippy::disallowed_methods, reason = "this is the seam of async tasks")]
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.shared.running.fetch_add(1, Ordering::AcqRel);
        let running = Running { shared: Arc::clone(&self.shared), name };
        // Not an async block: one that awaits what it has captured is twice its size, and there is one for each connection.
        let task = work.map(move |()| drop(running));
        let task = task.instrument(tracing::debug_span!("task", name));
        match &self.shared.runtime {
            Some(runtime) => drop(runtime.spawn(task)),
            None => drop(tokio::spawn(task)),
        }
    }

    /// Runs blocking work (a cold read, a checkpoint) off the async workers.
    #[allow(clippy::disallowed_methods, reason = "this is the seam of async tasks")]
    pub async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        if !self.shared.pool {
            return work();
        }
        match tokio::task::spawn_blocking(work).await {
            Ok(value) => value,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Time since these tasks were made, on the clock that [`Tasks::sleep`] waits by.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.shared.made.elapsed()
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// Awaits `work`, at most this long; `None` when the time has passed. `work` is dropped then.
    pub async fn within<T>(&self, duration: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(duration, work).await.ok()
    }

    /// Tells whether and when to end.
    #[must_use]
    pub fn stopping(&self) -> Stopping {
        Stopping(self.shared.stopping.subscribe())
    }

    /// Number of tasks that run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.shared.running.load(Ordering::Acquire)
    }

    /// Tells every task to end and waits for them; returns how many still ran at the deadline.
    pub async fn stop(&self, deadline: Duration) -> usize {
        self.shared.stopping.send_replace(true);
        let all_ended = async {
            loop {
                let ended = self.shared.ended.notified();
                if self.running() == 0 {
                    return;
                }
                ended.await;
            }
        };
        let _ = tokio::time::timeout(deadline, all_ended).await;
        self.running()
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use barnabas_storage::seam::SystemSpawn;

    use super::*;

    #[tokio::test]
    async fn stop_wakes_and_awaits_every_task() {
        let tasks = Tasks::new();
        for _ in 0..10 {
            let mut stopping = tasks.stopping();
            tasks.spawn("waiter", async move { stopping.wait().await });
        }
        assert_eq!(tasks.running(), 10);
        assert_eq!(tasks.stop(Duration::from_secs(60)).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn stop_gives_up_at_the_deadline() {
        let tasks = Tasks::new();
        tasks.spawn("deaf", std::future::pending());
        assert_eq!(tasks.stop(Duration::from_secs(5)).await, 1);
    }

    #[tokio::test]
    async fn a_task_that_panics_is_counted_down() {
        let tasks = Tasks::new();
        tasks.spawn("broken", async { panic!("on purpose") });
        assert_eq!(tasks.stop(Duration::from_secs(60)).await, 0);
    }

    #[tokio::test]
    async fn a_thread_outside_the_runtime_may_spawn() {
        let tasks = Tasks::new();
        let (send, receive) = tokio::sync::oneshot::channel();
        let elsewhere = tasks.clone();
        let work = move || elsewhere.spawn("from a thread", async move { send.send(7).unwrap() });
        SystemSpawn.thread("outside", Box::new(work)).unwrap().join().unwrap();
        assert_eq!(receive.await, Ok(7));
    }

    #[tokio::test]
    async fn blocking_work_gives_its_value_back() {
        assert_eq!(Tasks::new().blocking(|| 7).await, 7);
    }
}
