//! `barnabas serve`: reads the settings, runs a broker until a signal, stops it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use barnabas_config::{Config, ConfigSources, Source, Warning, key};
use barnabas_storage::advice::RAISE_FILE_LIMIT;
use barnabas_storage::give_back_code;
use barnabas_storage::seam::Seams;
use clap::FromArgMatches;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;
use super::environment::variables;
use super::files::read_text;
use super::logging::{self, LogFormat};
use super::{output, supervisor};
use crate::limits::{BLOCKING_THREADS_MAX, POLLS_BETWEEN_EVENTS};
use crate::seam::{Tasks, TcpNet};
use crate::server::Server;

mod greeting;
mod scratch;

use scratch::Scratch;

/// So long after a start those who waited for it have come.
const SETTLED: Duration = Duration::from_secs(1);
/// Where the page is of a broker to try something out: on whichever port is free.
const PAGE: &str = "127.0.0.1:0";

/// What `serve` is told.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  barnabas serve --dev\n  barnabas serve --dev -c log.dirs=./data -c log.durability.mode=os\n  \
    barnabas serve server.properties -c num.partitions=3"
)]
pub(super) struct Arguments {
    /// server.properties files, later ones over earlier ones. Without any: 127.0.0.1:9092, data in ./barnabas-data.
    files: Vec<PathBuf>,
    /// To try something out: as without files, but the data is in a temporary directory that goes at a clean stop, and the page is
    /// on a free port. Environment and -c go over that.
    #[arg(long, conflicts_with = "files")]
    dev: bool,
    /// A setting, over files and environment.
    #[arg(short = 'c', long = "config", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
    /// How lines of the log are written, to stderr. RUST_LOG says which.
    #[arg(long, value_name = "FORMAT", default_value = "text", env = "BARNABAS_LOG_FORMAT")]
    log_format: LogFormat,
}

impl Arguments {
    /// What holds when the program is started without a word: the environment counts all the same.
    pub(super) fn of_nothing() -> Self {
        let command = <Self as clap::Args>::augment_args(clap::Command::new("barnabas"));
        let mut matches = command.get_matches_from(["barnabas"]);
        Self::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.exit())
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    logging::start(arguments.log_format);
    raise_file_limit();
    let (mut config, warnings) = configure(arguments, &[])?;
    warnings.iter().for_each(warn);
    #[cfg(feature = "gssapi")]
    super::keytab::be_told(&config)?;
    let scratch = if arguments.dev { try_out(arguments, &mut config)? } else { None };
    let at_end = if scratch.is_some() { " until it stops" } else { "" };
    let ended = runtime()?.block_on(serve(config, arguments.files.is_empty().then_some(at_end)));
    match scratch {
        Some(scratch) if ended.is_err() => {
            tracing::info!(path = %scratch.path().display(), "the data is left to be looked at")
        }
        scratch => scratch.into_iter().for_each(|scratch| scratch.remove(&Seams::system())),
    }
    ended
}

/// What `--dev` adds where nobody says otherwise.
fn try_out(arguments: &Arguments, config: &mut Config) -> Result<Option<Scratch>, Failure> {
    let mut added = Vec::new();
    if config.source(key::HTTP_LISTENER.name) == Source::Default {
        added.push(format!("{}={PAGE}", key::HTTP_LISTENER.name));
    }
    let is_told = |name| config.source(name) != Source::Development && config.source(name) != Source::Default;
    let scratch = if is_told(key::LOG_DIRS.name) { None } else { Some(Scratch::make(&Seams::system())?) };
    added.extend(scratch.iter().map(|scratch| format!("{}={}", key::LOG_DIRS.name, scratch.path().display())));
    *config = configure(arguments, &added)?.0;
    Ok(scratch)
}

/// Every connection and every segment is an open file; systems allow few until they are asked, as the JVM does too.
fn raise_file_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(
            "the limit of open files stays at {current:?}: {error}: fewer clients can connect; {RAISE_FILE_LIMIT}"
        );
    }
}

/// The settings; those of the command line go over `added`.
fn configure(arguments: &Arguments, added: &[String]) -> Result<(Config, Vec<Warning>), Failure> {
    let seams = Seams::system();
    let read_file = |path: &Path| read_text(&seams, path);
    let sources = ConfigSources {
        files: arguments.files.clone(),
        environment: variables(),
        assignments: [added, &arguments.assignments].concat(),
        read_file: &read_file,
    };
    Ok(Config::load(&sources)?)
}

fn warn(warning: &Warning) {
    tracing::warn!("{warning}; change or drop it where it was given (`barnabas configs lint` tells the same)");
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("worker")
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .event_interval(POLLS_BETWEEN_EVENTS)
        .enable_all()
        .build()
}

/// Serves until a signal. `greet`: says what can be tried, and what becomes of the data.
async fn serve(config: Config, greet: Option<&str>) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let log_dirs: Vec<String> = config.read(&key::LOG_DIRS);
    let mut server = Server::start(Arc::new(config), Seams::system(), &TcpNet).await?;
    // Without TLS there is nothing to read again, and a terminal that goes away still ends the broker.
    let hears_hang_up = server.has_tls() || supervisor::is_there();
    let mut hang_up = if hears_hang_up { Some(signal(SignalKind::hangup())?) } else { None };
    tracing::info!(addresses = ?server.addresses(), "ready");
    supervisor::ready(server.addresses());
    if let Some(at_end) = greet {
        say_what_to_try(&server, &log_dirs.join(","), at_end);
    }
    let tasks = Tasks::new();
    tasks.spawn("settled", settled(tasks.clone()));
    let failed = loop {
        tokio::select! {
            _ = terminate.recv() => break false,
            _ = interrupt.recv() => break false,
            () = server.failed() => break true,
            () = hung_up(&mut hang_up) => {}
        }
        server.reload_certificates().await;
    };
    tracing::info!("stopping");
    supervisor::stopping();
    // A second Ctrl-C is a person in a hurry. A second SIGTERM is not: timeout(1) and init systems send it to the
    // process and to its group, so that one stop arrives twice.
    tokio::select! {
        stopped = server.stop() => stopped?,
        _ = interrupt.recv() => return Err("killed by a second Ctrl-C before everything was closed".into()),
    }
    if failed {
        Err("every log directory is offline after disk errors: replace the disk, then restart".into())
    } else {
        Ok(())
    }
}

/// On stdout, which nobody need read.
fn say_what_to_try(server: &Server, log_dirs: &str, at_end: &str) {
    let Some(address) = server.addresses().first() else { return };
    let program = std::env::args().next().unwrap_or_else(|| "barnabas".to_owned());
    let text = greeting::text(&program, *address, server.http_address(), log_dirs, at_end);
    _ = output::print(&format!("{text}\n"));
}

/// What only the start needed need not stay in memory.
async fn settled(tasks: Tasks) {
    tasks.sleep(SETTLED).await;
    let given_back = give_back_code();
    tracing::debug!(given_back, "the code that the start ran through");
}

/// Returns at a SIGHUP, if that is listened to.
async fn hung_up(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
