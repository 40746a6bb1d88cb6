//! `barnabas serve`: reads the settings, runs a broker until a signal, stops it.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use barnabas_config::{Config, ConfigSources, Warning, key};
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
use super::supervisor;
use crate::limits::{BLOCKING_THREADS_MAX, POLLS_BETWEEN_EVENTS};
use crate::seam::{Tasks, TcpNet};
use crate::server::Server;

/// So long after a start those who waited for it have come.
const SETTLED: Duration = Duration::from_secs(1);

/// What `serve` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// server.properties files, later ones over earlier ones. Without any: 127.0.0.1:9092, data in ./barnabas-data.
    files: Vec<PathBuf>,
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
    let config = configure(arguments)?;
    #[cfg(feature = "gssapi")]
    super::keytab::be_told(&config)?;
    runtime()?.block_on(serve(config, arguments.files.is_empty()))
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

fn configure(arguments: &Arguments) -> Result<Config, Failure> {
    let seams = Seams::system();
    let read_file = |path: &Path| read_text(&seams, path);
    let (config, warnings) = Config::load(&ConfigSources {
        files: arguments.files.clone(),
        environment: variables(),
        assignments: arguments.assignments.clone(),
        read_file: &read_file,
    })?;
    for warning in warnings {
        warn(&warning);
    }
    Ok(config)
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

async fn serve(config: Config, greet: bool) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let log_dirs: Vec<String> = config.read(&key::LOG_DIRS);
    let mut server = Server::start(Arc::new(config), Seams::system(), &TcpNet).await?;
    // Without TLS there is nothing to read again, and a terminal that goes away still ends the broker.
    let hears_hang_up = server.has_tls() || supervisor::is_there();
    let mut hang_up = if hears_hang_up { Some(signal(SignalKind::hangup())?) } else { None };
    tracing::info!(addresses = ?server.addresses(), "ready");
    supervisor::ready(server.addresses());
    if let Some(address) = server.addresses().first().filter(|_| greet) {
        println!("{}", greeting(*address, &log_dirs.join(",")));
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

/// Three commands to try.
fn greeting(address: SocketAddr, log_dirs: &str) -> String {
    let port = address.port();
    let address = if address.ip().is_unspecified() { format!("localhost:{port}") } else { address.to_string() };
    format!(
        "Barnabas {} serves on {address}, its data is in {log_dirs}. Try:\n\n  \
         echo hello | kcat -b {address} -t greetings -P\n  \
         kafka-console-consumer.sh --bootstrap-server {address} --topic greetings --from-beginning\n  \
         barnabas topics list -b {address}\n",
        env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_names_three_commands() {
        let greeting = greeting(SocketAddr::from(([127, 0, 0, 1], 9092)), "./barnabas-data");
        assert!(greeting.contains("-b 127.0.0.1:9092"));
        assert_eq!(greeting.lines().filter(|line| line.starts_with("  ")).count(), 3);
    }
}
