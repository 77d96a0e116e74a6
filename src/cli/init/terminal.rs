//! Questions on a terminal, for a secret without echo.

use std::io::{self, ErrorKind, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};

use feishu_vc::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::cli::console::Console;
use crate::cli::runtime::exit_on_signals_after;
use crate::error::{ExitCode, Failure};

pub(super) struct Terminal {
    console: Console,
    /// The modes to restore while there is no echo.
    before: Arc<Mutex<Option<Termios>>>,
}

impl Terminal {
    /// `None` if nobody can see the questions or type the answers.
    pub(super) fn open(console: &Console) -> Option<Terminal> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        let before = Arc::default();
        let of_signals = Arc::clone(&before);
        exit_on_signals_after(move || restore(&of_signals));
        Some(Terminal { console: console.clone(), before })
    }

    /// The answer without surrounding white space.
    pub(super) fn ask(&self, question: &str) -> Result<String, Failure> {
        let language = self.console.language;
        self.console.question(&format!("{}{}", language.say(question), language.pick(": ", "：")));
        let mut line = String::new();
        match io::stdin().read_line(&mut line) {
            Ok(0) => Err(unanswered(question, &ErrorKind::UnexpectedEof.into())),
            Ok(_) => Ok(line.trim().to_owned()),
            Err(error) => Err(unanswered(question, &error)),
        }
    }

    pub(super) fn ask_secret(&self, question: &str) -> Result<Secret, Failure> {
        self.hide().map_err(|error| unanswered(question, &error))?;
        let answer = self.ask(question);
        restore(&self.before);
        answer.map(Secret::new)
    }

    pub(super) fn say(&self, text: &str) {
        self.console.question(&format!("{}\n", self.console.language.say(text)));
    }

    /// Says why an answer is refused.
    pub(super) fn refuse(&self, failure: &Failure) {
        self.console.failure(failure);
    }

    /// Turns the echo off, except for the end of the line, and drops what was typed before the question.
    fn hide(&self) -> io::Result<()> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden).map_err(io::Error::from)
    }
}

fn restore(before: &Mutex<Option<Termios>>) {
    if let Some(before) = before.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

fn unanswered(question: &str, error: &io::Error) -> Failure {
    Failure::new(ExitCode::Usage, format!("no answer to the question {question:?}"))
        .cause(error)
        .hint("nothing was written; vcq-etl init --help lists the flags that answer the questions")
}
