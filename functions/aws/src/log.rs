//! Where log events go, a line each.

use tracing_subscriber::EnvFilter;

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// One JSON object on standard output, for a log store.
    Json,
    /// Text on standard error, for a person.
    Text,
}

/// Starts logging for the process. A filter that cannot be read is an error; a second start changes nothing.
pub fn start(filter: &str, lines: Lines) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("VESTIBULE_LOG: {error}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    // Whoever started first, a test harness perhaps, keeps the log: nothing to report.
    let _ = match lines {
        Lines::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
        Lines::Text => builder.with_writer(std::io::stderr).with_ansi(false).try_init(),
    };
    Ok(())
}
