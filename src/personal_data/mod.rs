//! What is personal in Feishu's responses, and how it is replaced.
//!
//! Owns the identity key and its file, the tokens, the cutting of addresses, and the rewriting of response
//! bodies. The columns say which fields are personal (`schema::Personal`). Promises: equal values of a class have equal
//! tokens and different values different ones, rewriting twice is rewriting once, and everything else in a body stays
//! byte for byte. Leaves out when and what is rewritten.

mod address;
mod error_texts;
mod fields;
mod key;
mod key_file;
mod mode;
mod people;
mod person;
mod pseudonyms;
#[cfg(test)]
pub(crate) mod reference;
mod request;
mod rewrite;
mod scanner;
mod token;

#[cfg(test)]
mod rewrite_tests;

pub(crate) use address::Networks;
pub(crate) use key::Key;
pub(crate) use key_file::{KeyFileError, create_key, read_key};
pub(crate) use mode::{Identity, Topics};
pub(crate) use people::People;
pub(crate) use person::{Person, Whom};
pub(crate) use pseudonyms::{Learned, Pseudonyms};
