//! A change to what is received and sent, made by the program that uses the client.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::endpoint::Endpoint;

/// Changes responses before anything reads them, and requests just before they are sent.
///
/// For a program that must not keep what Feishu sends, and still has to send it back: what [`received`] replaced in a
/// response comes back in a later request, where [`sent`] restores it. So nothing in between has the original.
///
/// [`received`]: ExchangeFilter::received
/// [`sent`]: ExchangeFilter::sent
pub trait ExchangeFilter: Send + Sync {
    /// The body of a response of any status, to a request with these parameters, as they were before [`sent`]. An
    /// endpoint of `None` is the token request, whose token must stay.
    ///
    /// [`sent`]: ExchangeFilter::sent
    fn received(&self, endpoint: Option<Endpoint>, query: &[(&str, String)], body: Vec<u8>) -> Vec<u8>;

    /// The parameters as they are sent.
    fn sent<'q>(&self, query: &'q [(&'q str, String)]) -> Cow<'q, [(&'q str, String)]>;
}

/// The filter of a client, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Filter(pub Option<Arc<dyn ExchangeFilter>>);

impl Filter {
    pub(crate) fn received(&self, endpoint: Option<Endpoint>, query: &[(&str, String)], body: Vec<u8>) -> Vec<u8> {
        match &self.0 {
            Some(filter) => filter.received(endpoint, query, body),
            None => body,
        }
    }

    pub(crate) fn sent<'q>(&self, query: &'q [(&'q str, String)]) -> Cow<'q, [(&'q str, String)]> {
        match &self.0 {
            Some(filter) => filter.sent(query),
            None => Cow::Borrowed(query),
        }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.0.is_some()).finish()
    }
}
