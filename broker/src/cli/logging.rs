//! The log of `barnabas serve`: lines to stderr, as text or as JSON.

use std::io::{self, IsTerminal};

use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::loggers;

/// openraft's warnings tell of its own inner order, not of what an operator could do.
const LEVELS: &str = "info,openraft=error";

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line: `timestamp`, `level`, `target`, `message`, and the fields of the event beside them.
    Json,
}

/// Begins to log; `RUST_LOG` says how much. To be called once.
pub(super) fn start(format: LogFormat) {
    let levels = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LEVELS));
    let (levels, changes) = reload::Layer::<_, Registry>::new(levels);
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry().with(levels).with(lines).init();
    loggers::logs_by(Box::new(move |directives| {
        if let Err(error) = changes.reload(EnvFilter::new(directives)) {
            tracing::warn!("the levels of the log stay as they are: {error}; set them again");
        }
    }));
}
