//! Secrets that change while a client runs: the app ticket of a store app, and the refresh token of a user.
//!
//! Both are read by the program that uses the client. Leaves out where they are kept.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::effects::{Boxed, Cause};
use crate::secret::Secret;

/// Where the app ticket of a store app comes from. Feishu pushes a new one to the app's event URL every hour.
pub trait AppTickets: Send + Sync {
    /// The newest ticket. Read before every request for an app access token.
    fn newest(&self) -> Boxed<'_, Result<Secret, TicketError>>;
}

/// Why there is no ticket. No text contains a secret.
#[derive(Debug)]
pub enum TicketError {
    /// There is none yet: Feishu is asked to push one.
    Missing(Cause),
    /// There may be one, but it must not be used or cannot be read.
    Unusable(Cause),
}

/// Where the refresh token of a user is kept. It can be used once: the response to its use has the next one.
pub trait RefreshTokens: Send + Sync {
    /// Waits until no other process uses the token, reads it, and prepares for storing the next one. Other processes
    /// wait until the result is dropped. An error means that nothing was sent.
    fn take(&self) -> Boxed<'_, Result<Box<dyn TakenToken>, Cause>>;
}

/// A refresh token while this process uses it. Dropped without [`keep`](TakenToken::keep) or
/// [`replace`](TakenToken::replace), what became of the token is unknown.
pub trait TakenToken: Send + Sync {
    /// The token.
    fn secret(&self) -> &Secret;

    /// Whether an earlier process took this token and did not learn what became of it.
    fn may_be_used(&self) -> bool;

    /// Feishu has not used the token.
    fn keep(self: Box<Self>);

    /// Stores the next token in place of this one, so that it survives a loss of power.
    fn replace(self: Box<Self>, next: Secret) -> Boxed<'static, Result<(), Cause>>;
}

/// A source of secrets. Its clones are the same source, and equal to no other. `Debug` shows nothing of it.
pub struct Source<T: ?Sized>(Arc<T>);

impl<T: ?Sized> Source<T> {
    /// A source.
    pub fn new(source: Arc<T>) -> Source<T> {
        Source(source)
    }
}

impl<T: ?Sized> Deref for Source<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> Clone for Source<T> {
    fn clone(&self) -> Source<T> {
        Source(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> PartialEq for Source<T> {
    fn eq(&self, other: &Source<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: ?Sized> Eq for Source<T> {}

impl<T: ?Sized> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}
