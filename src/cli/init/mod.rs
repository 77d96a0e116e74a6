//! `vcq-etl init`: from the answers of a person, or from flags, to a checked `vcq.toml` and a nightly run.
//!
//! Owns the questions and their checks, the new files, and the nightly run as a line for cron or as units of systemd.
//! Promises: a file that exists is never changed; nothing is written before every answer is checked; a secret is
//! neither an argument nor shown. Leaves out the text of `vcq.toml` (`config`) and the checks at the end (`doctor`).

mod answers;
mod command;
mod cron;
mod files;
mod systemd;
mod terminal;

pub(super) use command::ENTRY;
