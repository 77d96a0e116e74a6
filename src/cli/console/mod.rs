//! Progress: a view on the events of a run.
//!
//! Owns the model that events are folded into, its forms (bars on a terminal, plain lines elsewhere, JSON lines for log
//! shippers, nothing), the closing summary in words, and [`Console`], the one door to stderr. Promises: an event costs its
//! sender a push into a queue, never a write; output reads without colour and in a narrow terminal. Leaves out: what a
//! run does; it does not know whether anyone watches.

mod bars;
mod console;
mod lines;
mod model;
mod price;
mod summary;
mod words;

use std::io::IsTerminal;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::ProgressDrawTarget;

use crate::config::LogFormat;
use crate::event::{Event, Listener};

pub(crate) use console::Console;
pub(crate) use model::Model;
#[cfg(test)]
pub(crate) use price::tests::price as sample_price;
pub(crate) use price::{about, price_text, time_text};
pub(crate) use summary::{Ending, folded, text as summary_text};
pub(crate) use words::{counted, length, thousands};

use bars::Bars;

/// How often bars are drawn.
const DRAW_EVERY: Duration = Duration::from_millis(200);

/// How often a line is written where there are no bars.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The form of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Bars, on a terminal of that width.
    Bars {
        width: u16,
    },
    /// A line at milestones and every ten seconds.
    Lines,
    Silent,
}

impl Form {
    /// What suits this door and this terminal. `terminal` is the `TERM` of the environment.
    pub(crate) fn suitable(console: &Console, terminal: Option<&str>) -> Form {
        if console.is_quiet() {
            return Form::Silent;
        }
        let can_move = terminal.is_some_and(|name| name != "dumb") || cfg!(windows);
        if console.format() == LogFormat::Plain && can_move && std::io::stderr().is_terminal() {
            return Form::Bars { width: comfy_table::Table::new().use_stderr().width().unwrap_or(80) };
        }
        Form::Lines
    }
}

/// Shows the progress of one run, from a thread of its own.
pub(crate) struct Progress {
    began: Instant,
    sender: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Event(Event, Duration),
    Finish,
}

impl Progress {
    /// Begins. `calls_per_minute` is the quota of each endpoint, for the estimate.
    pub(crate) fn start(console: &Console, form: Form, calls_per_minute: u32) -> Progress {
        let (sender, receiver) = mpsc::channel();
        let began = Instant::now();
        let viewer = Viewer { console: console.clone(), form, model: Model::new(calls_per_minute), began };
        let thread = (form != Form::Silent)
            .then(|| {
                std::thread::Builder::new().name("progress".to_owned()).spawn(move || viewer.watch(&receiver)).ok()
            })
            .flatten();
        Progress { began, sender, thread: Mutex::new(thread) }
    }

    /// Takes the bars away; what is said afterwards stands alone. Later events are ignored.
    pub(crate) fn finish(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Both fail only where the thread is gone already, and then there is nothing to take away.
            let _ = self.sender.send(Message::Finish);
            let _ = thread.join();
        }
    }
}

impl Listener for Progress {
    fn on_event(&self, event: &Event) {
        // Fails where nobody watches (silent, finished): then nothing is missed.
        let _ = self.sender.send(Message::Event(event.clone(), self.began.elapsed()));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// The thread's side: receives events and shows them.
struct Viewer {
    console: Console,
    form: Form,
    model: Model,
    began: Instant,
}

impl Viewer {
    fn watch(mut self, events: &Receiver<Message>) {
        let bars = match self.form {
            Form::Bars { width } => Some(Bars::new(ProgressDrawTarget::stderr(), width)),
            Form::Lines | Form::Silent => None,
        };
        self.console.set_bars(bars.as_ref().map(Bars::multi));
        let every = if bars.is_some() { DRAW_EVERY } else { LINE_EVERY };
        let mut next = every;
        loop {
            match events.recv_timeout(next.saturating_sub(self.began.elapsed())) {
                Ok(Message::Event(event, at)) => self.take(&event, at, bars.is_some()),
                Ok(Message::Finish) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = self.began.elapsed();
            if now >= next {
                next = now + every;
                match &bars {
                    Some(bars) => bars.show(&self.model, now),
                    None => {
                        let fields = lines::fields("progress", &self.model, now);
                        self.console.say_with(&lines::plain(&self.model, now), fields);
                    }
                }
            }
        }
        self.console.set_bars(None);
        if let Some(bars) = bars {
            bars.clear();
        }
    }

    /// Folds an event into the model and says a line where it deserves one; bars say most things themselves.
    fn take(&mut self, event: &Event, at: Duration, has_bars: bool) {
        let milestone = lines::milestone(&self.model, event, at);
        self.model.apply(event, at);
        let Some((name, text)) = milestone else { return };
        if matches!(event, Event::Warning { .. }) {
            self.console.warn(&text);
        } else if !has_bars || matches!(event, Event::Stopping { .. } | Event::WaitClamped { .. }) {
            self.console.say_with(&text, lines::fields(name, &self.model, at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::console::tests::Page;
    use super::*;
    use crate::error::Redactor;

    fn run(format: LogFormat, form: Form) -> String {
        let page = Page::default();
        let console = Console::new(Box::new(page.clone()), format, false, Redactor::default());
        let progress = Progress::start(&console, form, 100);
        progress.on_event(&Event::MeetingsListed { meetings: 3, to_list: 2, quality_calls_estimate: 9 });
        progress.on_event(&Event::CallSent { endpoint: "meeting_list" });
        progress.on_event(&Event::Published { generation: 1, dates: 2 });
        progress.finish();
        progress.on_event(&Event::Stopping { why: "too late".to_owned() });
        page.text()
    }

    #[test]
    fn milestones_are_lines_and_nothing_follows_the_end() {
        assert_eq!(
            run(LogFormat::Plain, Form::Lines),
            "3 meetings, 2 to list, about 9 quality calls to make\npublished 2 dates, generation 1\n"
        );
        assert_eq!(run(LogFormat::Plain, Form::Silent), "");
    }

    #[test]
    fn json_lines_carry_the_numbers() {
        let text = run(LogFormat::Json, Form::Lines);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["event"], "published");
        assert_eq!((&lines[1]["meetings"], &lines[1]["calls"]["meeting_list"]), (&3.into(), &1.into()));
    }
}
