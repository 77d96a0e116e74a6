//! The responses of the three lists: which meetings, sessions and samples a query finds.

use super::json::{ListWriter, push_items};
use super::pagination::{PageSlice, query_key, slice_page};
use super::query::{MeetingQuery, MeetingWindow, PageQuery, ParticipantQuery, QualityQuery};
use super::{ApiError, Endpoint, FaultKind, LongMeetings, MeetingFilter, Options, Params};
use crate::generators::identifiers::planted_row;
use crate::generators::quality::SampleGenerator;
use crate::model::ids::{self, UserIdType};
use crate::model::{DAY_S, Identity, Meeting, QualityAvailability, Session, Tenant};
use crate::random::{derive_key, unit_interval};

/// One call to a list.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) options: &'a Options,
    /// Unix seconds.
    pub(super) now: i64,
    pub(super) faults: &'a [FaultKind],
}

impl Lists<'_> {
    pub(super) fn respond(&self, endpoint: Endpoint, params: &Params) -> Result<String, ApiError> {
        let query_key = query_key(self.tenant.spec.seed, endpoint, params);
        match endpoint {
            Endpoint::MeetingList => self.meetings(&MeetingQuery::read(params, self.now)?, query_key),
            Endpoint::ParticipantList => self.participants(&ParticipantQuery::read(params, self.now)?, query_key),
            Endpoint::ParticipantQualityList => self.quality(&QualityQuery::read(params, self.now)?, query_key),
            _ => Err(ApiError::new(99_991_301)),
        }
    }

    pub(super) fn writer(&self, id_type: UserIdType) -> ListWriter<'_> {
        ListWriter { tenant: self.tenant, style: self.options.style, id_type, now: self.now }
    }

    fn meetings(&self, query: &MeetingQuery, query_key: u64) -> Result<String, ApiError> {
        let mut found: Vec<&Meeting> =
            self.tenant.meetings.iter().filter(|meeting| self.matches(query, meeting)).collect();
        if self.options.latest_first {
            found.reverse();
        }
        let page = slice_page(&query.page, query_key, found.len(), self.faults)?;
        let writer = self.writer(query.page.id_type);
        let items: Vec<String> = found[page.rows.clone()].iter().map(|meeting| writer.meeting(meeting)).collect();
        Ok(page_body(Endpoint::MeetingList, &page, &items.join(",")))
    }

    fn matches(&self, query: &MeetingQuery, meeting: &Meeting) -> bool {
        let window = query.start..=query.end;
        let in_window = match self.options.meeting_filter {
            MeetingFilter::Start => window.contains(&meeting.start),
            MeetingFilter::End => window.contains(&meeting.end),
            MeetingFilter::Overlap => meeting.start <= query.end && meeting.end >= query.start,
        };
        let seed = self.tenant.spec.seed;
        let user = |id: &String| ids::user_id(seed, meeting.organizer, query.page.id_type) == *id;
        let room = |id: &String| {
            let sessions = self.tenant.sessions_of(meeting);
            sessions.iter().any(|row| matches!(row.identity, Identity::Room(room) if ids::room_id(seed, room) == *id))
        };
        in_window
            && !self.options.losses.loses_meeting(seed, meeting)
            && meeting.start <= self.now
            && (meeting.end > self.now) == query.ongoing
            && (query.external || !meeting.external)
            && (query.webinar || !meeting.is_webinar())
            && (query.meeting_type == 1 || i64::from(meeting.meeting_type) == query.meeting_type)
            && query.meeting_no.is_none_or(|number| number == meeting.number)
            && query.user_id.as_ref().is_none_or(user)
            && query.room_id.as_ref().is_none_or(room)
    }

    fn participants(&self, query: &ParticipantQuery, query_key: u64) -> Result<String, ApiError> {
        let writer = self.writer(query.window.page.id_type);
        let mut rows: Vec<(&Meeting, usize)> = Vec::new();
        for meeting in self.find(&query.window, query.ongoing)? {
            let age = self.now - meeting.end;
            let found = meeting.sessions.clone().filter(|row| {
                let session = &self.tenant.sessions[*row];
                session.audience == query.audience
                    && !self.loses_participant(meeting, session)
                    && session.join <= self.now
                    && (self.options.ready_from_s.is_none() || age >= self.listed_after_s(*row))
                    && query.window.user_id.as_ref().is_none_or(|id| writer.user_id(session) == *id)
                    && query.window.room_id.as_ref().is_none_or(|id| writer.room_id(session) == *id)
            });
            let mut found: Vec<_> = found.map(|row| (meeting, row)).collect();
            if self.options.ready_from_s.is_none() && age < self.options.participants_ready_after_s {
                found.truncate(found.len().div_ceil(2));
            }
            rows.append(&mut found);
        }
        let page = slice_page(&query.window.page, query_key, rows.len(), self.faults)?;
        let items: Vec<String> =
            rows[page.rows.clone()].iter().map(|(meeting, row)| writer.participant(meeting, *row)).collect();
        Ok(page_body(Endpoint::ParticipantList, &page, &items.join(",")))
    }

    fn quality(&self, query: &QualityQuery, query_key: u64) -> Result<String, ApiError> {
        if self.options.requires_rounded_start && query.window.start % 60 != 0 {
            return Err(ApiError::new(126_009));
        }
        let writer = self.writer(query.window.page.id_type);
        let (meeting, row) = self
            .find(&query.window, false)?
            .into_iter()
            .flat_map(|meeting| meeting.sessions.clone().map(move |row| (meeting, row)))
            .find(|(_, row)| {
                let session = &self.tenant.sessions[*row];
                session.join == query.join_time
                    && match (&query.window.user_id, &query.window.room_id) {
                        (Some(id), _) => writer.user_id(session) == *id,
                        (None, Some(id)) => writer.room_id(session) == *id,
                        (None, None) => false,
                    }
            })
            .ok_or_else(|| ApiError::new(126_010))?;
        let session = &self.tenant.sessions[row];
        let kept = self.options.losses.kept_minutes(session);
        let total = match meeting.quality_availability(session) {
            QualityAvailability::Available => self.available_samples(meeting, row, kept.len())?,
            QualityAvailability::NotSupported => return Err(ApiError::new(121_002)),
            QualityAvailability::UnknownDevice | QualityAvailability::NoId => return Err(ApiError::new(126_010)),
        };
        let requested = &query.window.page;
        let size = requested.size.min(self.options.samples_per_page);
        let page = slice_page(&PageQuery { size, ..requested.clone() }, query_key, total, self.faults)?;
        let generator = SampleGenerator::new(self.tenant, meeting, row);
        let mut items = String::with_capacity(page.rows.len() * 1700);
        let offset = self.tenant.spec.utc_offset_s;
        push_items(
            &mut items,
            self.options.style,
            offset,
            &generator,
            session,
            kept[page.rows.clone()].iter().copied(),
            self.tenant.spec.planted_identifiers.then(|| planted_row(row)).as_ref(),
        );
        Ok(page_body(Endpoint::ParticipantQualityList, &page, &items))
    }

    fn loses_participant(&self, meeting: &Meeting, session: &Session) -> bool {
        self.options.losses.loses_participant(self.tenant.spec.seed, meeting, session.identity)
    }

    /// Number of samples that are available already.
    fn available_samples(&self, meeting: &Meeting, row: usize, total: usize) -> Result<usize, ApiError> {
        let age = self.now - meeting.end;
        match self.delay_s(row, self.options.ready_after_s) {
            delay if age >= delay => Ok(total),
            delay if age * 2 >= delay => Ok(total / 2),
            _ => Err(ApiError::new(126_010)),
        }
    }

    /// When a participant is listed, seconds after the meeting's end. The delay differs from that of its quality.
    fn listed_after_s(&self, row: usize) -> i64 {
        self.delay_s(row + self.tenant.sessions.len(), self.options.participants_ready_after_s)
    }

    /// A delay up to `most_s`, spread over the rows if the options say so.
    fn delay_s(&self, row: usize, most_s: i64) -> i64 {
        match self.options.ready_from_s {
            Some(least_s) if least_s < most_s => {
                let share = unit_interval(derive_key(self.tenant.spec.seed, row as u64));
                least_s + ((most_s - least_s) as f64 * share) as i64
            }
            _ => most_s,
        }
    }

    /// The meetings of a number that start in the window, and end in it or are still in progress.
    fn find(&self, window: &MeetingWindow, ongoing: bool) -> Result<Vec<&Meeting>, ApiError> {
        let mut found = Vec::new();
        for at in self.tenant.meetings_with_number(window.number) {
            let meeting = &self.tenant.meetings[*at];
            let matches = (window.start..=window.end).contains(&meeting.start)
                && (meeting.end > self.now) == ongoing
                && !self.options.losses.loses_meeting(self.tenant.spec.seed, meeting);
            let exceeds_window = meeting.end > window.end && !ongoing;
            match self.options.long_meetings {
                _ if !matches => {}
                _ if !exceeds_window => found.push(meeting),
                // A window that ends before the meeting can find it only if no window could contain it.
                _ if meeting.length_s() <= DAY_S => {}
                LongMeetings::Found => found.push(meeting),
                LongMeetings::Refused => return Err(ApiError::new(126_006)),
                LongMeetings::NotFound => {}
            }
        }
        if found.is_empty() { Err(ApiError::new(126_009)) } else { Ok(found) }
    }
}

/// The envelope around a page. An empty page of participants has no list at all, as Feishu sometimes does.
pub(super) fn page_body(endpoint: Endpoint, page: &PageSlice, items: &str) -> String {
    let token = page.next.as_ref().map_or_else(String::new, |next| format!(",\"page_token\":\"{next}\""));
    let list = match endpoint {
        Endpoint::ParticipantList if page.rows.is_empty() => String::new(),
        _ => format!(",\"{}\":[{items}]", endpoint.list_key()),
    };
    let has_more = page.next.is_some();
    format!("{{\"code\":0,\"msg\":\"success\",\"data\":{{\"has_more\":{has_more}{token}{list}}}}}")
}
