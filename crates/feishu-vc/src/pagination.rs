//! The walk over the pages of a list.
//!
//! Guarantees that every walk ends: repeated page tokens, too many empty pages in a row, and implausibly long lists are
//! errors. A page token is valid only within its walk, so a walk always begins with the first page.

use std::collections::HashSet;

use crate::call_budget::Reservation;
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
    /// Too many pages in a row without items, and still `has_more`.
    #[error("page {page} is the {in_a_row}th empty page in a row, but has_more is true")]
    EmptyPages { page: u32, in_a_row: u32 },
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

/// This many empty pages in a row are followed, as long as each has a new token.
const MAX_EMPTY_PAGES: u32 = 3;

/// Limits that no plausible list reaches: pages, and bytes of all bodies together.
const fn limits(endpoint: Endpoint) -> (u32, usize) {
    match endpoint {
        // A million meetings. Callers process each page as it arrives, so bytes are not limited.
        Endpoint::MeetingList => (10_000, usize::MAX),
        // An audience of 100,000, which is about 100 MB.
        Endpoint::ParticipantList => (1_000, 256 << 20),
        // Four months of one participant's minutes, or a day of them on pages of one; about 300 MB.
        Endpoint::ParticipantQualityList => (2_000, 512 << 20),
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
        let guard = PageGuard { max_pages, max_bytes, pages: 0, bytes: 0, empty_in_a_row: 0, seen: HashSet::new() };
        Pages { client: self, reserved: None, endpoint, query, sent: Query::new(), state: State::Page(None), guard }
    }
}

/// A walk over the pages of a list, begun by [`Client::pages`].
pub struct Pages<'c, Q> {
    client: &'c Client,
    reserved: Option<&'c Reservation>,
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

impl<'c, Q: Fn(Option<&str>) -> Query> Pages<'c, Q> {
    /// Uses requests that were reserved for this walk, one for each page. Retries, and pages beyond them, are
    /// admitted one by one.
    #[must_use]
    pub fn within(self, reserved: Option<&'c Reservation>) -> Pages<'c, Q> {
        Pages { reserved, ..self }
    }

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
        let page = self.client.call_within(self.reserved, self.endpoint, &self.sent).await?;
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
    empty_in_a_row: u32,
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
        self.empty_in_a_row = if item_count == 0 { self.empty_in_a_row + 1 } else { 0 };
        let (page, in_a_row) = (self.pages, self.empty_in_a_row);
        if !has_more {
            return Ok(None);
        }
        let token = page_token.filter(|token| !token.is_empty()).ok_or(PaginationError::TokenMissing { page })?;
        if !self.seen.insert(token.to_owned()) {
            return Err(PaginationError::RepeatedToken { page });
        }
        if in_a_row > MAX_EMPTY_PAGES {
            return Err(PaginationError::EmptyPages { page, in_a_row });
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
        PageGuard { max_pages, max_bytes: 1_000, pages: 0, bytes: 0, empty_in_a_row: 0, seen: HashSet::new() }
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
    fn three_empty_pages_in_a_row_are_followed() {
        let mut walk = guard(20);
        for (token, items) in [("a", 0), ("b", 0), ("c", 0), ("d", 1), ("e", 0), ("f", 0), ("g", 0)] {
            assert_eq!(walk.advance(true, Some(token), items, 1), Ok(Some(token.into())));
        }
        assert_eq!(walk.clone().advance(false, None, 0, 1), Ok(None));
        assert_eq!(walk.clone().advance(true, Some("a"), 0, 1), Err(PaginationError::RepeatedToken { page: 8 }));
        let error = PaginationError::EmptyPages { page: 8, in_a_row: 4 };
        assert_eq!(walk.advance(true, Some("h"), 0, 1), Err(error));
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
        fn every_walk_ends(
            limit in 1u32..50,
            pages in proptest::collection::vec(("[a-z]{0,2}", 0usize..2), 60),
        ) {
            let mut walk = guard(limit);
            let is_next = |(token, items): &&(String, usize)| {
                matches!(walk.advance(true, Some(token), *items, 1), Ok(Some(_)))
            };
            let steps = pages.iter().take_while(is_next).count();
            prop_assert!(steps < limit as usize);
        }
    }
}
