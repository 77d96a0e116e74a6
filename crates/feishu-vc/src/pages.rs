//! The guard of a walk over pages: says how to go on, and notices a walk that would never end.
//!
//! Pure. A page token looks like an offset and is only good within one walk, so a guard is made for each walk and is
//! never kept.

use std::collections::HashSet;

/// How a walk goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask for the page of this token.
    Page(String),
    /// That was the last page.
    Done,
}

/// Why a walk cannot go on; what was read so far is not the whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaginationError {
    /// The vendor sent a token for the second time, so the walk would go round in circles.
    #[error("page {page} repeats a page token of an earlier page")]
    RepeatedToken {
        /// Which page, from 1.
        page: u32,
    },
    /// A page without items that promises more.
    #[error("page {page} is empty, but promises more pages")]
    EmptyPage {
        /// Which page, from 1.
        page: u32,
    },
    /// More is promised, but not how to get it.
    #[error("page {page} promises more pages, but has no page token")]
    TokenMissing {
        /// Which page, from 1.
        page: u32,
    },
    /// More pages than any real walk has.
    #[error("the list is longer than {limit} pages")]
    TooManyPages {
        /// The most pages that a walk may have.
        limit: u32,
    },
    /// More bytes than any real walk has.
    #[error("the list is larger than {limit} bytes")]
    TooManyBytes {
        /// The most bytes that a walk may have.
        limit: usize,
    },
}

/// Watches one walk.
#[derive(Debug, Clone)]
pub struct PageGuard {
    limit: u32,
    page: u32,
    seen: HashSet<String>,
}

impl PageGuard {
    /// A guard of a walk of at most `limit` pages.
    pub fn new(limit: u32) -> PageGuard {
        PageGuard { limit, page: 0, seen: HashSet::new() }
    }

    /// Takes what an answered page says of the rest of the walk, and says how to go on.
    pub fn next(
        &mut self,
        has_more: bool,
        page_token: Option<&str>,
        item_count: usize,
    ) -> Result<Next, PaginationError> {
        self.page = self.page.saturating_add(1);
        let page = self.page;
        if !has_more {
            return Ok(Next::Done);
        }
        let token = page_token.filter(|token| !token.is_empty()).ok_or(PaginationError::TokenMissing { page })?;
        if item_count == 0 {
            return Err(PaginationError::EmptyPage { page });
        }
        if !self.seen.insert(token.to_owned()) {
            return Err(PaginationError::RepeatedToken { page });
        }
        if page >= self.limit {
            return Err(PaginationError::TooManyPages { limit: self.limit });
        }
        Ok(Next::Page(token.to_owned()))
    }

    /// Pages seen so far.
    pub fn page_count(&self) -> u32 {
        self.page
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn walk_of_three_pages() {
        let mut guard = PageGuard::new(10);
        assert_eq!(guard.next(true, Some("100"), 100), Ok(Next::Page("100".into())));
        assert_eq!(guard.next(true, Some("200"), 100), Ok(Next::Page("200".into())));
        assert_eq!(guard.next(false, None, 7), Ok(Next::Done));
        assert_eq!(guard.page_count(), 3);
    }

    #[test]
    fn empty_list_is_done_at_once() {
        assert_eq!(PageGuard::new(10).next(false, None, 0), Ok(Next::Done));
    }

    #[test]
    fn token_of_a_last_page_is_not_followed() {
        assert_eq!(PageGuard::new(10).next(false, Some("100"), 3), Ok(Next::Done));
    }

    #[test]
    fn repeated_token_is_a_fault_even_pages_later() {
        let mut guard = PageGuard::new(10);
        assert!(guard.next(true, Some("a"), 1).is_ok());
        assert!(guard.next(true, Some("b"), 1).is_ok());
        assert_eq!(guard.next(true, Some("a"), 1), Err(PaginationError::RepeatedToken { page: 3 }));
    }

    #[test]
    fn empty_page_that_promises_more_is_a_fault() {
        assert_eq!(PageGuard::new(10).next(true, Some("a"), 0), Err(PaginationError::EmptyPage { page: 1 }));
    }

    #[test]
    fn promise_without_token_is_a_fault() {
        assert_eq!(PageGuard::new(10).next(true, None, 3), Err(PaginationError::TokenMissing { page: 1 }));
        assert_eq!(PageGuard::new(10).next(true, Some(""), 3), Err(PaginationError::TokenMissing { page: 1 }));
    }

    #[test]
    fn last_page_may_be_the_limit_itself() {
        let mut guard = PageGuard::new(2);
        assert!(guard.next(true, Some("a"), 1).is_ok());
        assert_eq!(guard.clone().next(false, None, 1), Ok(Next::Done));
        assert_eq!(guard.next(true, Some("b"), 1), Err(PaginationError::TooManyPages { limit: 2 }));
    }

    proptest! {
        #[test]
        fn every_walk_ends(limit in 1u32..50, tokens in proptest::collection::vec("[a-z]{0,2}", 60)) {
            let mut guard = PageGuard::new(limit);
            let steps = tokens.iter().take_while(|token| matches!(guard.next(true, Some(token), 1), Ok(Next::Page(_)))).count();
            prop_assert!(steps < limit as usize);
        }
    }
}
