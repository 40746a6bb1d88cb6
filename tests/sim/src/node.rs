//! The node under test: the broker's own composition root on the simulated machine, life after life.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use barnabas_broker::server::Server;
use barnabas_config::{Config, ConfigSources};
use barnabas_storage::seam::{Clock, LossyDisk, Seams, SeededRng};
use parking_lot::lockstep;
use tokio::sync::Notify;

use crate::machine::clock::SimClock;
use crate::machine::disk::{Ailments, SimDisk};
use crate::machine::net::SimNet;
use crate::machine::threads::SimThreads;
use crate::plan::Plan;
use crate::trace::trace;

/// How the node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Starting,
    Serves,
    /// It was stopped and has closed everything.
    Stopped,
    /// It could not start, or ended by itself.
    Failed,
    Killed,
}

/// The node and its machine.
pub(crate) struct Node {
    pub(crate) disk: RefCell<LossyDisk>,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) ailments: Arc<Ailments>,
    pub(crate) life: Cell<u64>,
    pub(crate) health: Cell<Health>,
    /// Why it is not well.
    pub(crate) complaint: RefCell<String>,
    stop: Notify,
    config: Arc<Config>,
    seed: u64,
    piece: usize,
}

impl Node {
    pub(crate) fn new(plan: &Plan) -> Rc<Self> {
        let clock = Arc::new(SimClock::default());
        let time: Arc<dyn Clock> = clock.clone();
        Rc::new(Self {
            disk: RefCell::new(LossyDisk::new(time)),
            clock,
            ailments: Arc::new(Ailments::new(plan.seed, plan.sync_micros_max)),
            life: Cell::new(0),
            health: Cell::new(Health::Killed),
            complaint: RefCell::default(),
            stop: Notify::new(),
            config: Arc::new(configure(&plan.settings)),
            seed: plan.seed,
            piece: plan.piece,
        })
    }

    /// One life: from the start to a stop or a failure, or until it is dropped.
    pub(crate) async fn live(self: Rc<Self>) -> turmoil::Result {
        self.life.set(self.life.get() + 1);
        let life = self.life.get();
        self.health.set(Health::Starting);
        trace!("node life {life}");
        let disk = SimDisk { inner: self.disk.borrow().clone(), ailments: Arc::clone(&self.ailments) };
        let seams = Seams {
            disk: Arc::new(disk),
            clock: self.clock.clone(),
            rng: Arc::new(SeededRng::new(self.seed.wrapping_add(life))),
            spawn: Arc::new(SimThreads { life }),
        };
        let net = SimNet { piece: self.piece };
        match Server::start(Arc::clone(&self.config), seams, &net).await {
            Ok(server) => self.serve(server).await,
            Err(error) => self.fail(&error),
        }
        Ok(())
    }

    async fn serve(&self, mut server: Server) {
        self.health.set(Health::Serves);
        trace!("node serves");
        let failed = tokio::select! {
            biased;
            () = self.stop.notified() => false,
            () = server.failed() => true,
        };
        let stopped = server.stop().await;
        match stopped {
            Ok(()) if !failed => self.health.set(Health::Stopped),
            Ok(()) => self.fail(&io::Error::other("every log directory is offline")),
            Err(error) => self.fail(&error),
        }
        trace!("node ended");
    }

    fn fail(&self, error: &dyn std::error::Error) {
        let mut complaint = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            complaint = format!("{complaint}: {cause}");
            source = cause.source();
        }
        trace!("node failed: {complaint}");
        self.complaint.replace(complaint);
        self.health.set(Health::Failed);
    }

    /// Asks it to stop cleanly.
    pub(crate) fn ask_to_stop(&self) {
        self.stop.notify_one();
    }

    /// The process dies: its threads, and its memory with them; `left` is what the disk shows from now on.
    pub(crate) fn die(&self, left: LossyDisk) {
        self.disk.replace(left);
        lockstep::end_group(self.life.get());
        self.health.set(Health::Killed);
    }
}

fn configure(settings: &[String]) -> Config {
    let read_file = |_: &std::path::Path| Err(io::ErrorKind::NotFound.into());
    let sources = ConfigSources {
        files: Vec::new(),
        environment: Vec::new(),
        assignments: settings.to_vec(),
        read_file: &read_file,
    };
    let (config, _) = Config::load(&sources).expect("the plan's settings are valid");
    config
}
