//! The progress of one run, shown by a thread of its own.

use std::io::IsTerminal;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::ProgressDrawTarget;

use super::bars::Bars;
use super::lines;
use super::model::Model;
use super::stderr::Console;
use crate::config::LogFormat;
use crate::event::{Event, Listener};
use crate::text::terminal_width;

/// Interval at which bars are drawn.
const DRAW_INTERVAL: Duration = Duration::from_millis(200);

/// Interval of progress lines if there are no bars.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// Bars on a terminal of this width.
    Bars { width: u16 },
    /// A line at every milestone and at a fixed interval.
    Lines,
    /// Nothing.
    Silent,
}

impl View {
    /// `terminal` is the environment variable `TERM`.
    fn choose(console: &Console, terminal: Option<&str>) -> View {
        let stderr = std::io::stderr();
        let can_move_cursor = terminal.is_some_and(|name| name != "dumb") && stderr.is_terminal();
        match console.format {
            _ if console.is_quiet() => View::Silent,
            LogFormat::Plain if can_move_cursor => View::Bars { width: terminal_width(stderr) },
            _ => View::Lines,
        }
    }
}

/// Shows events until it is finished or dropped.
pub(crate) struct Progress {
    started: Instant,
    sender: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Event(Event, Duration),
    Finish,
}

impl Progress {
    /// `terminal` is the environment variable `TERM`; `calls_per_minute` is the rate limit of each endpoint.
    pub(crate) fn start(console: &Console, terminal: Option<&str>, calls_per_minute: u32) -> Progress {
        Progress::with_view(console, View::choose(console, terminal), Model::new(calls_per_minute))
    }

    /// For a command that only copies.
    pub(crate) fn start_upload(console: &Console, terminal: Option<&str>) -> Progress {
        Progress::with_view(console, View::choose(console, terminal), Model::of_upload())
    }

    fn with_view(console: &Console, view: View, model: Model) -> Progress {
        let (sender, receiver) = mpsc::channel();
        let started = Instant::now();
        let last_line = String::new();
        let viewer = Viewer { console: console.clone(), view, model, started, last_line };
        let spawn =
            || std::thread::Builder::new().name("progress".to_owned()).spawn(move || viewer.run(&receiver)).ok();
        let thread = if view == View::Silent { None } else { spawn() };
        Progress { started, sender, thread: Mutex::new(thread) }
    }

    /// Removes the bars. Later events are ignored.
    pub(crate) fn finish(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Both fail only if the thread has ended, and then there are no bars.
            let _ = self.sender.send(Message::Finish);
            let _ = thread.join();
        }
    }
}

impl Listener for Progress {
    fn on_event(&self, event: &Event) {
        // Fails only without a thread (silent or finished).
        let _ = self.sender.send(Message::Event(event.clone(), self.started.elapsed()));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// The side of the thread.
struct Viewer {
    console: Console,
    view: View,
    model: Model,
    started: Instant,
    last_line: String,
}

impl Viewer {
    fn run(mut self, events: &Receiver<Message>) {
        let bars = match self.view {
            View::Bars { width } => {
                Some(Bars::new(ProgressDrawTarget::stderr(), width, self.console.language, !self.model.is_upload))
            }
            View::Lines | View::Silent => None,
        };
        self.console.set_bars(bars.as_ref().map(|bars| bars.multi.clone()));
        let interval = if bars.is_some() { DRAW_INTERVAL } else { LINE_INTERVAL };
        let mut next = interval;
        loop {
            match events.recv_timeout(next.saturating_sub(self.started.elapsed())) {
                Ok(Message::Event(event, at)) => self.apply(&event, at, bars.is_some()),
                Ok(Message::Finish) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = self.started.elapsed();
            if now >= next {
                next = now + interval;
                match &bars {
                    Some(bars) => bars.show(&self.model, now),
                    None => self.line(now),
                }
            }
        }
        self.console.set_bars(None);
        if let Some(bars) = bars {
            bars.clear();
        }
    }

    /// Writes the line of an interval. A text line without news is not repeated; a JSON line has the time.
    fn line(&mut self, now: Duration) {
        let line = lines::plain(&self.model, now);
        if self.console.format != LogFormat::Plain || line != self.last_line {
            self.console.info_with(&line, lines::fields("progress", &self.model, now));
            self.last_line = line;
        }
    }

    /// Folds an event into the model and writes a line for a milestone. Bars show most milestones themselves.
    fn apply(&mut self, event: &Event, at: Duration, has_bars: bool) {
        let milestone = lines::milestone(&self.model, event, at);
        self.model.apply(event, at);
        let Some((name, text)) = milestone else { return };
        if matches!(event, Event::Warning { .. }) {
            self.console.warn(&text);
        } else if !has_bars || matches!(event, Event::Stopping { .. } | Event::WaitClamped { .. }) {
            self.console.info_with(&text, lines::fields(name, &self.model, at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stderr::tests::Buffer;
    use super::*;
    use crate::error::Redactor;

    fn run(format: LogFormat, view: View) -> String {
        let buffer = Buffer::default();
        let console = Console::new(Box::new(buffer.clone()), format, false, Redactor::default());
        let progress = Progress::with_view(&console, view, Model::new(100));
        progress.on_event(&Event::MeetingsListed { meetings: 3, to_list: 2, quality_calls_estimate: 9 });
        progress.on_event(&Event::CallSent { endpoint: "meeting_list" });
        progress.on_event(&Event::Published { generation: 1, dates: 2 });
        progress.finish();
        progress.on_event(&Event::Stopping { why: "too late".to_owned() });
        buffer.text()
    }

    #[test]
    fn milestones_are_lines_and_later_events_are_ignored() {
        assert_eq!(
            run(LogFormat::Plain, View::Lines),
            "3 meetings, 2 to fetch, about 9 quality calls\npublished 2 dates, generation 1\n"
        );
        assert_eq!(run(LogFormat::Plain, View::Silent), "");
    }

    #[test]
    fn a_line_without_news_is_written_once() {
        let lines = |format| {
            let buffer = Buffer::default();
            let console = Console::new(Box::new(buffer.clone()), format, false, Redactor::default());
            let (model, started) = (Model::new(100), Instant::now());
            let mut viewer = Viewer { console, view: View::Lines, model, started, last_line: String::new() };
            viewer.model.apply(&Event::Publishing { dates: 14 }, Duration::ZERO);
            (1..4).for_each(|second| viewer.line(Duration::from_secs(second)));
            buffer.text().lines().count()
        };
        assert_eq!([LogFormat::Plain, LogFormat::Json].map(lines), [1, 3]);
    }

    #[test]
    fn an_upload_is_reported_at_its_start_and_its_end() {
        let buffer = Buffer::default();
        let console = Console::new(Box::new(buffer.clone()), LogFormat::Plain, false, Redactor::default());
        let progress = Progress::with_view(&console, View::Lines, Model::of_upload());
        for files in 0..=3 {
            progress.on_event(&Event::Uploading { files, of_files: 3, bytes: files << 20, of_bytes: 3 << 20 });
        }
        progress.finish();
        assert_eq!(buffer.text(), "uploading 3 files, 3.0 MiB\nuploaded 3 files, 3.0 MiB\n");
    }

    #[test]
    fn json_lines_carry_the_numbers() {
        let text = run(LogFormat::Json, View::Lines);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["event"], "published");
        assert_eq!((&lines[1]["meetings"], &lines[1]["calls"]["meeting_list"]), (&3.into(), &1.into()));
    }
}
