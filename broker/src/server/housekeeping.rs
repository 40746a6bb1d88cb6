//! The thread that lets log directories do what is due: retention, delayed deletes, producer expiry.

use std::io;
use std::sync::Arc;

use barnabas_storage::LogDir;
use barnabas_storage::advice::REPORT_BUG;
use barnabas_storage::seam::{Clock, Spawn, Thread};
use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;

use crate::limits::HOUSEKEEPING_INTERVAL;

/// The running thread.
pub(super) struct Housekeeping {
    stopper: Stopper,
    thread: Thread,
    all_offline: watch::Receiver<bool>,
}

/// Whether the thread is to end.
#[derive(Default)]
struct Stop {
    wanted: Mutex<bool>,
    told: Condvar,
}

impl Stop {
    /// Waits until the next time; false when the thread is to end.
    fn wait(&self) -> bool {
        let mut wanted = self.wanted.lock();
        if !*wanted {
            self.told.wait_for(&mut wanted, HOUSEKEEPING_INTERVAL);
        }
        !*wanted
    }
}

/// Ends the thread when it is dropped.
struct Stopper(Arc<Stop>);

impl Drop for Stopper {
    fn drop(&mut self) {
        *self.0.wanted.lock() = true;
        self.0.told.notify_all();
    }
}

/// Starts the thread.
pub(super) fn start(spawn: &dyn Spawn, clock: Arc<dyn Clock>, log_dirs: Vec<Arc<LogDir>>) -> io::Result<Housekeeping> {
    let stop = Arc::new(Stop::default());
    let stopper = Stopper(Arc::clone(&stop));
    let (offline, all_offline) = watch::channel(false);
    let work = move || {
        while stop.wait() {
            for dir in &log_dirs {
                dir.run_due(clock.now());
            }
            if log_dirs.iter().all(|dir| dir.is_offline()) {
                offline.send_replace(true);
            }
        }
    };
    let thread = spawn.thread("housekeeping", Box::new(work))?;
    Ok(Housekeeping { stopper, thread, all_offline })
}

impl Housekeeping {
    /// Returns when every log directory is offline.
    pub(super) async fn all_offline(&mut self) {
        if self.all_offline.wait_for(|all_offline| *all_offline).await.is_err() {
            // The thread has ended: nobody will say so any more.
            std::future::pending().await
        }
    }

    /// Ends the thread. Blocks while it works.
    pub(super) fn stop(self) {
        drop(self.stopper);
        if self.thread.join().is_err() {
            tracing::error!("the housekeeping thread panicked; {REPORT_BUG}");
        }
    }
}
