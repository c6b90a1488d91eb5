//! The log of one telemetry.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::time::Duration;

use tracing::Level;
use tracing_subscriber::filter::Targets;

use super::buffer::{Buffer, ExpectedLine};
use super::format::LogFormat;
#[cfg(feature = "otlp")]
use super::json;
use super::level::level_index;
use super::line::{ACCESS_TARGET, App, Line, LineIds};
use super::losses::{Counts, FlushError, LogLosses, OverflowPolicy};
use super::number;
use super::pretty::PrettyWriter;
use super::sampling::AccessSampling;
use super::writer;
use crate::request::ids_from::IdsSource;

#[cfg(feature = "otlp")]
const TRACES_TARGET: &str = "redpane::traces";

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
    pub(crate) sampling: Option<AccessSampling>,
}

/// Flushes what writes its last lines then, within a bound. Whether it did.
pub(crate) type BeforeEnd = Box<dyn Fn(&Log, Duration) -> bool + Send + Sync>;

/// Filter, encoding and buffer of one telemetry's lines.
pub(crate) struct Log {
    app: App,
    buffer: Buffer,
    filter: Targets,
    /// Where an SDK of the application says the ids.
    ids_from: Option<IdsSource>,
    /// Whether access lines are written, by [`level_index`].
    access: [bool; 3],
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
            let line = Line::begin(&reporting_app, Level::WARN, "redpane::logs", None);
            let mut line = line.message(format_args!("log lines were lost"));
            line.field(",\"lines\":", |value| number::integer(value, lost));
            out.extend_from_slice(&line.finish());
        };
        let writer: Box<dyn Write + Send> = match options.format {
            LogFormat::Json => options.writer,
            LogFormat::Pretty => Box::new(PrettyWriter::new(options.writer)),
        };
        let enabled = |level| options.filter.would_enable(ACCESS_TARGET, &level);
        let buffer = Buffer::new(options.buffer_bytes, options.overflow);
        writer::spawn(&buffer, writer, Box::new(report_losses))?;
        Ok(Self {
            app,
            buffer,
            access: [Level::ERROR, Level::WARN, Level::INFO].map(enabled),
            sampling: options.sampling,
            filter: options.filter,
            ids_from: options.ids_from,
            before: OnceLock::new(),
        })
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn filter(&self) -> &Targets {
        &self.filter
    }

    pub(crate) fn ids_from(&self) -> Option<&IdsSource> {
        self.ids_from.as_ref()
    }

    pub(crate) fn would_log(&self, target: &str, level: Level) -> bool {
        self.filter.would_enable(target, &level)
    }

    /// Whether access lines of this level (`ERROR`, `WARN` or `INFO`) are written.
    pub(crate) fn would_log_access(&self, level: Level) -> bool {
        self.access[level_index(level)]
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

    pub(crate) fn counts(&self) -> Counts {
        self.buffer.counts()
    }

    pub(crate) fn losses(&self) -> LogLosses {
        self.buffer.losses()
    }
}
