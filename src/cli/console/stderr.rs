//! The only writer to stderr. It redacts secrets, keeps lines and progress bars from overwriting one another, and in
//! JSON format writes nothing but objects.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::MultiProgress;
use serde_json::{Map, Value};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

use crate::config::LogFormat;
use crate::error::{Failure, Redactor};
use crate::text::{Language, in_json, on_lines};

/// Clones write to the same place.
#[derive(Clone)]
pub(crate) struct Console {
    pub(crate) format: LogFormat,
    /// Of plain lines; JSON lines are English.
    pub(crate) language: Language,
    inner: Arc<Inner>,
}

struct Inner {
    quiet: bool,
    redactor: Redactor,
    bars: Mutex<Option<MultiProgress>>,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Console {
    /// `quiet` suppresses everything but failures and log lines.
    pub(crate) fn new(out: Box<dyn Write + Send>, format: LogFormat, quiet: bool, redactor: Redactor) -> Console {
        let language = Language::English;
        Console {
            format,
            language,
            inner: Arc::new(Inner { quiet, redactor, bars: Mutex::new(None), out: Mutex::new(out) }),
        }
    }

    pub(crate) fn in_language(self, language: Language) -> Console {
        Console { language, ..self }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.inner.quiet
    }

    /// Secrets that are read or fetched later must be added to it.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.inner.redactor
    }

    pub(crate) fn info(&self, text: &str) {
        self.info_with(text, Map::new());
    }

    /// Writes a message, in JSON format with these fields.
    pub(crate) fn info_with(&self, text: &str, fields: Map<String, Value>) {
        if !self.inner.quiet {
            self.line("INFO", "", text, fields);
        }
    }

    pub(crate) fn warn(&self, text: &str) {
        if !self.inner.quiet {
            self.line("WARN", "warning: ", text, Map::new());
        }
    }

    /// Writes a line of another process of this program, with the name of its tenant. That process has translated it.
    pub(crate) fn line_of(&self, tenant: &str, line: &str) {
        let line = self.inner.redactor.redact(line);
        match self.format {
            LogFormat::Plain => self.write(&on_lines(&format!("{tenant}: {line}\n"))),
            LogFormat::Json => {
                let fields = serde_json::from_str(&line).unwrap_or_else(|_| {
                    Map::from_iter([("level".to_owned(), "INFO".into()), ("message".to_owned(), line.into())])
                });
                let mut object = Map::from_iter([("tenant".to_owned(), Value::from(tenant))]);
                object.extend(fields);
                self.object(object);
            }
        }
    }

    /// Writes a question, and leaves the cursor behind it.
    pub(crate) fn question(&self, text: &str) {
        let text = self.inner.redactor.redact(text);
        let (words, blanks) = text.split_at(text.trim_end().len());
        self.write(&on_lines(&format!("{}{blanks}", self.language.say(words))));
    }

    /// Writes a failure, also if quiet.
    pub(crate) fn failure(&self, failure: &Failure) {
        match self.format {
            LogFormat::Plain => self.write(&failure.text_in(self.language, &self.inner.redactor)),
            LogFormat::Json => match failure.json(&self.inner.redactor) {
                Value::Object(fields) => self.object(fields),
                other => self.write(&format!("{other}\n")),
            },
        }
    }

    /// Writes log messages of `level` and above here; those of other crates only from warnings on, because their
    /// details include network traffic.
    pub(crate) fn capture_logs(&self, level: LevelFilter) {
        let targets = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("vcq_etl", level);
        let layer = tracing_subscriber::fmt::layer().with_writer(self.clone()).with_ansi(false).with_target(false);
        let layer = match self.format {
            LogFormat::Plain => layer.boxed(),
            LogFormat::Json => layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
        };
        // Has no effect if a logger is installed already, as in tests.
        let _ = tracing_subscriber::registry().with(layer.with_filter(targets)).try_init();
    }

    /// Sets the bars that must be suspended while a line is written.
    pub(super) fn set_bars(&self, bars: Option<MultiProgress>) {
        *self.inner.bars.lock().unwrap_or_else(PoisonError::into_inner) = bars;
    }

    fn line(&self, level: &str, prefix: &str, text: &str, fields: Map<String, Value>) {
        match self.format {
            LogFormat::Plain => {
                let text = self.inner.redactor.redact(text);
                self.write(&format!("{}{}\n", self.language.say(prefix), on_lines(&self.language.say(&text))));
            }
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
            // An error has nowhere to go if stderr is closed.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        };
        let bars = self.inner.bars.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

/// Receives one log line.
pub(crate) struct LogLine(Console);

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = self.0.inner.redactor.redact(&String::from_utf8_lossy(bytes));
        self.0.write(&match self.0.format {
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
        LogLine(self.clone())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::ExitCode;

    /// Records what is written.
    #[derive(Clone, Default)]
    pub(in crate::cli::console) struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Buffer {
        pub(in crate::cli::console) fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("buffer").clone()).expect("text")
        }
    }

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("buffer").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn console(format: LogFormat, quiet: bool) -> (Console, Buffer) {
        let buffer = Buffer::default();
        let redactor = Redactor::default();
        redactor.add_secret("s3cret");
        (Console::new(Box::new(buffer.clone()), format, quiet, redactor), buffer)
    }

    #[test]
    fn secrets_are_redacted() {
        for format in [LogFormat::Plain, LogFormat::Json] {
            let (console, buffer) = console(format, false);
            console.info("a s3cret");
            console.warn("a s3cret");
            console.failure(&Failure::new(ExitCode::Usage, "a s3cret").hint("a s3cret"));
            console.make_writer().write_all(b"a s3cret\n").expect("written");
            assert!(!buffer.text().contains("s3cret"), "{}", buffer.text());
            assert_eq!(buffer.text().matches("[hidden]").count(), 5);
        }
    }

    #[test]
    fn control_characters_are_removed() {
        let hostile = "a\u{1b}[31m\u{9b}2J\u{7f}\u{202e}\u{7}\r\tb";
        for format in [LogFormat::Plain, LogFormat::Json] {
            let (console, buffer) = console(format, false);
            console.info(hostile);
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
            let text = buffer.text();
            assert!(!text.chars().any(|c| crate::text::is_terminal_control(c) && c != '\n'), "{}", text.escape_debug());
        }
    }

    #[test]
    fn quiet_suppresses_all_but_failures() {
        let (console, buffer) = console(LogFormat::Plain, true);
        console.info("text");
        console.warn("text");
        assert_eq!(buffer.text(), "");
        console.failure(&Failure::new(ExitCode::Usage, "bad"));
        assert_eq!(buffer.text(), "error: bad\n");
    }

    #[test]
    fn json_is_one_object_a_line_with_the_same_fields() {
        let (console, buffer) = console(LogFormat::Json, false);
        console.info("said\ntwice");
        console.warn("warned");
        console.failure(&Failure::new(ExitCode::Usage, "bad"));
        let subscriber = tracing_subscriber::registry()
            .with(tracing_subscriber::fmt::layer().with_writer(console.clone()).json().flatten_event(true));
        tracing::subscriber::with_default(subscriber, || tracing::warn!(code = 5, "logged"));
        let text = buffer.text();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
        assert_eq!(lines.len(), 4);
        for line in &lines {
            assert!(["timestamp", "level", "message"].iter().all(|key| line[key].is_string()), "{line}");
        }
        assert_eq!(lines[3]["code"], 5);
    }
}
