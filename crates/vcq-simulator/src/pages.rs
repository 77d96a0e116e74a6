//! Paging: opaque tokens that fit only the question they came with.

use std::ops::Range;

use super::dice::{key, key_of_text};
use super::endpoint::Endpoint;
use super::faults::FaultKind;
use super::query::{Page, Params};
use super::refusal::Refusal;

/// Rows that slip in at the head between two pages under [`FaultKind::ShiftingRows`].
const SHIFT: usize = 2;

/// Which rows a page holds and how it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) rows: Range<usize>,
    /// Token of the next page; its presence is `has_more`.
    pub(super) next: Option<String>,
}

/// The key of a question, the page token left out.
pub(super) fn question_key(seed: u64, endpoint: Endpoint, params: &Params) -> u64 {
    let asked = params.iter().filter(|(name, _)| name != "page_token");
    asked.fold(key(seed, endpoint as u64), |sum, (name, value)| {
        sum.wrapping_add(key_of_text(key_of_text(1, name), value))
    })
}

/// Cuts the page out of `total` rows.
///
/// # Errors
/// The token is not one of this question.
pub(super) fn cut(page: &Page, question: u64, total: usize, faults: &[FaultKind]) -> Result<Cut, Refusal> {
    let offset = match &page.token {
        None => 0,
        Some(token) => read_token(question, token)?,
    };
    let shifted = if faults.contains(&FaultKind::ShiftingRows) { SHIFT * (offset / page.size) } else { 0 };
    let first = offset.saturating_sub(shifted).min(total);
    let rows = first..(first + page.size).min(total);
    let endless = faults.contains(&FaultKind::EndlessPages);
    let repeats = faults.contains(&FaultKind::RepeatPageToken);
    let next = match &page.token {
        Some(token) if repeats => Some(token.clone()),
        _ if rows.end < total || endless || repeats => Some(write_token(question, offset + page.size)),
        _ => None,
    };
    Ok(Cut { rows, next })
}

fn write_token(question: u64, offset: usize) -> String {
    let hidden = offset as u32 ^ key(question, 1) as u32;
    format!("{hidden:08x}{:016x}", key(question, offset as u64 + 2))
}

fn read_token(question: u64, token: &str) -> Result<usize, Refusal> {
    let hidden = token.get(..8).and_then(|hidden| u32::from_str_radix(hidden, 16).ok());
    let offset = hidden.map(|hidden| (hidden ^ key(question, 1) as u32) as usize);
    offset
        .filter(|offset| write_token(question, *offset) == token)
        .ok_or_else(|| Refusal::field("page_token", token, "page token is invalid"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::UserIdType;

    fn walk(total: usize, faults: &[FaultKind], most: usize) -> Vec<Range<usize>> {
        let mut page = Page { size: 20, token: None, id_type: UserIdType::OpenId };
        let mut seen = Vec::new();
        while seen.len() < most {
            let cut = cut(&page, 77, total, faults).expect("its own token");
            seen.push(cut.rows);
            match cut.next {
                Some(next) => page.token = Some(next),
                None => break,
            }
        }
        seen
    }

    #[test]
    fn a_walk_sees_every_row_once() {
        assert_eq!(walk(45, &[], 9), [0..20, 20..40, 40..45]);
        assert_eq!(walk(40, &[], 9), [0..20, 20..40], "no empty page at the end");
        assert_eq!(walk(0, &[], 9).len(), 1, "an empty answer is a page too");
    }

    #[test]
    fn shifting_rows_repeat_and_lose_nothing() {
        assert_eq!(walk(45, &[FaultKind::ShiftingRows], 9), [0..20, 18..38, 36..45]);
    }

    #[test]
    fn endless_pages_are_empty_and_never_end() {
        assert_eq!(walk(5, &[FaultKind::EndlessPages], 4), [0..5, 5..5, 5..5, 5..5]);
    }

    #[test]
    fn a_repeated_token_is_the_one_sent() {
        let mut page = Page { size: 20, token: None, id_type: UserIdType::OpenId };
        page.token = cut(&page, 1, 90, &[FaultKind::RepeatPageToken]).expect("first page").next;
        assert_eq!(cut(&page, 1, 90, &[FaultKind::RepeatPageToken]).expect("second page").next, page.token);
    }

    #[test]
    fn a_token_fits_only_its_own_question() {
        let page = Page { size: 20, token: None, id_type: UserIdType::OpenId };
        let token = cut(&page, 1, 90, &[]).expect("first page").next;
        let other = cut(&Page { token, ..page.clone() }, 2, 90, &[]);
        assert_eq!(other.map_err(|refusal| refusal.http), Err(400));
        for token in ["20", "", "zzzzzzzz", "ééééé"] {
            assert!(cut(&Page { token: Some(token.to_owned()), ..page.clone() }, 1, 90, &[]).is_err());
        }
    }
}
