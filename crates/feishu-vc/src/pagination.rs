//! The walk over the pages of a list.
//!
//! Guarantees that every walk ends: repeated page tokens, empty pages with `has_more`, and implausibly long lists are
//! errors. A page token is valid only within its walk, so a walk always begins with the first page.

use std::collections::HashSet;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::CallError;
use crate::page::Page;
use crate::request::Query;

/// Why a list cannot be read to its end. The pages so far are not the complete list; their numbers start at 1.
#[expect(missing_docs, reason = "the fields are named for what they hold")]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaginationError {
    /// A page token was sent twice, so the walk would never end.
    #[error("page {page} repeats a page token of an earlier page")]
    RepeatedToken { page: u32 },
    /// A page without items has `has_more`.
    #[error("page {page} is empty but has_more is true")]
    EmptyPage { page: u32 },
    /// A page has `has_more` but no page token.
    #[error("page {page}: has_more is true but there is no page token")]
    TokenMissing { page: u32 },
    /// More pages than any plausible list has.
    #[error("the list is longer than {limit} pages")]
    TooManyPages { limit: u32 },
    /// More bytes than any plausible list has.
    #[error("the list is larger than {limit} bytes")]
    TooManyBytes { limit: usize },
}

/// Why [`Pages::next`] returned no page.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The pages are inconsistent.
    #[error(transparent)]
    Pagination(#[from] PaginationError),
}

/// Limits that no plausible list reaches: pages, and bytes of all bodies together.
const fn limits(endpoint: Endpoint) -> (u32, usize) {
    match endpoint {
        // A million meetings. Callers process each page as it arrives, so bytes are not limited.
        Endpoint::MeetingList => (10_000, usize::MAX),
        // An audience of 100,000, which is about 100 MB.
        Endpoint::ParticipantList => (1_000, 256 << 20),
        // Ten days of one participant's minutes.
        Endpoint::ParticipantQualityList => (144, 256 << 20),
        // A million rooms, alerts of a day, reservations of a day or users.
        Endpoint::Rooms | Endpoint::RoomLevels | Endpoint::Alerts | Endpoint::ReservationList | Endpoint::UserStats => {
            (10_000, 1 << 30)
        }
        // It has no pages.
        Endpoint::DailyReport => (1, 256 << 20),
    }
}

impl Client {
    /// A walk over all pages of a list. `query` builds the parameters for the page with the given token, as
    /// [`MeetingListRequest::query`](crate::MeetingListRequest::query) does.
    pub fn pages<Q: Fn(Option<&str>) -> Query>(&self, endpoint: Endpoint, query: Q) -> Pages<'_, Q> {
        let (max_pages, max_bytes) = limits(endpoint);
        let guard = PageGuard { max_pages, max_bytes, pages: 0, bytes: 0, seen: HashSet::new() };
        Pages { client: self, endpoint, query, sent: Query::new(), state: State::Page(None), guard }
    }
}

/// A walk over the pages of a list, begun by [`Client::pages`].
pub struct Pages<'c, Q> {
    client: &'c Client,
    endpoint: Endpoint,
    query: Q,
    sent: Query,
    state: State,
    guard: PageGuard,
}

enum State {
    /// The token of the next page; `None` for the first.
    Page(Option<String>),
    /// The last page was returned, but its continuation is invalid.
    Broken(PaginationError),
    Done,
}

impl<Q: Fn(Option<&str>) -> Query> Pages<'_, Q> {
    /// Fetches the next page; `None` after the last. After an error the walk has ended.
    ///
    /// # Errors
    /// If the call fails, or the previous page was inconsistent with the walk so far.
    pub async fn next(&mut self) -> Result<Option<Page>, WalkError> {
        let token = match std::mem::replace(&mut self.state, State::Done) {
            State::Page(token) => token,
            State::Broken(error) => return Err(error.into()),
            State::Done => return Ok(None),
        };
        self.sent = (self.query)(token.as_deref());
        let page = self.client.call(self.endpoint, &self.sent).await?;
        let next = self.guard.advance(page.has_more, page.page_token.as_deref(), page.item_count, page.body.len());
        self.state = match next {
            Ok(Some(token)) => State::Page(Some(token)),
            Ok(None) => State::Done,
            Err(error) => State::Broken(error),
        };
        Ok(Some(page))
    }

    /// The parameters of the request sent last.
    pub fn query(&self) -> &Query {
        &self.sent
    }
}

/// Detects a walk that would never end.
#[derive(Debug, Clone)]
struct PageGuard {
    max_pages: u32,
    max_bytes: usize,
    pages: u32,
    bytes: usize,
    seen: HashSet<String>,
}

impl PageGuard {
    /// Records and validates a page. Returns the token of the next page; `None` if this is the last.
    fn advance(
        &mut self,
        has_more: bool,
        page_token: Option<&str>,
        item_count: usize,
        bytes: usize,
    ) -> Result<Option<String>, PaginationError> {
        self.pages = self.pages.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        let page = self.pages;
        if !has_more {
            return Ok(None);
        }
        let token = page_token.filter(|token| !token.is_empty()).ok_or(PaginationError::TokenMissing { page })?;
        if item_count == 0 {
            return Err(PaginationError::EmptyPage { page });
        }
        if !self.seen.insert(token.to_owned()) {
            return Err(PaginationError::RepeatedToken { page });
        }
        if page >= self.max_pages {
            return Err(PaginationError::TooManyPages { limit: self.max_pages });
        }
        if self.bytes > self.max_bytes {
            return Err(PaginationError::TooManyBytes { limit: self.max_bytes });
        }
        Ok(Some(token.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn guard(max_pages: u32) -> PageGuard {
        PageGuard { max_pages, max_bytes: 1_000, pages: 0, bytes: 0, seen: HashSet::new() }
    }

    #[test]
    fn walk_has_a_byte_limit() {
        let mut walk = guard(10);
        assert!(walk.advance(true, Some("a"), 1, 1_000).is_ok());
        assert_eq!(walk.clone().advance(false, None, 1, 1), Ok(None));
        assert_eq!(walk.advance(true, Some("b"), 1, 1), Err(PaginationError::TooManyBytes { limit: 1_000 }));
    }

    #[test]
    fn walk_of_three_pages() {
        let mut walk = guard(10);
        assert_eq!(walk.advance(true, Some("100"), 100, 1), Ok(Some("100".into())));
        assert_eq!(walk.advance(true, Some("200"), 100, 1), Ok(Some("200".into())));
        assert_eq!(walk.advance(false, None, 7, 1), Ok(None));
        assert_eq!(walk.pages, 3);
    }

    #[test]
    fn empty_list_is_done_at_once() {
        assert_eq!(guard(10).advance(false, None, 0, 1), Ok(None));
    }

    #[test]
    fn token_on_the_last_page_is_ignored() {
        assert_eq!(guard(10).advance(false, Some("100"), 3, 1), Ok(None));
    }

    #[test]
    fn repeated_token_is_an_error_even_pages_later() {
        let mut walk = guard(10);
        assert!(walk.advance(true, Some("a"), 1, 1).is_ok());
        assert!(walk.advance(true, Some("b"), 1, 1).is_ok());
        assert_eq!(walk.advance(true, Some("a"), 1, 1), Err(PaginationError::RepeatedToken { page: 3 }));
    }

    #[test]
    fn empty_page_with_has_more_is_an_error() {
        assert_eq!(guard(10).advance(true, Some("a"), 0, 1), Err(PaginationError::EmptyPage { page: 1 }));
    }

    #[test]
    fn has_more_without_token_is_an_error() {
        assert_eq!(guard(10).advance(true, None, 3, 1), Err(PaginationError::TokenMissing { page: 1 }));
        assert_eq!(guard(10).advance(true, Some(""), 3, 1), Err(PaginationError::TokenMissing { page: 1 }));
    }

    #[test]
    fn last_page_may_reach_the_limit() {
        let mut walk = guard(2);
        assert!(walk.advance(true, Some("a"), 1, 1).is_ok());
        assert_eq!(walk.clone().advance(false, None, 1, 1), Ok(None));
        assert_eq!(walk.advance(true, Some("b"), 1, 1), Err(PaginationError::TooManyPages { limit: 2 }));
    }

    proptest! {
        #[test]
        fn every_walk_ends(limit in 1u32..50, tokens in proptest::collection::vec("[a-z]{0,2}", 60)) {
            let mut walk = guard(limit);
            let is_next = |token: &&String| matches!(walk.advance(true, Some(token), 1, 1), Ok(Some(_)));
            let steps = tokens.iter().take_while(is_next).count();
            prop_assert!(steps < limit as usize);
        }
    }
}
