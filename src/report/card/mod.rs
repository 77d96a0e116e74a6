//! Cards: what happened to one person or room, in one meeting or in one incident, on one screen, with a text for a
//! ticket; and the incidents of some dates.
//!
//! Owns finding what is meant, the queries, and the formats text, JSON and Markdown. Promises: people with the same
//! name are never merged, and the database is only read. Leaves out where the result is written (`cli`).

mod causes;
mod digest;
mod error;
mod facts;
mod find;
mod findings;
mod incident;
mod meeting;
mod model;
mod people;
mod render;
mod strip;
mod user;
mod words;

pub(crate) use digest::Digest;
pub(crate) use error::{CardError, Replaced};
pub(crate) use facts::{Dates, Source};
pub(crate) use find::{find_incident, find_meeting, find_user, replaced};
pub(crate) use incident::incident_card;
pub(crate) use meeting::meeting_card;
pub(crate) use model::{Card, Choice};
pub(crate) use render::{CardFormat, CardLayout, render};
pub(crate) use user::user_card;

#[cfg(test)]
mod incident_tests;
#[cfg(test)]
mod tests;
