//! Progress on a terminal: a bar for each of the three stages and a status line, without colours.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines;
use super::model::Model;
use crate::text::Language;

/// Narrower terminals show text only.
const MIN_BAR_WIDTH: u16 = 60;

/// Templates, each with the number of columns that are not available for the message.
const WITH_BAR: (&str, u16) = ("{prefix:<12} [{bar:16}] {wide_msg}", 32);
const WITHOUT_BAR: (&str, u16) = ("{prefix:<12} {wide_msg}", 13);
const STATUS: (&str, u16) = ("{spinner} {wide_msg}", 2);

pub(super) struct Bars {
    /// For suspending the bars while a line is written.
    pub(super) multi: MultiProgress,
    /// Meetings, participants, quality.
    stages: [ProgressBar; 3],
    status: ProgressBar,
    /// A line for a wait on a narrow terminal, shown only during a wait.
    wait: Option<ProgressBar>,
    stage_width: usize,
    status_width: usize,
    language: Language,
}

impl Bars {
    /// Without stages there is only the status line.
    pub(super) fn new(target: ProgressDrawTarget, width: u16, language: Language, has_stages: bool) -> Bars {
        let multi = MultiProgress::with_draw_target(target);
        let style = |template: &str| {
            ProgressStyle::with_template(template)
                .expect("a test draws every template")
                .progress_chars("=> ")
                .tick_chars("|/-\\ ")
        };
        let is_narrow = width < MIN_BAR_WIDTH;
        let (stage, reserved) = if is_narrow { WITHOUT_BAR } else { WITH_BAR };
        let bar = |name: &'static str| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
            let bar = bar.with_style(style(stage)).with_prefix(language.say(name));
            if has_stages { multi.add(bar) } else { bar }
        };
        let stages = ["meetings", "participants", "quality"].map(bar);
        // Hidden until it is added to the others: by default it would draw to stderr on its own.
        let spinner = || ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_style(style(STATUS.0));
        let status = multi.add(spinner());
        let wait = is_narrow.then(spinner);
        let stage_width = usize::from(width.saturating_sub(reserved));
        let status_width = usize::from(width.saturating_sub(STATUS.1));
        Bars { stages, status, wait, stage_width, status_width, multi, language }
    }

    /// Shows the model at `now`.
    pub(super) fn show(&self, model: &Model, now: Duration) {
        let states = [
            // The number of meetings is unknown until the list is complete: the bar is empty, then full.
            (u64::from(model.meetings_complete), 1, vec![lines::meetings(model)]),
            (model.listed, model.to_list, lines::participants(model)),
            (model.done, model.to_fetch, lines::quality(model)),
        ];
        for (bar, (done, of, forms)) in self.stages.iter().zip(states) {
            bar.set_length(of.max(done).max(1));
            bar.set_position(done);
            bar.set_message(lines::fit_in(self.language, forms, self.stage_width));
        }
        let wait = lines::wait(model, now);
        let inline = if self.wait.is_some() { Vec::new() } else { wait.clone() };
        let status = lines::status(model, now, &inline);
        self.status.set_message(lines::fit_in(self.language, status, self.status_width));
        self.status.tick();
        if let Some(line) = &self.wait {
            if wait.is_empty() {
                self.multi.remove(line);
            } else {
                if line.is_hidden() {
                    self.multi.add(line.clone());
                }
                line.set_message(lines::fit_in(self.language, wait, self.status_width));
                line.tick();
            }
        }
    }

    pub(super) fn clear(&self) {
        self.stages.iter().chain([&self.status]).chain(&self.wait).for_each(ProgressBar::finish_and_clear);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;
    use crate::event::Event;

    /// A terminal that records every line.
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
            // A full line is not followed by a line end, so every write counts as a line.
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

    fn model() -> Model {
        let mut model = Model::new(100);
        let listed = Event::MeetingsListed { meetings: 312, to_list: 4, quality_calls_estimate: 2_000 };
        model.apply(&listed, Duration::ZERO);
        model.apply(&Event::MeetingListed { participants: 9, to_fetch: 8, quality_calls: 8 }, Duration::ZERO);
        model
    }

    /// The content of the terminal at each of these times.
    fn draw(width: u16, model: &Model, seconds: &[u64]) -> Vec<String> {
        let terminal = Terminal { width, text: Arc::default() };
        let bars = Bars::new(
            ProgressDrawTarget::term_like(Box::new(terminal.clone())),
            width,
            Language::English,
            !model.is_upload,
        );
        let show = |second: &u64| {
            bars.show(model, Duration::from_secs(*second));
            terminal.text.lock().expect("terminal").clear();
            bars.status.force_draw();
            terminal.text.lock().expect("terminal").clone()
        };
        let texts = seconds.iter().map(show).collect();
        bars.clear();
        texts
    }

    #[test]
    fn bars_and_text_fit_the_terminal() {
        for width in [40, 80, 200] {
            let text = draw(width, &model(), &[1]).concat();
            assert!(text.contains("quality") && text.contains("0 of 8"), "{text}");
            for line in text.lines() {
                assert!(line.trim_end().chars().count() <= usize::from(width), "{width}: {line:?}");
            }
            assert_eq!(text.contains('['), width >= MIN_BAR_WIDTH, "{text}");
            assert!(!text.contains('\u{1b}'), "{text:?}");
        }
    }

    #[test]
    fn an_upload_has_a_line_without_stages() {
        let mut model = Model::of_upload();
        let upload = |files, bytes| Event::Uploading { files, of_files: 1_200, bytes, of_bytes: 3 << 30 };
        assert!(draw(80, &model, &[1])[0].contains("comparing with the copy"));
        model.apply(&upload(12, 1 << 30), Duration::ZERO);
        for (width, line) in [
            (120, "uploading 33 %: 12 of 1,200 files, 1.0 GiB of 3.0 GiB"),
            (40, "uploading 33 %: 12 of 1,200 files"),
            (24, "uploading 33 %"),
        ] {
            let text = draw(width, &model, &[1]).concat();
            assert!(text.contains(line) && !text.contains("meetings"), "{width}: {text}");
            assert!(text.lines().all(|line| line.trim_end().chars().count() <= usize::from(width)), "{text}");
        }
        model.apply(&upload(1_200, 3 << 30), Duration::ZERO);
        assert!(draw(80, &model, &[1])[0].contains("completing the copy"));
    }

    #[test]
    fn a_narrow_terminal_has_the_wait_on_a_line_of_its_own_while_it_lasts() {
        let mut model = model();
        for second in 0..20 {
            model.apply(&Event::CallSent { endpoint: "participant_quality_list" }, Duration::from_secs(second));
        }
        let wait = Duration::from_secs(41);
        model.apply(&Event::Waiting { endpoint: "participant_quality_list", wait }, Duration::from_secs(20));
        let texts = draw(40, &model, &[20, 20, 21, 61]);
        assert!(texts[1].contains(" waiting 41 s for the rate limit"), "{texts:#?}");
        assert!(texts[1].contains(" 20 calls, 57 per minute; 15 min left"), "{texts:#?}");
        let counts: Vec<usize> = texts.iter().map(|text| text.matches("waiting").count()).collect();
        assert_eq!(counts, [1, 1, 1, 0], "{texts:#?}");
    }
}
