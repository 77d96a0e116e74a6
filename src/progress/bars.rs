//! Progress on a terminal: a bar for each of the three stages and a line for what is going on. No colours: the words
//! carry everything.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines;
use super::model::Model;

/// Below this width there is no room for bars beside the words.
const BARS_FROM_WIDTH: u16 = 60;

const WITH_BAR: &str = "{prefix:<12} [{bar:16}] {wide_msg}";
const WITHOUT_BAR: &str = "{prefix:<12} {wide_msg}";
const LINE: &str = "{spinner} {wide_msg}";

/// The bars.
pub(super) struct Bars {
    multi: MultiProgress,
    meetings: ProgressBar,
    participants: ProgressBar,
    quality: ProgressBar,
    line: ProgressBar,
}

impl Bars {
    /// Draws on `target`, which is `width` columns wide.
    pub(super) fn new(target: ProgressDrawTarget, width: u16) -> Bars {
        let multi = MultiProgress::with_draw_target(target);
        let style = |template: &str| {
            ProgressStyle::with_template(template)
                .expect("the templates are constants that a test draws")
                .progress_chars("=> ")
                .tick_chars("|/-\\ ")
        };
        let template = if width < BARS_FROM_WIDTH { WITHOUT_BAR } else { WITH_BAR };
        let bar = |name: &'static str| multi.add(ProgressBar::new(0).with_style(style(template)).with_prefix(name));
        let (meetings, participants, quality) = (bar("meetings"), bar("participants"), bar("quality"));
        let line = multi.add(ProgressBar::new_spinner().with_style(style(LINE)));
        Bars { meetings, participants, quality, line, multi }
    }

    /// What lines must step around.
    pub(super) fn multi(&self) -> MultiProgress {
        self.multi.clone()
    }

    /// Shows the model as it is at `now`.
    pub(super) fn show(&self, model: &Model, now: Duration) {
        // How many meetings there are is not known before the list is complete: the bar is empty, then full.
        set(&self.meetings, u64::from(model.meetings_complete), 1, lines::meetings(model));
        set(&self.participants, model.listed, model.to_list, lines::participants(model));
        set(&self.quality, model.done, model.to_ask, lines::quality(model));
        self.line.set_message(lines::status(model, now));
        self.line.tick();
    }

    /// Takes the bars away.
    pub(super) fn clear(&self) {
        for bar in [&self.meetings, &self.participants, &self.quality, &self.line] {
            bar.finish_and_clear();
        }
    }
}

fn set(bar: &ProgressBar, done: u64, of: u64, message: String) {
    bar.set_length(of.max(done).max(1));
    bar.set_position(done);
    bar.set_message(message);
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;
    use crate::pipeline::Event;

    /// A terminal that keeps every line it was given.
    #[derive(Debug, Clone)]
    struct Terminal {
        width: u16,
        text: Arc<Mutex<String>>,
    }

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            self.width
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(line)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            // A full line is not followed by a line end: each write counts as a line of its own.
            self.text.lock().expect("terminal").push_str(&format!("{text}\n"));
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.write_str("\n")
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn draw(width: u16) -> String {
        let terminal = Terminal { width, text: Arc::default() };
        let bars = Bars::new(ProgressDrawTarget::term_like(Box::new(terminal.clone())), width);
        let mut model = Model::new(100);
        let listed = Event::MeetingsListed { meetings: 312, to_list: 4, quality_calls_estimate: 2_000 };
        model.apply(&listed, Duration::ZERO);
        model.apply(&Event::MeetingListed { participants: 9, to_ask: 8, quality_calls: 8 }, Duration::ZERO);
        bars.show(&model, Duration::from_secs(1));
        bars.line.force_draw();
        let text = terminal.text.lock().expect("terminal").clone();
        bars.clear();
        text
    }

    #[test]
    fn bars_and_words_fit_the_terminal() {
        for width in [40, 80, 200] {
            let text = draw(width);
            assert!(text.contains("quality") && text.contains("0 of 8"), "{text}");
            for line in text.lines() {
                assert!(line.trim_end().chars().count() <= usize::from(width), "{width}: {line:?}");
            }
            assert_eq!(text.contains('['), width >= BARS_FROM_WIDTH, "{text}");
            assert!(!text.contains('\u{1b}'), "{text:?}");
        }
    }
}
