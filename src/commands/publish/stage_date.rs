//! Turns one meeting date of the raw log into staged Parquet parts, one participant at a time.

use std::collections::HashSet;
use std::path::Path;

use super::date_error::DateError;
use super::stage_optional::{OptionalLists, OptionalRows};
use crate::extract::{event_items, list_short_reason, walk_items};
use crate::load::{DatePublication, LoadError, PartWriter, StagedPart};
use crate::raw_log::{PageReader, RawDate, RawKind, WalkRef};
use crate::schema::cell::{self, Row};
use crate::schema::identity::{MeetingIdentity, PeopleCounter};
use crate::schema::meeting_keys::MeetingKeys;
use crate::schema::{COVERAGE, MEETINGS, PARTICIPANTS, QUALITY_SAMPLES, REJECTS, Status, Table, TenantZone};
use crate::transform::{
    DateMeetings, FetchState, FieldCounts, ListWalk, Listing, MeetingParticipants, Participant, Reject, SampleBatches,
    TypedWalk, WalkParser, coverage_rows, reject_rows,
};
use feishu_vc::Endpoint;

/// Rows of a small table per batch.
const BATCH_ROWS: usize = 4_096;
/// Samples per batch, a few megabytes. From 2,048 to 32,768 a rebuild takes the same time.
const SAMPLE_BATCH_ROWS: usize = 8_192;

#[derive(Debug, Clone, Copy)]
pub struct DateContext<'a> {
    pub raw_dir: &'a Path,
    pub work_dir: &'a Path,
    pub zone: &'a TenantZone,
    pub run_id: &'a str,
    /// Count the fields of all responses, not only of this run's.
    pub counts_all_fields: bool,
    /// Distinguishes the parts of this publication from those of an earlier one of the same run.
    pub part_number: u32,
}

#[derive(Debug)]
pub struct StagedDate {
    pub publication: DatePublication,
    /// Of this run's responses.
    pub(crate) fields: FieldCounts,
    pub truncated: u64,
}

/// Stages the parts of one date from all its responses. Touches nothing that is published.
pub fn stage_date(context: DateContext<'_>, meeting_date: i32) -> Result<StagedDate, DateError> {
    let open = |kind| RawDate::open(context.raw_dir, kind, meeting_date);
    let (meeting_pages, participant_pages, quality_pages) =
        (open(RawKind::Meetings)?, open(RawKind::Participants)?, open(RawKind::Quality)?);
    let mut stage = Stage {
        context,
        meeting_date,
        participants: SmallTable::new(context, &PARTICIPANTS, meeting_date)?,
        coverage: SmallTable::new(context, &COVERAGE, meeting_date)?,
        samples: stage_part(context, &QUALITY_SAMPLES, meeting_date)?,
        batches: SampleBatches::default(),
        reader: PageReader::default(),
        parser: WalkParser::default(),
        rejects: Vec::new(),
        fields: FieldCounts::default(),
    };
    let meetings = stage.meetings(&meeting_pages, &open(RawKind::Events)?)?;
    // Sorted by `<meeting_key>/`, so that participants are in the order of their keys.
    let mut keys: Vec<(String, MeetingIdentity)> =
        meetings.meetings().map(|(key, identity)| (key.to_owned(), identity.clone())).collect();
    let (meeting_rows, meeting_rejects) = meetings.finish();
    stage.rejects.extend(meeting_rejects);
    keys.sort_by_cached_key(|(key, _)| format!("{key}/"));
    for (meeting_key, identity) in &keys {
        stage.meeting(meeting_key, identity, &participant_pages, &quality_pages)?;
    }

    let mut parts = Vec::new();
    let optional_truncated = stage.optional_lists(&mut parts)?;
    let mut meetings_table = SmallTable::new(context, &MEETINGS, meeting_date)?;
    meetings_table.extend(meeting_rows)?;
    parts.extend(meetings_table.finish()?);
    parts.extend(stage.participants.finish()?);
    write_samples(&mut stage.batches, &mut stage.samples, 1)?;
    parts.extend(stage.samples.finish()?);
    parts.extend(stage.coverage.finish()?);
    let mut rejects_table = SmallTable::new(context, &REJECTS, meeting_date)?;
    rejects_table.extend(reject_rows(&REJECTS, stage.rejects, meeting_date))?;
    parts.extend(rejects_table.finish()?);
    Ok(StagedDate {
        publication: DatePublication { meeting_date, parts },
        fields: stage.fields,
        truncated: meeting_pages.truncated + participant_pages.truncated + quality_pages.truncated + optional_truncated,
    })
}

struct Stage<'a> {
    context: DateContext<'a>,
    meeting_date: i32,
    participants: SmallTable,
    coverage: SmallTable,
    samples: PartWriter,
    batches: SampleBatches,
    reader: PageReader,
    parser: WalkParser,
    rejects: Vec<Reject>,
    fields: FieldCounts,
}

impl<'a> Stage<'a> {
    /// Events first: the list says more, so it replaces their rows.
    fn meetings(&mut self, pages: &RawDate, events: &RawDate) -> Result<DateMeetings<'a>, DateError> {
        let mut walks: Vec<&WalkRef> =
            pages.units().flat_map(|(_, walks)| walks).filter(|walk| walk.is_whole()).collect();
        walks.sort_by_key(|walk| walk.requested_us);
        let mut meetings = DateMeetings::new(self.context.zone, self.meeting_date);
        for walk in events.units().flat_map(|(_, walks)| walks).filter(|walk| walk.is_whole()) {
            let items = ListWalk { items: event_items(events, walk)?, requested_us: walk.requested_us };
            let keys = MeetingKeys::new(walk.by_instance, &walk.known);
            meetings.add_walk(&items, walk.window, keys, &mut FieldCounts::default());
        }
        for walk in walks {
            let mut fields = FieldCounts::default();
            let items = list_walk(pages, walk, Endpoint::MeetingList)?;
            let keys = MeetingKeys::new(walk.by_instance, &walk.known);
            meetings.add_walk(&items, walk.window, keys, &mut fields);
            self.note_fields(&walk.run_id, &fields);
        }
        Ok(meetings)
    }

    /// Stages the tables of the optional lists. Returns the number of truncated checkpoints.
    fn optional_lists(&mut self, parts: &mut Vec<StagedPart>) -> Result<u64, DateError> {
        let lists = OptionalLists { raw_dir: self.context.raw_dir, zone: self.context.zone };
        let mut truncated = 0;
        for OptionalRows { table, run_id, day, truncated: of_list } in lists.of_date(self.meeting_date)? {
            let fields = FieldCounts { unknown: day.unknown_fields, ..FieldCounts::default() };
            self.note_fields(&run_id, &fields);
            self.rejects.extend(day.rejects);
            truncated += of_list;
            let mut rows = SmallTable::new(self.context, table, self.meeting_date)?;
            rows.extend(day.rows)?;
            parts.extend(rows.finish()?);
        }
        Ok(truncated)
    }

    fn meeting(
        &mut self,
        meeting_key: &str,
        identity: &MeetingIdentity,
        lists: &RawDate,
        quality: &RawDate,
    ) -> Result<(), DateError> {
        let mut meeting =
            MeetingParticipants::new(self.context.zone, self.meeting_date, meeting_key, &identity.meeting_no);
        let walks = lists.walks(meeting_key);
        for walk in walks.iter().filter(|walk| walk.is_whole()) {
            let mut fields = FieldCounts::default();
            meeting.add_walk(&list_walk(lists, walk, Endpoint::ParticipantList)?, &mut fields);
            self.note_fields(&walk.run_id, &fields);
        }
        let participants = meeting.finish();
        let counts = participants.iter().map(|participant| self.samples(meeting_key, participant, quality));
        let counts = counts.collect::<Result<Vec<u64>, DateError>>()?;
        let mut coverage = coverage_rows(
            meeting_key,
            self.meeting_date,
            &listing(walks, identity.number_of_participants, &participants),
            &participants,
            |participant| attempts(quality.walks(&participant.identity.base_key)),
            &counts,
        );
        coverage.sort_by(|a, b| key_text(a).cmp(key_text(b)));
        self.coverage.extend(coverage)?;
        let rows = participants.into_iter().map(|participant| {
            self.rejects.extend(participant.rejects);
            participant.row
        });
        self.participants.extend(rows.collect())
    }

    /// Parses the last complete walk of a participant. Returns its number of samples.
    fn samples(&mut self, meeting_key: &str, participant: &Participant, quality: &RawDate) -> Result<u64, DateError> {
        let unit = &participant.identity.base_key;
        let Some(walk) = quality.last_whole_walk(unit) else { return Ok(0) };
        let typed = typed_walk(&mut self.reader, &mut self.parser, quality, walk, participant)?;
        let fields = self.parser.take_fields();
        // Duplicate participants share a walk; its fields are counted with the first of them.
        if participant.participant_key == *unit {
            self.note_fields(&walk.run_id, &fields);
        }
        let mut rejects: Vec<Reject> = typed.rejects(&participant.participant_key, walk.requested_us).collect();
        if !rejects.is_empty() {
            first_seen(&mut rejects, participant, quality)?;
        }
        self.rejects.append(&mut rejects);
        self.batches.append(&participant.participant_key, meeting_key, &typed);
        write_samples(&mut self.batches, &mut self.samples, SAMPLE_BATCH_ROWS)?;
        Ok(typed.sample_count() as u64)
    }

    /// Counts the fields of this run's responses: earlier runs reported theirs. A rebuild has none of its own.
    fn note_fields(&mut self, run_id: &str, fields: &FieldCounts) {
        if self.context.counts_all_fields || run_id == self.context.run_id {
            self.fields.add(fields);
        }
    }
}

fn typed_walk(
    reader: &mut PageReader,
    parser: &mut WalkParser,
    quality: &RawDate,
    walk: &WalkRef,
    participant: &Participant,
) -> Result<TypedWalk, DateError> {
    let offset_min = participant.identity.join.map_or(0, |join| join.offset_min);
    parser.walk(&reader.bodies(quality, walk)?, offset_min).map_err(|source| match quality.pages(walk) {
        // The record around the response is damaged, too.
        Err(error) => error.into(),
        Ok(_) => DateError::Page { unit: participant.identity.base_key.clone(), source },
    })
}

/// Dates rejects back to the earliest response that had them, too.
fn first_seen(rejects: &mut [Reject], participant: &Participant, quality: &RawDate) -> Result<(), DateError> {
    // A separate parser: the fields of earlier responses have been counted.
    let (mut reader, mut parser) = (PageReader::default(), WalkParser::default());
    let walks = quality.walks(&participant.identity.base_key).iter().filter(|walk| walk.is_whole());
    let identity =
        |reject: &Reject| (reject.row_key.clone(), reject.column_name, reject.raw_text.clone(), reject.reason);
    // The rejects are of the last one.
    for walk in walks.rev().skip(1) {
        let typed = typed_walk(&mut reader, &mut parser, quality, walk, participant)?;
        let earlier: HashSet<_> =
            typed.rejects(&participant.participant_key, walk.requested_us).map(|reject| identity(&reject)).collect();
        for reject in rejects.iter_mut().filter(|reject| earlier.contains(&identity(reject))) {
            reject.first_seen_us = walk.requested_us;
        }
    }
    Ok(())
}

fn key_text(row: &Row) -> &str {
    match row.first() {
        Some(cell::Cell::Text(key)) => key,
        _ => "",
    }
}

fn list_walk(pages: &RawDate, walk: &WalkRef, endpoint: Endpoint) -> Result<ListWalk, DateError> {
    let items = walk_items(pages, walk, endpoint)?;
    Ok(ListWalk { items, requested_us: walk.requested_us })
}

/// The statuses of a list that was read to its end.
const IS_LISTED: [Status; 4] = [Status::Complete, Status::Empty, Status::Pending, Status::ListShort];

/// The state of a meeting's participant list, by its last walk and by how many people Feishu counts.
fn listing(walks: &[WalkRef], number_of_participants: Option<i64>, participants: &[Participant]) -> Listing {
    let Some(last) = walks.last() else { return Listing::Unlisted(None) };
    let listed = || {
        let mut people = PeopleCounter::default();
        participants.iter().for_each(|participant| people.add(participant.identity.id.as_ref(), 1));
        match number_of_participants.filter(|_| people.is_short_of(number_of_participants)) {
            None => Listing::Listed,
            Some(number) => Listing::Unlisted(attempts(walks).map(|state| short_list(state, number, people.people()))),
        }
    };
    match &last.end {
        Some(end) if end.whole && IS_LISTED.contains(&end.status) => listed(),
        // Rows of an earlier walk stand in for the meeting, except if the last one failed: then the list is pending.
        Some(end) if !end.whole && end.status != Status::Failed && walks.iter().any(WalkRef::is_whole) => listed(),
        _ => Listing::Unlisted(attempts(walks)),
    }
}

/// The state of a list with fewer people than Feishu counts.
fn short_list(state: FetchState, number_of_participants: i64, people: u64) -> FetchState {
    match state.status {
        Status::ListShort => FetchState { reason: list_short_reason(number_of_participants, people), ..state },
        Status::Complete | Status::Empty | Status::Pending if state.api_code == Some(0) => FetchState {
            status: Status::Pending,
            reason: format!("{}; the list will be requested again", list_short_reason(number_of_participants, people)),
            ..state
        },
        // Refused since: that is why it is short.
        _ => state,
    }
}

/// The attempts to fetch a unit, over all its walks.
fn attempts(walks: &[WalkRef]) -> Option<FetchState> {
    let (first, last) = (walks.first()?, walks.last()?);
    let end = last.end.as_ref();
    Some(FetchState {
        items: end.map_or(0, |end| end.items),
        attempts: walks.iter().map(|walk| walk.end.as_ref().map_or(1, |end| end.walks)).sum(),
        first_us: first.requested_us,
        last_us: last.requested_us,
        status: end.map_or(Status::Pending, |end| end.status),
        reason: end.map_or_else(|| "the run ended before the response arrived".to_owned(), |end| end.reason.clone()),
        api_code: end.and_then(|end| end.api_code),
        log_id: end.and_then(|end| end.log_id.clone()),
    })
}

fn stage_part(context: DateContext<'_>, table: &'static Table, meeting_date: i32) -> Result<PartWriter, LoadError> {
    PartWriter::create(context.work_dir, table, meeting_date, context.run_id, context.part_number)
}

fn write_samples(batches: &mut SampleBatches, part: &mut PartWriter, at_least: usize) -> Result<(), DateError> {
    if batches.row_count() < at_least {
        return Ok(());
    }
    let batch = batches.take().map_err(|source| DateError::Rows { table: QUALITY_SAMPLES.name, source })?;
    Ok(part.write(&batch)?)
}

struct SmallTable {
    table: &'static Table,
    part: PartWriter,
    rows: Vec<Row>,
}

impl SmallTable {
    fn new(context: DateContext<'_>, table: &'static Table, meeting_date: i32) -> Result<SmallTable, DateError> {
        Ok(SmallTable { table, part: stage_part(context, table, meeting_date)?, rows: Vec::new() })
    }

    fn extend(&mut self, rows: Vec<Row>) -> Result<(), DateError> {
        self.rows.extend(rows);
        if self.rows.len() >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), DateError> {
        let batch = cell::file_batch(self.table, &self.rows)
            .map_err(|source| DateError::Rows { table: self.table.name, source })?;
        self.rows.clear();
        Ok(self.part.write(&batch)?)
    }

    fn finish(mut self) -> Result<Option<StagedPart>, DateError> {
        self.flush()?;
        Ok(self.part.finish()?)
    }
}
