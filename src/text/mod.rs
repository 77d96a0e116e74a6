//! Text for people and for JSON readers: sanitised input from outside, layout for the terminal, readable numbers.
//!
//! Promises: pure functions, no panic on any input. Leaves out where the text goes.

mod csv;
mod error_chain;
mod hex;
mod language;
mod layout;
mod messages;
mod numbers;
mod readable;
mod sanitize;
mod shell;
mod snake_case;
mod template;
mod translations;

pub(crate) use csv::csv_line;
pub(crate) use error_chain::error_chain;
pub(crate) use hex::hex;
pub use language::Language;
pub(crate) use layout::{
    Align, TextPage, WIDTH, glued, padded, say_indented, terminal_width, unglued, units, width, wrap, wrap_in,
    wrap_indented_to,
};
pub(crate) use messages::described;
#[cfg(test)]
pub(crate) use messages::{entries as messages, put_together};
pub(crate) use numbers::{
    counted, date_range, duration_text, people_and_rooms, size_text, thousands, whole_duration_text,
};
pub(crate) use readable::readable;
pub use sanitize::is_terminal_control;
pub(crate) use sanitize::{in_json, on_lines, on_one_line};
pub(crate) use shell::shell_word;
pub(crate) use snake_case::snake_case;
pub(crate) use translations::translations;
