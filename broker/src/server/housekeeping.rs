//! The thread that lets log directories do what is due: retention, delayed deletes, producer expiry.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;

use barnabas_storage::LogDir;
use barnabas_storage::seam::{Clock, Spawn};
use tokio::sync::watch;

use crate::limits::HOUSEKEEPING_INTERVAL;

/// The running thread.
pub(super) struct Housekeeping {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
    all_offline: watch::Receiver<bool>,
}

/// Starts the thread.
pub(super) fn start(spawn: &dyn Spawn, clock: Arc<dyn Clock>, log_dirs: Vec<Arc<LogDir>>) -> io::Result<Housekeeping> {
    let (stop, stopped) = sync_channel(1);
    let (offline, all_offline) = watch::channel(false);
    let work = move || {
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(HOUSEKEEPING_INTERVAL) {
            for dir in &log_dirs {
                dir.run_due(clock.now());
            }
            if log_dirs.iter().all(|dir| dir.is_offline()) {
                offline.send_replace(true);
            }
        }
    };
    let thread = spawn.thread("housekeeping", Box::new(work))?;
    Ok(Housekeeping { stop, thread, all_offline })
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
        let _ = self.stop.try_send(());
        if self.thread.join().is_err() {
            tracing::error!("the housekeeping thread panicked");
        }
    }
}
