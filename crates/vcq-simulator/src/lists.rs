//! What the three lists answer: from a typed question to the body, or to a refusal.
//!
//! Owns which meetings, rows and minutes a question finds. It knows the time as a value and changes nothing.

use super::endpoint::Endpoint;
use super::faults::FaultKind;
use super::minutes::Minutes;
use super::options::{LongMeetings, MeetingFilter, Options};
use super::pages::{Cut, cut, question_key};
use super::people::{self, UserIdType};
use super::query::{MeetingQuestion, MeetingWindow, Page, Params, ParticipantQuestion, QualityQuestion};
use super::refusal::Refusal;
use super::tenant::{Answer, Meeting, Tenant, Who, answer_of};
use super::wire::{Writer, push_json_text};
use super::wire_quality::push_items;

const DAY_S: i64 = 86_400;

/// One call to a list.
pub(super) struct Lists<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) options: &'a Options,
    /// Unix seconds.
    pub(super) now: i64,
    /// Faults of paging that happen to this call.
    pub(super) faults: &'a [FaultKind],
}

impl Lists<'_> {
    /// Answers a call.
    ///
    /// # Errors
    /// The vendor's refusal.
    pub(super) fn answer(&self, endpoint: Endpoint, params: &Params) -> Result<String, Refusal> {
        let question = question_key(self.tenant.spec.seed, endpoint, params);
        match endpoint {
            Endpoint::MeetingList => self.meetings(&MeetingQuestion::read(params, self.now)?, question),
            Endpoint::ParticipantList => self.participants(&ParticipantQuestion::read(params, self.now)?, question),
            Endpoint::ParticipantQualityList => self.quality(&QualityQuestion::read(params, self.now)?, question),
            Endpoint::TenantAccessToken => Err(Refusal::of(99_991_301)),
        }
    }

    fn writer(&self, id_type: UserIdType) -> Writer<'_> {
        Writer { tenant: self.tenant, style: self.options.style, id_type, now: self.now }
    }

    fn cut(&self, page: &Page, question: u64, total: usize) -> Result<Cut, Refusal> {
        cut(page, question, total, self.faults)
    }

    fn meetings(&self, asked: &MeetingQuestion, question: u64) -> Result<String, Refusal> {
        let mut found: Vec<&Meeting> =
            self.tenant.meetings.iter().filter(|meeting| self.is_asked(asked, meeting)).collect();
        if self.options.latest_first {
            found.reverse();
        }
        let cut = self.cut(&asked.page, question, found.len())?;
        let writer = self.writer(asked.page.id_type);
        let rows = &found[cut.rows.clone()];
        Ok(page_body(Endpoint::MeetingList, &cut, rows.len() * 1000, |out| {
            each(out, rows, |out, meeting| writer.meeting(out, meeting));
        }))
    }

    fn is_asked(&self, asked: &MeetingQuestion, meeting: &Meeting) -> bool {
        let window = asked.start..=asked.end;
        let in_window = match self.options.meeting_filter {
            MeetingFilter::Start => window.contains(&meeting.start),
            MeetingFilter::End => window.contains(&meeting.end),
            MeetingFilter::Overlap => meeting.start <= asked.end && meeting.end >= asked.start,
        };
        let seed = self.tenant.spec.seed;
        let user = |id: &String| people::user_id(seed, meeting.organizer, asked.page.id_type) == *id;
        let room = |id: &String| {
            let rows = &self.tenant.sessions[meeting.sessions.clone()];
            rows.iter().any(|row| matches!(row.who, Who::Room(room) if people::room_id(seed, room) == *id))
        };
        in_window
            && meeting.start <= self.now
            && (meeting.end > self.now) == asked.ongoing
            && (asked.external || !meeting.external)
            && (asked.webinar || !meeting.is_webinar())
            && (asked.meeting_type == 1 || i64::from(meeting.meeting_type) == asked.meeting_type)
            && asked.meeting_no.is_none_or(|number| number == meeting.number)
            && asked.user_id.as_ref().is_none_or(user)
            && asked.room_id.as_ref().is_none_or(room)
    }

    fn participants(&self, asked: &ParticipantQuestion, question: u64) -> Result<String, Refusal> {
        let writer = self.writer(asked.window.page.id_type);
        let mut rows: Vec<(&Meeting, usize)> = Vec::new();
        for meeting in self.find(&asked.window, asked.ongoing)? {
            let of_meeting = meeting.sessions.clone().filter(|row| {
                let session = &self.tenant.sessions[*row];
                session.audience == asked.audience
                    && session.join <= self.now
                    && asked.window.user_id.as_ref().is_none_or(|id| writer.user_id(session) == *id)
                    && asked.window.room_id.as_ref().is_none_or(|id| writer.room_id(session) == *id)
            });
            let mut of_meeting: Vec<_> = of_meeting.map(|row| (meeting, row)).collect();
            if self.now - meeting.end < self.options.participants_ready_after_s {
                of_meeting.truncate(of_meeting.len().div_ceil(2));
            }
            rows.append(&mut of_meeting);
        }
        let cut = self.cut(&asked.window.page, question, rows.len())?;
        let rows = &rows[cut.rows.clone()];
        Ok(page_body(Endpoint::ParticipantList, &cut, rows.len() * 900, |out| {
            each(out, rows, |out, (meeting, row)| writer.participant(out, meeting, *row));
        }))
    }

    fn quality(&self, asked: &QualityQuestion, question: u64) -> Result<String, Refusal> {
        if self.options.start_to_the_minute && asked.window.start % 60 != 0 {
            return Err(Refusal::of(126_009));
        }
        let writer = self.writer(asked.window.page.id_type);
        let (meeting, row) = self
            .find(&asked.window, false)?
            .into_iter()
            .flat_map(|meeting| meeting.sessions.clone().map(move |row| (meeting, row)))
            .find(|(_, row)| {
                let session = &self.tenant.sessions[*row];
                session.join == asked.join_time
                    && match (&asked.window.user_id, &asked.window.room_id) {
                        (Some(id), _) => writer.user_id(session) == *id,
                        (None, Some(id)) => writer.room_id(session) == *id,
                        (None, None) => false,
                    }
            })
            .ok_or_else(|| Refusal::of(126_010))?;
        let session = &self.tenant.sessions[row];
        let total = match answer_of(meeting, session) {
            Answer::Minutes => self.ready(meeting, self.tenant.sample_count(meeting, session))?,
            Answer::NotSupported => return Err(Refusal::of(121_002)),
            Answer::UnknownDevice | Answer::NoId => return Err(Refusal::of(126_010)),
        };
        let cut = self.cut(&asked.window.page, question, total)?;
        let minutes = Minutes::of(self.tenant, meeting, row);
        let rows = cut.rows.clone();
        let style = self.options.style;
        Ok(page_body(Endpoint::ParticipantQualityList, &cut, rows.len() * 1700, |out| {
            push_items(out, style, self.tenant.spec.utc_offset_s, &minutes, session, rows);
        }))
    }

    /// How many of the minutes are there already.
    fn ready(&self, meeting: &Meeting, total: usize) -> Result<usize, Refusal> {
        let age = self.now - meeting.end;
        match self.options.ready_after_s {
            ready if age >= ready => Ok(total),
            ready if age * 2 >= ready => Ok(total / 2),
            _ => Err(Refusal::of(126_010)),
        }
    }

    /// The meetings of a number within the window: it starts in it, and ends in it or is still going on.
    fn find(&self, window: &MeetingWindow, ongoing: bool) -> Result<Vec<&Meeting>, Refusal> {
        let mut found = Vec::new();
        for at in self.tenant.meetings_of(window.number) {
            let meeting = &self.tenant.meetings[*at];
            let asked = (window.start..=window.end).contains(&meeting.start) && (meeting.end > self.now) == ongoing;
            let cut_short = meeting.end > window.end && !ongoing;
            match self.options.long_meetings {
                _ if !asked => {}
                _ if !cut_short => found.push(meeting),
                // Short of its end, a window finds only what no window could hold.
                _ if meeting.end - meeting.start <= DAY_S => {}
                LongMeetings::Found => found.push(meeting),
                LongMeetings::Refused => return Err(Refusal::of(126_006)),
                LongMeetings::NotFound => {}
            }
        }
        if found.is_empty() { Err(Refusal::of(126_009)) } else { Ok(found) }
    }
}

/// Writes the rows with commas between them.
fn each<T>(out: &mut String, rows: &[T], mut write: impl FnMut(&mut String, &T)) {
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, row);
    }
}

/// The envelope around a page. Without rows the vendor leaves the list out as often as not: participants are then absent.
fn page_body(endpoint: Endpoint, cut: &Cut, room: usize, write: impl FnOnce(&mut String)) -> String {
    let mut out = String::with_capacity(room + 200);
    out.push_str("{\"code\":0,\"msg\":\"success\",\"data\":{\"has_more\":");
    out.push_str(if cut.next.is_some() { "true" } else { "false" });
    if let Some(next) = &cut.next {
        out.push_str(",\"page_token\":");
        push_json_text(&mut out, next);
    }
    if !(endpoint == Endpoint::ParticipantList && cut.rows.is_empty()) {
        out.push_str(",\"");
        out.push_str(endpoint.list_key());
        out.push_str("\":[");
        write(&mut out);
        out.push(']');
    }
    out.push_str("}}");
    out
}
