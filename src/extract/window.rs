//! Time windows in the form in which Feishu accepts them.

use crate::schema::window::ASSUMED_LENGTH_US;

const DAY_US: i64 = 86_400_000_000;
/// The longest window that participant_list and participant_quality_list accept.
const DAY_S: i64 = 86_400;

/// How far the meeting list is read beyond a window: whether Feishu filters by start or by end is not documented.
/// Before the window it is the longest meeting to expect.
const MARGIN_AFTER_US: i64 = 3 * DAY_US;
/// Feishu accepts at most a year; a slice with its margins stays below.
const MAX_REQUESTED_US: i64 = 360 * DAY_US;
/// Leaves room for a slice.
const MAX_MARGIN_BEFORE_US: i64 = 300 * DAY_US;

/// A part of a run's window for which the meeting list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListSlice {
    pub window_us: (i64, i64),
    /// The same with margins, but not past now: what is requested.
    pub requested_us: (i64, i64),
}

/// The slices of a window, oldest first.
pub(super) fn list_slices(
    (mut start_us, until_us): (i64, i64),
    longest_meeting_us: i64,
    now_us: i64,
) -> impl Iterator<Item = ListSlice> {
    let before_us = longest_meeting_us.clamp(0, MAX_MARGIN_BEFORE_US);
    let slice_us = MAX_REQUESTED_US - before_us - MARGIN_AFTER_US;
    std::iter::from_fn(move || {
        let is_slice = start_us < until_us;
        let window_us = (start_us, until_us.min(start_us.saturating_add(slice_us)));
        let requested_until_us = window_us.1.saturating_add(MARGIN_AFTER_US).min(now_us);
        let requested_us = (start_us.saturating_sub(before_us), requested_until_us);
        start_us = window_us.1;
        is_slice.then_some(ListSlice { window_us, requested_us })
    })
}

/// A meeting's window, Unix seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct MeetingWindow {
    pub start_s: i64,
    pub end_s: i64,
}

impl MeetingWindow {
    /// From microseconds UTC. A meeting with an unreadable end is not assumed to last past now.
    pub(super) fn new(start_us: i64, end_us: Option<i64>, now_us: i64) -> MeetingWindow {
        let start_s = start_us.div_euclid(1_000_000);
        let end_s = match end_us {
            Some(end_us) => end_us.div_euclid(1_000_000),
            None => (start_us + ASSUMED_LENGTH_US).min(now_us).div_euclid(1_000_000),
        };
        MeetingWindow { start_s, end_s: end_s.max(start_s) }
    }

    pub(super) fn end_us(self) -> i64 {
        self.end_s * 1_000_000
    }

    pub(super) fn is_over_a_day(self) -> bool {
        self.end_s - self.start_s > DAY_S
    }

    pub(super) fn starts_on_a_minute(self) -> bool {
        self.start_s % 60 == 0
    }

    pub(super) fn in_form(self, form: Form) -> MeetingWindow {
        let start_s = if form.is_floored { self.start_s - self.start_s.rem_euclid(60) } else { self.start_s };
        let end_s = if form.is_clamped { self.end_s.min(start_s + DAY_S) } else { self.end_s };
        MeetingWindow { start_s, end_s }
    }
}

/// The form of a window that Feishu accepts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub is_clamped: bool,
    pub is_floored: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn slices_cover_the_window_and_stay_within_a_year(
            start_day in 0_i64..4_000, days in 1_i64..2_000, longest_days in 0_i64..1_000, now_day in 0_i64..6_000,
        ) {
            let window_us = (start_day * DAY_US, (start_day + days) * DAY_US);
            let slices: Vec<ListSlice> = list_slices(window_us, longest_days * DAY_US, now_day * DAY_US).collect();
            prop_assert_eq!(slices[0].window_us.0, window_us.0);
            prop_assert_eq!(slices[slices.len() - 1].window_us.1, window_us.1);
            prop_assert!(slices.windows(2).all(|pair| pair[0].window_us.1 == pair[1].window_us.0));
            for slice in slices {
                let (since_us, until_us) = slice.requested_us;
                prop_assert!(until_us - since_us <= 365 * DAY_US && until_us <= now_day * DAY_US);
                prop_assert_eq!(since_us, slice.window_us.0 - longest_days.min(300) * DAY_US);
            }
        }
    }
}
