//! Where log events go, a line each: standard error.

use std::fmt;

use serde_json::Value;
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};
use vestibule_web::Fields;

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// One JSON object, for a log store.
    Json,
    /// Text, for a person.
    Text,
}

/// Starts logging for the process. A filter that cannot be read is an error; a second start changes nothing.
pub fn start(filter: &str, lines: Lines) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("VESTIBULE_LOG: {error}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // Whoever started first, a test harness perhaps, keeps the log: nothing to report.
    let _ = match lines {
        Lines::Json => builder.fmt_fields(JsonFields::new()).event_format(Flat).try_init(),
        Lines::Text => builder.try_init(),
    };
    Ok(())
}

/// One object: the fields of the spans that an event stands in, its own, and when and where it was. As on Workers.
struct Flat;

impl<S, N> FormatEvent<S, N> for Flat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Fields::default();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>().map(|fields| serde_json::from_str(&fields.fields));
            if let Some(Ok(Value::Object(fields))) = fields {
                line.0.extend(fields);
            }
        }
        event.record(&mut line);
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let metadata = event.metadata();
        let about =
            [("timestamp", time), ("level", metadata.level().to_string()), ("target", metadata.target().to_owned())];
        line.0.extend(about.map(|(name, value)| (name.to_owned(), value.into())));
        writeln!(to, "{}", Value::Object(line.0))
    }
}
