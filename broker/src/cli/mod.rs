//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

mod acls;
mod bench;
mod cluster;
mod complete;
mod configs;
mod confirm;
mod connection;
mod consume;
mod doctor;
mod environment;
mod exit;
mod failure;
mod files;
mod generate;
mod groups;
mod interrupt;
#[cfg(feature = "gssapi")]
mod keytab;
mod log;
mod logging;
mod output;
mod produce;
mod progress;
mod quotas;
mod remark;
mod serve;
mod shims;
mod storage;
mod supervisor;
mod tokens;
mod topics;
mod users;
mod watch;

use exit::{EXIT_CODES, Exit};
use failure::Failure;

/// A log broker that speaks the Kafka protocol.
#[derive(Debug, Parser)]
#[command(name = "barnabas", version, about, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Says nothing on stderr but errors, warnings and questions: neither how far long work has come nor what was done.
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts a broker (what happens without a command, too).
    Serve(serve::Arguments),
    /// Lists, shows and makes topics, on any broker that speaks the Kafka protocol.
    Topics(topics::Arguments),
    /// Shows, changes and checks settings, of files and on any broker that speaks the Kafka protocol.
    Configs(configs::Arguments),
    /// Lists, shows, moves and deletes consumer groups, on any broker that speaks the Kafka protocol.
    Groups(groups::Arguments),
    /// Writes a record for each line of stdin.
    Produce(produce::Arguments),
    /// Shows records of a topic.
    Consume(consume::Arguments),
    /// Shows the brokers, what is wrong, and what their disks hold.
    Cluster(cluster::Arguments),
    /// Tests from this machine every address that brokers advertise, step by step, and says what to do.
    Doctor(doctor::Arguments),
    /// Lists, sets and removes client quotas, on any broker that speaks the Kafka protocol.
    Quotas(quotas::Arguments),
    /// Lists, makes and removes users that log in by SCRAM, on any broker that speaks the Kafka protocol.
    Users(users::Arguments),
    /// Makes, removes and explains rules of access, on any broker that speaks the Kafka protocol.
    Acls(acls::Arguments),
    /// Lists, makes, renews and removes delegation tokens, on any broker that speaks the Kafka protocol.
    Tokens(tokens::Arguments),
    /// Formats log directories before the first start, and tells whose they are.
    Storage(storage::Arguments),
    /// Looks at log directories while no broker runs on them.
    Log(log::Arguments),
    /// Puts load on any broker that speaks the Kafka protocol and tells what it took.
    Bench(bench::Arguments),
    /// Writes completions, man pages, links under the names of Kafka's tools, a dashboard, alerts, a unit for systemd, and a file
    /// for docker compose.
    Generate(generate::Arguments),
}

/// Reads the command line and runs it.
#[must_use]
pub fn run() -> ExitCode {
    let program = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    if let Some(ended) = complete::run().or_else(|| shims::run(&program)) {
        return ended;
    }
    let Cli { command, quiet } = Cli::parse();
    if quiet {
        remark::silence();
    }
    let ended = match command.unwrap_or_else(|| Command::Serve(serve::Arguments::of_nothing())) {
        Command::Serve(arguments) => serve::run(&arguments).map(|()| Exit::Done),
        Command::Log(arguments) => log::run(&arguments),
        Command::Topics(arguments) => run_client(topics::run(arguments)),
        Command::Configs(arguments) => run_client(configs::run(arguments)),
        Command::Doctor(arguments) => run_client(doctor::run(arguments)),
        Command::Storage(arguments) => run_client(storage::run(arguments)),
        Command::Quotas(arguments) => run_client(quotas::run(arguments)),
        Command::Tokens(arguments) => run_client(tokens::run(arguments)),
        Command::Users(arguments) => run_client(users::run(arguments)),
        Command::Acls(arguments) => run_client(acls::run(arguments)),
        Command::Groups(arguments) => run_client(groups::run(arguments)),
        Command::Produce(arguments) => run_client(produce::run(arguments)),
        Command::Consume(arguments) => run_client(consume::run(arguments)),
        Command::Cluster(arguments) => run_client(cluster::run(arguments)),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments).map(|()| Exit::Done),
    };
    end("barnabas", ended)
}

/// Says why it failed, and how the process ends.
fn end(program: &str, ended: Result<Exit, Failure>) -> ExitCode {
    ended
        .unwrap_or_else(|failure| {
            remark::say(format_args!("{program}: {failure}"));
            failure.exit()
        })
        .into()
}

/// A command that only talks to brokers needs no more than one thread.
fn run_client(work: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// A number of seconds above 0, for arguments.
fn duration(text: &str) -> Result<Duration, String> {
    let read = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    read.filter(|time| !time.is_zero() && *time < Duration::from_secs(1 << 20))
        .ok_or_else(|| "a number of seconds above 0, as 2.5".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_has_no_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_the_unit_and_the_image_start_is_understood() {
        let parsed = |line: Vec<String>| Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{error}")).command;
        let unit = include_str!("../../../packaging/debian/barnabas.service");
        let started = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        assert!(matches!(parsed(started.split(' ').map(str::to_owned).collect()), Some(Command::Serve(_))));

        let image = include_str!("../../../packaging/Dockerfile");
        let listed = |beginning: &str| -> Vec<String> {
            let line = image.lines().find(|line| line.starts_with(beginning)).unwrap();
            serde_json::from_str(&line[line.find('[').unwrap()..]).unwrap()
        };
        assert!(matches!(parsed([listed("ENTRYPOINT "), listed("CMD ")].concat()), Some(Command::Serve(_))));
        assert!(matches!(parsed(listed("HEALTHCHECK ")), Some(Command::Cluster(_))));
    }

    #[test]
    fn seconds_are_above_0() {
        assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
        assert!(duration("0").is_err() && duration("-1").is_err() && duration("x").is_err());
    }
}
