//! Whose data is replaced.

use std::borrow::Cow;

/// The person of an item: each value as it was sent. A name may be that of several people, separated by commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Person<'a> {
    pub ids: Vec<Cow<'a, str>>,
    pub emails: Vec<Cow<'a, str>>,
    pub names: Vec<Cow<'a, str>>,
}

/// Whose data is replaced.
#[derive(Clone, Copy)]
pub(crate) enum Whom<'a> {
    Everybody,
    /// The people for whom it is true: only their items of a list change, each as a whole.
    Those(&'a dyn Fn(&Person<'_>) -> bool),
}
