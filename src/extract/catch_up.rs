//! Indexes into the ledger what is in the raw log but not in the ledger, in the order of the requests.
//!
//! This is how a run recovers from one that was killed between writing an answer and committing it, and how a lost
//! ledger is rebuilt. No answer is requested twice because the ledger does not know it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::mpsc;

use super::events::{change as event_change, event_items};
use super::items::{ListedParticipant, ParticipantCollector, count_people, participant_changes, walk_items};
use super::meeting_item::{ListReader, Listed, ListedMeeting};
use super::raw_ends::RawEnds;
use super::writer::WriteError;
use crate::ledger::{Answer, Change, FileProgress, KnownParticipant, Ledger, LedgerError, USER_ID_TYPE};
use crate::raw_log::{RawDate, RawError, RawKind, WalkEnd, WalkRef, list_dates, list_files, relative_path};
use crate::schema::{Status, TenantZone};
use feishu_vc::{Endpoint, error_codes};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CaughtUp {
    pub walks: u64,
    pub dates: u64,
}

/// Indexes what the ledger does not know yet. If nothing is new, it only lists each directory. After an error, what was
/// indexed before stays.
pub(crate) fn catch_up(raw_dir: &Path, ledger: &Ledger, zone: &TenantZone) -> Result<CaughtUp, WriteError> {
    catch_up_to(raw_dir, ledger, zone, &RawEnds::default())
}

/// The same, without what is behind the ends of damaged files. The raw files are read while the ledger records what was
/// read before.
pub(crate) fn catch_up_to(
    raw_dir: &Path,
    ledger: &Ledger,
    zone: &TenantZone,
    ends: &RawEnds,
) -> Result<CaughtUp, WriteError> {
    let known = ledger.raw_files()?;
    let _many_changes = ledger.for_many_changes()?;
    let mut caught_up = CaughtUp::default();
    let mut dates = BTreeSet::new();
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(DATES_AHEAD);
        let needs_id_type = ledger.setting(USER_ID_TYPE)?.is_none();
        let reader = NewWalks { raw_dir, known: &known, zone, ends, needs_id_type };
        scope.spawn(move || {
            // Fails when the ledger has failed: nobody needs the rest.
            reader.read_all(|read| sender.send(read).is_ok());
        });
        for read in receiver {
            let DateRead { meeting_date, walks, user_id_type, files, decide } = read?;
            let mut changes = decide(ledger)?;
            if let Some(id_type) = user_id_type
                && ledger.setting(USER_ID_TYPE)?.is_none()
            {
                ledger.set_setting(USER_ID_TYPE, &id_type)?;
            }
            changes.extend(files);
            ledger.apply(changes.iter())?;
            caught_up.walks += walks;
            // A date has files of several kinds.
            dates.extend((walks > 0).then_some(meeting_date));
        }
        caught_up.dates = dates.len() as u64;
        Ok(caught_up)
    })
}

/// Dates that are read before the ledger has recorded those before them.
const DATES_AHEAD: usize = 2;

/// What the ledger learns, once it is asked what it has.
type Decide = Box<dyn FnOnce(&Ledger) -> Result<Vec<Change>, LedgerError> + Send>;

/// The new walks of one kind and date.
struct DateRead {
    meeting_date: i32,
    walks: u64,
    user_id_type: Option<String>,
    files: Vec<Change>,
    decide: Decide,
}

/// Reads what the ledger does not know.
struct NewWalks<'a> {
    raw_dir: &'a Path,
    known: &'a HashMap<String, FileProgress>,
    zone: &'a TenantZone,
    ends: &'a RawEnds,
    /// A rebuilt ledger takes the kind of user IDs from a recorded request.
    needs_id_type: bool,
}

impl NewWalks<'_> {
    /// Ends with the first error, or when `send` returns false.
    fn read_all(&self, mut send: impl FnMut(Result<DateRead, RawError>) -> bool) {
        // Lists before quality: the answer of a participant needs its row.
        for kind in RawKind::ALL {
            let dates = match list_dates(self.raw_dir, *kind) {
                Ok(dates) => dates,
                Err(error) => {
                    send(Err(error));
                    return;
                }
            };
            for meeting_date in dates {
                let read = self.read_date(*kind, meeting_date);
                let is_error = read.is_err();
                if read.transpose().is_some_and(|read| !send(read)) || is_error {
                    return;
                }
            }
        }
    }

    /// `None` if the files have no new bytes.
    fn read_date(&self, kind: RawKind, meeting_date: i32) -> Result<Option<DateRead>, RawError> {
        let NewWalks { raw_dir, known, zone, ends, needs_id_type } = self;
        if !has_new_bytes(raw_dir, kind, meeting_date, known)? {
            return Ok(None);
        }
        let date = RawDate::open_up_to(raw_dir, kind, meeting_date, &ends.uncut)?;
        let walks =
            date.walks_beyond(|path| known.get(&relative_path(raw_dir, path)).map_or(0, |file| file.indexed_bytes));
        let first = walks.first().filter(|_| *needs_id_type);
        let first_pages = first.map(|(_, walk)| date.pages(walk)).transpose()?;
        let id_type = first_pages.as_ref().and_then(|pages| pages.first()?.request.get(USER_ID_TYPE)?.as_str());
        let files = date.files().iter().filter_map(|file| {
            let path = relative_path(raw_dir, &file.path);
            let progress = FileProgress { indexed_bytes: file.whole_bytes, seen_bytes: file.bytes };
            // A file that has become shorter stays recorded with its old size: part of it is lost.
            let is_shorter = known.get(&path).is_some_and(|known| known.indexed_bytes > progress.indexed_bytes);
            (!is_shorter).then_some(Change::Indexed { path, progress })
        });
        Ok(Some(DateRead {
            meeting_date,
            walks: walks.len() as u64,
            user_id_type: id_type.map(str::to_owned),
            files: files.collect(),
            decide: match kind {
                RawKind::Meetings => read_meetings(&date, &walks, meeting_date, zone)?,
                RawKind::Events => read_events(&date, &walks, meeting_date, zone)?,
                kind if RawKind::DAILY.contains(&kind) => read_days(&walks, kind, meeting_date),
                kind => read_answers(&date, &walks, kind, meeting_date, zone)?,
            },
        }))
    }
}

fn has_new_bytes(
    raw_dir: &Path,
    kind: RawKind,
    meeting_date: i32,
    known: &HashMap<String, FileProgress>,
) -> Result<bool, RawError> {
    for path in list_files(raw_dir, kind, meeting_date)? {
        let bytes = fs::metadata(&path).map_err(RawError::io("cannot read", &path))?.len();
        if known.get(&relative_path(raw_dir, &path)).is_none_or(|file| file.seen_bytes < bytes) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Includes meetings of incomplete walks: they may have been fetched, so their answers need a row.
fn read_meetings(
    date: &RawDate,
    walks: &[(&str, &WalkRef)],
    meeting_date: i32,
    zone: &TenantZone,
) -> Result<Decide, RawError> {
    // `None` for a meeting whose start cannot be read.
    let mut listed: Vec<(Option<ListedMeeting>, bool)> = Vec::new();
    for (_, walk) in walks {
        let mut reader = ListReader::of_walk(zone, walk);
        for value in walk_items(date, walk, Endpoint::MeetingList)? {
            let Ok(item) = reader.item(&value, &());
            match item {
                Listed::Meeting(meeting) if meeting.meeting_date() == meeting_date => {
                    listed.push((Some(meeting), walk.is_whole()));
                }
                Listed::Unreadable if walk.is_whole() && zone.day_of(walk.requested_us) == meeting_date => {
                    listed.push((None, true));
                }
                _ => {}
            }
        }
    }
    Ok(Box::new(move |ledger| {
        let mut changes = Vec::new();
        let mut digests: BTreeMap<String, String> = BTreeMap::new();
        for (meeting, is_whole) in listed {
            let Some(meeting) = meeting else {
                changes.push(Change::Dirty { meeting_date });
                continue;
            };
            let known = match digests.get(&meeting.key) {
                Some(digest) => Some(digest.clone()),
                None => ledger.item_digest(&meeting.key)?,
            };
            let Some(change) = meeting.change(known.as_deref(), is_whole) else { continue };
            if let Change::Meeting { key, item_digest, .. } = &change {
                digests.insert(key.clone(), item_digest.clone());
            }
            changes.extend(is_whole.then_some(Change::Dirty { meeting_date }));
            changes.push(change);
        }
        Ok(changes)
    }))
}

/// Meetings that no list has returned yet.
fn read_events(
    date: &RawDate,
    walks: &[(&str, &WalkRef)],
    meeting_date: i32,
    zone: &TenantZone,
) -> Result<Decide, RawError> {
    let mut ended: Vec<ListedMeeting> = Vec::new();
    for (_, walk) in walks {
        let mut reader = ListReader::of_walk(zone, walk);
        for value in event_items(date, walk)? {
            let Ok(item) = reader.item(&value, &());
            ended.extend(match item {
                Listed::Meeting(meeting) if meeting.meeting_date() == meeting_date => Some(meeting),
                _ => None,
            });
        }
    }
    Ok(Box::new(move |ledger| {
        let mut changes = Vec::new();
        for meeting in ended {
            if ledger.item_digest(&meeting.key)?.is_none() {
                changes.extend([event_change(meeting), Change::Dirty { meeting_date }]);
            }
        }
        Ok(changes)
    }))
}

/// How each walk of a kind that is kept by day ended.
fn read_days(walks: &[(&str, &WalkRef)], kind: RawKind, day: i32) -> Decide {
    let ended = walks.iter().filter_map(|(_, walk)| Some((walk.end.as_ref()?, walk.requested_us)));
    let answers =
        ended.map(|(end, requested_us)| Change::DayAnswered { kind, day, answer: Answer::new(end, requested_us) });
    let changes = answers.chain([Change::Dirty { meeting_date: day }]).collect();
    Box::new(|_| Ok(changes))
}

/// How a walk over a list or over quality pages ended.
enum Ended {
    Reset { meeting_key: String },
    Listed { meeting_key: String, answer: Answer, listed: Vec<ListedParticipant> },
    Answered { base_key: String, answer: Answer },
}

/// How each list or quality walk ended, and the participants of complete lists.
fn read_answers(
    date: &RawDate,
    walks: &[(&str, &WalkRef)],
    kind: RawKind,
    meeting_date: i32,
    zone: &TenantZone,
) -> Result<Decide, RawError> {
    let mut ended = Vec::new();
    for (unit, walk) in walks {
        let Some(end) = &walk.end else { continue };
        let (unit, answer) = ((*unit).to_owned(), answer(end, walk.requested_us));
        ended.push(if end.is_reset {
            Ended::Reset { meeting_key: unit }
        } else if kind == RawKind::Quality {
            Ended::Answered { base_key: unit, answer }
        } else {
            let mut collector = ParticipantCollector::default();
            if end.whole {
                let items = walk_items(date, walk, Endpoint::ParticipantList)?;
                items.iter().for_each(|item| collector.add(item, &unit, zone));
            }
            Ended::Listed { meeting_key: unit, answer, listed: collector.finish() }
        });
    }
    Ok(Box::new(move |ledger| decide_answers(ended, meeting_date, ledger)))
}

fn decide_answers(ended: Vec<Ended>, meeting_date: i32, ledger: &Ledger) -> Result<Vec<Change>, LedgerError> {
    let mut changes = Vec::new();
    let mut known: HashMap<String, Vec<KnownParticipant>> = HashMap::new();
    for ended in ended {
        match ended {
            Ended::Reset { meeting_key } => {
                // The date stays as it is published until the meeting is listed again.
                known.insert(meeting_key.clone(), Vec::new());
                changes.push(Change::ListReset { meeting_key });
                continue;
            }
            Ended::Answered { base_key, answer } => changes.push(Change::Answered { base_key, answer }),
            Ended::Listed { meeting_key, answer, listed } => {
                // The ledger has those of earlier runs, but not yet those of the walks before this one.
                let known = match known.entry(meeting_key.clone()) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(vacant) => vacant.insert(ledger.known_participants(&meeting_key)?),
                };
                let people = count_people(known, &listed).people();
                known.extend(listed.iter().map(|one| KnownParticipant {
                    base_key: one.identity.base_key.clone(),
                    id: one.identity.id.clone(),
                    rows: one.rows,
                }));
                changes.extend(participant_changes(&meeting_key, listed));
                changes.push(Change::Listed { meeting_key, answer, people });
            }
        }
        changes.push(Change::Dirty { meeting_date });
    }
    Ok(changes)
}

/// Version 0.1.0 treated every unknown code as a final refusal. Such a unit is requested again.
fn answer(end: &WalkEnd, requested_us: i64) -> Answer {
    let answer = Answer::new(end, requested_us);
    let is_unlisted = end.api_code.is_some_and(|code| code != 0 && error_codes::find(code).is_none());
    match end.status {
        Status::Unsupported if is_unlisted => {
            Answer { status: Status::Failed, is_final: false, digest: None, ..answer }
        }
        _ => answer,
    }
}

#[cfg(test)]
#[path = "catch_up_tests.rs"]
mod tests;
