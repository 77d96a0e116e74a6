//! The one door to stderr: console, warnings, progress, log lines and failures leave through it, cleaned of secrets.
//!
//! Progress bars and lines would overwrite one another, and a JSON log must hold nothing but objects: so nothing else
//! writes to stderr.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::MultiProgress;
use serde_json::{Map, Value};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

use crate::config::{LogFormat, LogLevel};
use crate::error::{Failure, Redactor};
use crate::text::{in_json, on_lines};

/// The door. Clones are the same door.
#[derive(Clone)]
pub(crate) struct Console {
    format: LogFormat,
    inner: Arc<Inner>,
}

struct Inner {
    quiet: bool,
    redactor: Redactor,
    bars: Mutex<Option<MultiProgress>>,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Console {
    /// A door to `out`. `quiet` keeps back all but failures and log lines.
    pub(crate) fn new(out: Box<dyn Write + Send>, format: LogFormat, quiet: bool, redactor: Redactor) -> Console {
        Console { format, inner: Arc::new(Inner { quiet, redactor, bars: Mutex::new(None), out: Mutex::new(out) }) }
    }

    /// The door to stderr.
    pub(crate) fn stderr(format: LogFormat, quiet: bool, redactor: Redactor) -> Console {
        Console::new(Box::new(io::stderr()), format, quiet, redactor)
    }

    /// The same door for lines in another form: the settings are known only after the first lines may have been said.
    pub(crate) fn in_format(self, format: LogFormat) -> Console {
        Console { format, ..self }
    }

    pub(crate) fn format(&self) -> LogFormat {
        self.format
    }

    /// True where only failures are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.inner.quiet
    }

    /// What keeps secrets out; a token that is fetched later is to be hidden here too.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.inner.redactor
    }

    pub(crate) fn say(&self, text: &str) {
        self.say_with(text, Map::new());
    }

    /// Says one line, with fields beside it where the form has fields.
    pub(crate) fn say_with(&self, text: &str, fields: Map<String, Value>) {
        if !self.inner.quiet {
            self.line("INFO", "", text, fields);
        }
    }

    pub(crate) fn warn(&self, text: &str) {
        if !self.inner.quiet {
            self.line("WARN", "warning: ", text, Map::new());
        }
    }

    /// Tells why a command ended without its result; never kept back.
    pub(crate) fn failure(&self, failure: &Failure) {
        match self.format {
            LogFormat::Plain => self.write(&failure.text(&self.inner.redactor)),
            LogFormat::Json => match failure.json(&self.inner.redactor) {
                Value::Object(fields) => self.object(fields),
                other => self.write(&format!("{other}\n")),
            },
        }
    }

    /// Sends the log through this door: ours from `level` on, other crates' from warnings on, because their details
    /// are the wire's.
    pub(crate) fn take_logs(&self, level: LogLevel) {
        let ours = match level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        };
        let targets = Targets::new().with_default(ours.min(LevelFilter::WARN)).with_target("vcq_etl", ours);
        let layer = tracing_subscriber::fmt::layer().with_writer(self.clone()).with_ansi(false).with_target(false);
        let layer = match self.format {
            LogFormat::Plain => layer.boxed(),
            LogFormat::Json => layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
        };
        // A second call in one process (tests) leaves the first door in place.
        let _ = tracing_subscriber::registry().with(layer.with_filter(targets)).try_init();
    }

    /// Lines step around these bars from now on; `None` ends that.
    pub(super) fn set_bars(&self, bars: Option<MultiProgress>) {
        *self.inner.bars.lock().unwrap_or_else(PoisonError::into_inner) = bars;
    }

    fn line(&self, level: &str, heading: &str, text: &str, fields: Map<String, Value>) {
        match self.format {
            LogFormat::Plain => self.write(&format!("{heading}{}\n", on_lines(&self.inner.redactor.redact(text)))),
            LogFormat::Json => {
                let mut object = Map::new();
                object.insert("level".to_owned(), level.into());
                object.insert("message".to_owned(), self.inner.redactor.redact(text).into());
                object.extend(fields);
                self.object(object);
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "edge: a log line carries the time it is written")]
    fn object(&self, fields: Map<String, Value>) {
        let mut object = Map::new();
        object.insert("timestamp".to_owned(), format!("{:.6}", jiff::Timestamp::now()).into());
        object.extend(fields);
        self.write(&format!("{}\n", in_json(&Value::Object(object).to_string())));
    }

    fn write(&self, text: &str) {
        let write = || {
            let mut out = self.inner.out.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody is left to tell where stderr is closed.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        };
        let bars = self.inner.bars.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

/// A log line on its way out.
pub(crate) struct LogLine {
    console: Console,
}

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = self.console.inner.redactor.redact(&String::from_utf8_lossy(bytes));
        self.console.write(&match self.console.format {
            LogFormat::Plain => on_lines(&line),
            LogFormat::Json => in_json(&line),
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Console {
    type Writer = LogLine;

    fn make_writer(&self) -> LogLine {
        LogLine { console: self.clone() }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::ExitCode;

    /// A place to write to that can be read again.
    #[derive(Clone, Default)]
    pub(in crate::cli::console) struct Page(Arc<Mutex<Vec<u8>>>);

    impl Page {
        pub(in crate::cli::console) fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("page").clone()).expect("text")
        }
    }

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("page").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn console(format: LogFormat, quiet: bool) -> (Console, Page) {
        let page = Page::default();
        let redactor = Redactor::default();
        redactor.add_secret("s3cret");
        (Console::new(Box::new(page.clone()), format, quiet, redactor), page)
    }

    #[test]
    fn nothing_leaves_with_a_secret() {
        for format in [LogFormat::Plain, LogFormat::Json] {
            let (console, page) = console(format, false);
            console.say("a s3cret");
            console.warn("a s3cret");
            console.failure(&Failure::new(ExitCode::Usage, "a s3cret").hint("a s3cret"));
            console.make_writer().write_all(b"a s3cret\n").expect("written");
            assert!(!page.text().contains("s3cret"), "{}", page.text());
            assert_eq!(page.text().matches("[hidden]").count(), 5);
        }
    }

    #[test]
    fn nothing_that_leaves_moves_a_terminal() {
        let hostile = "a\u{1b}[31m\u{9b}2J\u{7f}\u{202e}\u{7}\r\tb";
        for format in [LogFormat::Plain, LogFormat::Json] {
            let (console, page) = console(format, false);
            console.say(hostile);
            console.warn(hostile);
            console.failure(&Failure::new(ExitCode::Usage, hostile).hint(hostile));
            let subscriber = tracing_subscriber::registry();
            let layer = tracing_subscriber::fmt::layer().with_writer(console.clone()).with_ansi(false);
            match format {
                LogFormat::Plain => {
                    tracing::subscriber::with_default(subscriber.with(layer), || tracing::warn!(hostile, "{hostile}"));
                }
                LogFormat::Json => tracing::subscriber::with_default(subscriber.with(layer.json()), || {
                    tracing::warn!(hostile, "{hostile}");
                }),
            }
            let text = page.text();
            assert!(!text.chars().any(|c| crate::text::is_terminal_control(c) && c != '\n'), "{}", text.escape_debug());
        }
    }

    #[test]
    fn quiet_keeps_back_all_but_failures() {
        let (console, page) = console(LogFormat::Plain, true);
        console.say("console");
        console.warn("console");
        assert_eq!(page.text(), "");
        console.failure(&Failure::new(ExitCode::Usage, "bad"));
        assert_eq!(page.text(), "error: bad\n");
    }

    #[test]
    fn json_is_one_object_a_line_with_the_same_fields() {
        let (console, page) = console(LogFormat::Json, false);
        console.say("said\ntwice");
        console.warn("warned");
        console.failure(&Failure::new(ExitCode::Usage, "bad"));
        let subscriber = tracing_subscriber::registry()
            .with(tracing_subscriber::fmt::layer().with_writer(console.clone()).json().flatten_event(true));
        tracing::subscriber::with_default(subscriber, || tracing::warn!(code = 5, "logged"));
        let text = page.text();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
        assert_eq!(lines.len(), 4);
        for line in &lines {
            assert!(["timestamp", "level", "message"].iter().all(|key| line[key].is_string()), "{line}");
        }
        assert_eq!(lines[3]["code"], 5);
    }
}
