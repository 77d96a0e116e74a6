//! The replacement of personal values, for a key and the settings.

use std::borrow::Cow;
use std::fmt;

use super::address::Networks;
use super::key::Key;
use super::mode::{Identity, Topics};
use super::token::{is_missing, is_other_token, is_token, other_token, token};
use crate::schema::Personal;

/// A longer ID counts as none, as in `schema::identity`.
const MAX_ID_BYTES: usize = 512;

/// Replaces personal values.
pub(crate) struct Pseudonyms {
    key: Key,
    identity: Identity,
    topics: Topics,
    networks: Networks,
}

/// A value that a request needs again, and its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Learned<'a> {
    /// The user ID of a participant.
    Participant {
        token: &'a str,
        id: &'a str,
    },
    PageToken {
        token: &'a str,
        page_token: &'a str,
    },
}

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pseudonyms { key, identity, topics, .. } = self;
        f.debug_struct("Pseudonyms").field("key", key).field("identity", identity).field("topics", topics).finish()
    }
}

impl Pseudonyms {
    /// With `Identity::Full` only topics are replaced, if they are dropped.
    pub(crate) fn new(key: Key, identity: Identity, topics: Topics, networks: Networks) -> Pseudonyms {
        Pseudonyms { key, identity, topics, networks }
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// The token of a text, in every mode. A text that is missing, or a token of its class, stays.
    pub(crate) fn token<'t>(&self, class: Personal, text: &'t str) -> Cow<'t, str> {
        if is_missing(class, text) || is_token(class, text) {
            return Cow::Borrowed(text);
        }
        match class {
            Personal::Address => self.cut_address(text),
            class => Cow::Owned(token(&self.key, class, text)),
        }
    }

    /// The tokens that a text has where a person's ID, name, e-mail address or phone number is shown.
    pub(crate) fn tokens_of(&self, text: &str) -> Vec<String> {
        let classes = [Personal::Id, Personal::Name, Personal::Email, Personal::Phone];
        classes.iter().map(|class| self.token(*class, text).into_owned()).collect()
    }

    /// The network of an address: /24 or /48, or the smaller one that the building file needs.
    pub(crate) fn cut_address<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if is_missing(Personal::Address, text) || is_token(Personal::Address, text) {
            return Cow::Borrowed(text);
        }
        match self.networks.cut(text) {
            Some(cut) if cut == text => Cow::Borrowed(text),
            Some(cut) => Cow::Owned(cut),
            None => Cow::Owned(token(&self.key, Personal::Address, text)),
        }
    }

    /// A value without a column.
    pub(super) fn other<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.trim().is_empty() || is_other_token(text) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(other_token(&self.key, text))
    }

    /// What is written of a personal value; `None` for null.
    pub(crate) fn replaced<'t>(&self, class: Personal, text: &'t str) -> Option<Cow<'t, str>> {
        match (class, self.identity) {
            (Personal::Topic, _) if self.topics == Topics::Drop => None,
            (Personal::Topic, _) | (_, Identity::Full) => Some(Cow::Borrowed(text)),
            (Personal::Id, _) if text.len() > MAX_ID_BYTES => None,
            (Personal::Name | Personal::Email | Personal::Phone | Personal::Device, Identity::None) => None,
            _ => Some(self.token(class, text)),
        }
    }

    /// Whether bodies change at all.
    pub(crate) fn is_active(&self) -> bool {
        self.identity != Identity::Full || self.topics == Topics::Drop
    }
}
