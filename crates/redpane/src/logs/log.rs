//! The log of one telemetry.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::Level;
use tracing_subscriber::filter::Targets;

use super::buffer::{Buffer, ExpectedLine};
use super::filter::{LogFilter, LogFilterError};
use super::format::LogFormat;
use super::json;
use super::line::{App, Line, LineIds};
use super::losses::{Counts, FlushError, LogLosses, OverflowPolicy};
use super::number;
use super::pretty::PrettyWriter;
use super::sampling::AccessSampling;
use super::writer::{self, Tap};
use crate::request::ids_from::IdsSource;
use crate::request::promoted_names::PromotedNames;

#[cfg(feature = "otlp")]
const TRACES_TARGET: &str = "redpane::traces";
#[cfg(feature = "pane")]
const PANE_TARGET: &str = "redpane::pane";
const LOGS_TARGET: &str = "redpane::logs";

/// What a log is made of.
pub(crate) struct LogOptions {
    pub(crate) app: String,
    pub(crate) filter: Targets,
    pub(crate) format: LogFormat,
    pub(crate) writer: Box<dyn Write + Send>,
    /// The most bytes of lines waiting in memory.
    pub(crate) buffer_bytes: usize,
    pub(crate) overflow: OverflowPolicy,
    pub(crate) ids_from: Option<IdsSource>,
    /// Spans with such a field pass the filter.
    pub(crate) promoted: Option<Arc<PromotedNames>>,
    pub(crate) sampling: Option<AccessSampling>,
    /// Sees every batch of lines before it is written, on the thread that writes.
    pub(crate) tap: Option<Tap>,
}

/// Flushes what writes its last lines then, within a bound. Whether it did.
pub(crate) type BeforeEnd = Box<dyn Fn(&Log, Duration) -> bool + Send + Sync>;

/// Filter, encoding and buffer of one telemetry's lines.
pub(crate) struct Log {
    app: App,
    buffer: Buffer,
    filter: Arc<LogFilter>,
    /// Where an SDK of the application says the ids.
    ids_from: Option<IdsSource>,
    sampling: Option<AccessSampling>,
    /// What has to end before the log does.
    before: OnceLock<BeforeEnd>,
}

impl Log {
    /// Starts the writer thread.
    ///
    /// # Errors
    /// If the system refuses the thread.
    pub(crate) fn start(options: LogOptions) -> io::Result<Self> {
        let app = App::new(&options.app);
        let reporting_app = app.clone();
        let report_losses = move |out: &mut Vec<u8>, lost: u64| {
            let line = Line::begin(&reporting_app, Level::WARN, LOGS_TARGET, None);
            let mut line = line.message(format_args!("log lines were lost"));
            line.field(",\"lines\":", |value| number::integer(value, lost));
            out.extend_from_slice(&line.finish());
        };
        let writer: Box<dyn Write + Send> = match options.format {
            LogFormat::Json => options.writer,
            LogFormat::Pretty => Box::new(PrettyWriter::new(options.writer)),
        };
        let buffer = Buffer::new(options.buffer_bytes, options.overflow);
        writer::spawn(&buffer, writer, Box::new(report_losses), options.tap)?;
        Ok(Self {
            app,
            buffer,
            sampling: options.sampling,
            filter: Arc::new(LogFilter::new(options.filter, options.promoted)),
            ids_from: options.ids_from,
            before: OnceLock::new(),
        })
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn filter(&self) -> &Arc<LogFilter> {
        &self.filter
    }

    /// Remembers that a subscriber has this log's layer.
    pub(crate) fn has_layer_now(&self) {
        self.filter.is_in_subscriber_now();
    }

    #[cfg_attr(not(feature = "pane"), expect(dead_code, reason = "the pane says it"))]
    pub(crate) fn has_layer(&self) -> bool {
        self.filter.is_in_subscriber()
    }

    pub(crate) fn ids_from(&self) -> Option<&IdsSource> {
        self.ids_from.as_ref()
    }

    pub(crate) fn would_log(&self, target: &str, level: Level) -> bool {
        self.filter.would_enable(target, level)
    }

    /// Whether access lines of this level (`ERROR`, `WARN` or `INFO`) are written.
    pub(crate) fn would_log_access(&self, level: Level) -> bool {
        self.filter.would_log_access(level)
    }

    /// Uses another filter for this long. A line says so, whatever the filters say.
    pub(crate) fn set_filter(self: &Arc<Self>, directives: Targets, time: Duration) -> Result<(), LogFilterError> {
        let text = directives.to_string();
        let tell = || {
            let line = self.begin(Level::INFO, LOGS_TARGET, None);
            let mut line = line.message(format_args!("the log filter was changed"));
            line.field(",\"directives\":", |out| json::text(out, &text));
            let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            line.field(",\"for_seconds\":", |out| number::seconds(out, nanoseconds));
            self.append(line);
        };
        let log = Arc::downgrade(self);
        self.filter.set(directives, time, tell, move || {
            if let Some(log) = log.upgrade() {
                log.restore_filter(true);
            }
        })
    }

    /// Puts the configured filter back, or only where the other one's time is over. A line says so.
    pub(crate) fn restore_filter(&self, only_if_due: bool) {
        self.filter.restore(only_if_due, || {
            let line = self.begin(Level::INFO, LOGS_TARGET, None);
            let mut line = line.message(format_args!("the configured log filter is back"));
            line.field(",\"directives\":", |out| json::text(out, &self.filter.configured().to_string()));
            self.append(line);
        });
    }

    /// Which access lines are left out, where some are.
    pub(super) fn sampling(&self) -> Option<&AccessSampling> {
        self.sampling.as_ref()
    }

    /// Opens a line up to and without its message.
    pub(crate) fn begin(&self, level: Level, target: &str, ids: Option<LineIds<'_>>) -> Line {
        Line::begin(&self.app, level, target, ids)
    }

    /// Takes a line for the writer thread.
    pub(crate) fn append(&self, line: Line) {
        line.end(|level, bytes| self.buffer.append(level, bytes));
    }

    /// Makes flushes wait for a line that another thread makes and appends.
    pub(crate) fn expect_line(&self) -> ExpectedLine {
        self.buffer.expect_line()
    }

    /// Waits until no line is being made by another thread, at most this long.
    pub(super) fn finish_expected(&self, deadline: Duration) {
        self.buffer.finish_expected(deadline);
    }

    /// Runs this before the log is flushed at the end of a process.
    #[cfg(feature = "otlp")]
    pub(crate) fn flush_before(&self, flush: BeforeEnd) {
        let _ = self.before.set(flush);
    }

    /// Flushes what has to end before the log.
    pub(super) fn finish_before(&self, deadline: Duration) -> bool {
        self.before.get().is_none_or(|flush| flush(self, deadline))
    }

    /// Waits until every line so far is written or counted as lost.
    pub(crate) fn flush(&self, deadline: Duration) -> Result<(), FlushError> {
        self.buffer.flush(deadline)
    }

    /// Writes a warning of redpane's own about spans: why they are not exported, and how many were lost since the last one.
    #[cfg(feature = "otlp")]
    pub(crate) fn warn_of_spans(&self, message: &str, reason: &str, spans: u64) {
        if self.would_log(TRACES_TARGET, Level::WARN) {
            let mut line = self.begin(Level::WARN, TRACES_TARGET, None).message(format_args!("{message}"));
            line.field(",\"reason\":", |out| json::text(out, reason));
            line.field(",\"spans\":", |out| number::integer(out, spans));
            self.append(line);
        }
    }

    /// Writes a line of the pane's own.
    #[cfg(feature = "pane")]
    pub(crate) fn tell_of_pane(&self, level: Level, message: &str, (key, value): (&str, &str)) {
        if self.would_log(PANE_TARGET, level) {
            let mut line = self.begin(level, PANE_TARGET, None).message(format_args!("{message}"));
            line.field(&format!(",\"{key}\":"), |out| json::text(out, value));
            self.append(line);
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.buffer.counts()
    }

    pub(crate) fn losses(&self) -> LogLosses {
        self.buffer.losses()
    }
}
