//! The log of one telemetry.

use std::io::{self, Write};
use std::time::Duration;

use tracing::Level;
use tracing_subscriber::filter::Targets;

use super::buffer::{Buffer, ExpectedLine};
use super::format::LogFormat;
use super::level::level_index;
use super::line::{ACCESS_TARGET, App, Line};
use super::losses::{Counts, FlushError, LogLosses, OverflowPolicy};
use super::number;
use super::pretty::PrettyWriter;
use super::writer;
use crate::request::context::RequestContext;

/// What a log is made of.
pub(crate) struct LogOptions {
    pub(crate) app: String,
    pub(crate) filter: Targets,
    pub(crate) format: LogFormat,
    pub(crate) writer: Box<dyn Write + Send>,
    /// The most bytes of lines waiting in memory.
    pub(crate) buffer_bytes: usize,
    pub(crate) overflow: OverflowPolicy,
}

/// Filter, encoding and buffer of one telemetry's lines.
pub(crate) struct Log {
    app: App,
    buffer: Buffer,
    filter: Targets,
    /// Whether access lines are written, by [`level_index`].
    access: [bool; 3],
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
        Ok(Self { app, buffer, access: [Level::ERROR, Level::WARN, Level::INFO].map(enabled), filter: options.filter })
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn filter(&self) -> &Targets {
        &self.filter
    }

    pub(crate) fn would_log(&self, target: &str, level: Level) -> bool {
        self.filter.would_enable(target, &level)
    }

    /// Whether access lines of this level (`ERROR`, `WARN` or `INFO`) are written.
    pub(crate) fn would_log_access(&self, level: Level) -> bool {
        self.access[level_index(level)]
    }

    /// Opens a line up to and without its message.
    pub(crate) fn begin(&self, level: Level, target: &str, context: Option<&RequestContext>) -> Line {
        Line::begin(&self.app, level, target, context)
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

    /// Waits until every line so far is written or counted as lost.
    pub(crate) fn flush(&self, deadline: Duration) -> Result<(), FlushError> {
        self.buffer.flush(deadline)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.buffer.counts()
    }

    pub(crate) fn losses(&self) -> LogLosses {
        self.buffer.losses()
    }
}
