//! A meeting in progress, shared by its participants.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::window::{Form, MeetingWindow};
use crate::ledger::PendingMeeting;

pub(super) struct MeetingTask {
    pub meeting: PendingMeeting,
    pub window: MeetingWindow,
    form: Mutex<Form>,
    /// Unfinished participants, plus one for the participant list.
    unfinished: AtomicU64,
}

impl MeetingTask {
    pub(super) fn new(meeting: PendingMeeting, now_us: i64) -> MeetingTask {
        let window = MeetingWindow::new(meeting.start_us, meeting.end_us, now_us);
        MeetingTask { meeting, window, form: Mutex::default(), unfinished: AtomicU64::new(1) }
    }

    /// The form of the window that Feishu accepted last in this run.
    pub(super) fn form(&self) -> Form {
        *self.form.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_form(&self, form: Form) {
        *self.form.lock().unwrap_or_else(PoisonError::into_inner) = form;
    }

    pub(super) fn add_participants(&self, count: u64) {
        self.unfinished.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts one part as finished; true for the last one.
    pub(super) fn finish_one(&self) -> bool {
        self.unfinished.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

/// A meeting of which nothing was requested yet.
#[cfg(test)]
pub(super) fn pending_meeting(start_us: i64, end_us: i64) -> PendingMeeting {
    PendingMeeting {
        meeting_key: "meeting".into(),
        meeting_no: "123456789".into(),
        start_us,
        offset_min: 480,
        end_us: Some(end_us),
        meeting_date: 20_759,
        is_webinar: false,
        devices: 2,
        number_of_participants: Some(3),
        list_final: false,
        list_due: true,
        list_status: None,
        list_digest: None,
        list_us: None,
        list_short_us: None,
        refetch_us: None,
    }
}
