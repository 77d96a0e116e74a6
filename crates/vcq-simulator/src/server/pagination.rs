//! Pages and their opaque tokens, which are valid only for the query that they came with.

use std::ops::Range;

use super::query::PageQuery;
use super::{ApiError, Endpoint, FaultKind, Params};
use crate::random::{derive_key, hash_text};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageSlice {
    pub(super) rows: Range<usize>,
    /// Token of the next page; its presence is `has_more`.
    pub(super) next: Option<String>,
}

/// Identifies a query, whatever its page token.
pub(super) fn query_key(seed: u64, endpoint: Endpoint, params: &Params) -> u64 {
    let fields = params.iter().filter(|(name, _)| name != "page_token");
    fields.fold(derive_key(seed, endpoint as u64), |sum, (name, value)| {
        sum.wrapping_add(hash_text(hash_text(1, name), value))
    })
}

pub(super) fn slice_page(
    page: &PageQuery,
    query: u64,
    total: usize,
    faults: &[FaultKind],
) -> Result<PageSlice, ApiError> {
    let offset = page.token.as_ref().map_or(Ok(0), |token| decode_token(query, token))?;
    let shifted = if faults.contains(&FaultKind::ShiftingRows) { 2 * (offset / page.size) } else { 0 };
    let first = offset.saturating_sub(shifted).min(total);
    let rows = first..(first + page.size).min(total);
    let endless = faults.contains(&FaultKind::EndlessPages);
    let repeats = faults.contains(&FaultKind::RepeatPageToken);
    let next = match &page.token {
        Some(token) if repeats => Some(token.clone()),
        _ if rows.end < total || endless || repeats => Some(encode_token(query, offset + page.size)),
        _ => None,
    };
    Ok(PageSlice { rows, next })
}

/// With characters of base64 that a client must escape in a URL.
fn encode_token(query: u64, offset: usize) -> String {
    let hidden = offset as u32 ^ derive_key(query, 1) as u32;
    format!("{hidden:08x}+/{:016x}==", derive_key(query, offset as u64 + 2))
}

fn decode_token(query: u64, token: &str) -> Result<usize, ApiError> {
    let hidden = token.get(..8).and_then(|hidden| u32::from_str_radix(hidden, 16).ok());
    let offset = hidden.map(|hidden| (hidden ^ derive_key(query, 1) as u32) as usize);
    offset
        .filter(|offset| encode_token(query, *offset) == token)
        .ok_or_else(|| ApiError::invalid_field("page_token", token, "page token is invalid"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::UserIdType;

    fn walk(total: usize, faults: &[FaultKind], most: usize) -> Vec<Range<usize>> {
        let mut page = PageQuery { size: 20, token: None, id_type: UserIdType::OpenId };
        let mut seen = Vec::new();
        while seen.len() < most {
            let slice = slice_page(&page, 77, total, faults).expect("its own token");
            seen.push(slice.rows);
            match slice.next {
                Some(next) => page.token = Some(next),
                None => break,
            }
        }
        seen
    }

    #[test]
    fn a_walk_returns_every_row_once() {
        assert_eq!(walk(45, &[], 9), [0..20, 20..40, 40..45]);
        assert_eq!(walk(40, &[], 9), [0..20, 20..40], "no empty page at the end");
        assert_eq!(walk(0, &[], 9).len(), 1, "an empty answer is a page too");
    }

    #[test]
    fn shifting_rows_repeat_rows_and_lose_none() {
        assert_eq!(walk(45, &[FaultKind::ShiftingRows], 9), [0..20, 18..38, 36..45]);
    }

    #[test]
    fn endless_pages_are_empty_and_never_end() {
        assert_eq!(walk(5, &[FaultKind::EndlessPages], 4), [0..5, 5..5, 5..5, 5..5]);
    }

    #[test]
    fn a_repeated_token_is_the_one_sent() {
        let mut page = PageQuery { size: 20, token: None, id_type: UserIdType::OpenId };
        page.token = slice_page(&page, 1, 90, &[FaultKind::RepeatPageToken]).expect("first page").next;
        assert_eq!(slice_page(&page, 1, 90, &[FaultKind::RepeatPageToken]).expect("second page").next, page.token);
    }

    #[test]
    fn a_token_is_valid_only_for_its_query() {
        let page = PageQuery { size: 20, token: None, id_type: UserIdType::OpenId };
        let token = slice_page(&page, 1, 90, &[]).expect("first page").next;
        let other = slice_page(&PageQuery { token, ..page.clone() }, 2, 90, &[]);
        assert_eq!(other.map_err(|error| error.http), Err(400));
        for token in ["20", "", "zzzzzzzz", "ééééé"] {
            assert!(slice_page(&PageQuery { token: Some(token.to_owned()), ..page.clone() }, 1, 90, &[]).is_err());
        }
    }
}
