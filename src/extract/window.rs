//! Time windows in the form in which Feishu accepts them.

const DAY_US: i64 = 86_400_000_000;
/// The longest window that participant_list and participant_quality_list accept.
const DAY_S: i64 = 86_400;

/// How far the meeting list is read beyond a window: whether Feishu filters by start or by end is not documented.
const MARGIN_BEFORE_US: i64 = DAY_US;
const MARGIN_AFTER_US: i64 = 3 * DAY_US;
/// Feishu accepts at most a year; a slice with its margins stays below.
const SLICE_US: i64 = 350 * DAY_US;

/// A part of a run's window for which the meeting list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListSlice {
    pub window_us: (i64, i64),
    /// The same with margins, but not past now: what is requested.
    pub requested_us: (i64, i64),
}

/// The slices of a window, oldest first.
pub(super) fn list_slices((mut start_us, until_us): (i64, i64), now_us: i64) -> impl Iterator<Item = ListSlice> {
    std::iter::from_fn(move || {
        let is_slice = start_us < until_us;
        let window_us = (start_us, until_us.min(start_us.saturating_add(SLICE_US)));
        let requested_until_us = window_us.1.saturating_add(MARGIN_AFTER_US).min(now_us);
        let requested_us = (start_us.saturating_sub(MARGIN_BEFORE_US), requested_until_us);
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
    /// From microseconds UTC. A meeting with an unreadable end is assumed to last a day, but not past now.
    pub(super) fn new(start_us: i64, end_us: Option<i64>, now_us: i64) -> MeetingWindow {
        let start_s = start_us.div_euclid(1_000_000);
        let end_s = match end_us {
            Some(end_us) => end_us.div_euclid(1_000_000),
            None => (start_s + DAY_S).min(now_us.div_euclid(1_000_000)),
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
