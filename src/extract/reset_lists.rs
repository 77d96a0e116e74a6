//! Starts again with the pending meetings whose participants have tokens of a lost identity key.
//!
//! With another key a person on a later list would count twice. So what was listed of such a meeting is discarded: a
//! record in the raw log says so, and the next list is its first. Meetings without anything pending stay as they are.

use std::path::Path;

use super::writer::WriteError;
use crate::ledger::Ledger;
use crate::raw_log::{Header, RAW_VERSION, RawError, RawKind, RawWriter, WalkEnd, encode};
use crate::schema::Status;

const REASON: &str = "the identity key was lost, so the participants are listed again";

/// Writes the records, which [`catch_up`](super::catch_up) then indexes. Returns the number of meetings.
pub(crate) fn reset_lists(raw_dir: &Path, run_id: &str, ledger: &Ledger, now_us: i64) -> Result<u64, WriteError> {
    // A file of its own: that of the run is written by the run alone.
    let run_id = format!("{run_id}r");
    let mut writer = RawWriter::new(raw_dir, &run_id);
    let meetings = ledger.listed_people_pending()?;
    for meeting in &meetings {
        let requested_us = meeting.list_us.map_or(now_us, |list_us| now_us.max(list_us.saturating_add(1)));
        let end = WalkEnd { is_reset: true, walks: 0, ..WalkEnd::new(Status::Pending, REASON.to_owned(), None, None) };
        let header = Header {
            v: RAW_VERSION,
            run_id: run_id.clone(),
            kind: RawKind::Participants,
            unit: meeting.meeting_key.clone(),
            requested_us,
            window_us: None,
            known: Vec::new(),
            end: Some(end),
            bytes: 0,
        };
        let bytes = encode(header, &[])
            .map_err(RawError::io("cannot compress for", Path::new(RawKind::Participants.folder())))?;
        writer.append(RawKind::Participants, meeting.meeting_date, &bytes)?;
    }
    writer.sync()?;
    Ok(meetings.len() as u64)
}
