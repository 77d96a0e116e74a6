//! Indexes into the ledger what is in the raw log but not in the ledger, in the order of the requests.
//!
//! This is how a run recovers from one that was killed between writing an answer and committing it, and how a lost
//! ledger is rebuilt. No answer is requested twice because the ledger does not know it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use super::events::{change as event_change, event_items};
use super::items::{ParticipantCollector, count_people, participant_changes, walk_items};
use super::meeting_item::{ListReader, Listed};
use super::raw_ends::RawEnds;
use super::writer::WriteError;
use crate::ledger::{Answer, Change, FileProgress, KnownParticipant, Ledger, USER_ID_TYPE};
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

/// The same, without what is behind the ends of damaged files.
pub(crate) fn catch_up_to(
    raw_dir: &Path,
    ledger: &Ledger,
    zone: &TenantZone,
    ends: &RawEnds,
) -> Result<CaughtUp, WriteError> {
    let known = ledger.raw_files()?;
    let mut caught_up = CaughtUp::default();
    let mut dates = BTreeSet::new();
    // Lists before quality: the answer of a participant needs its row.
    for kind in RawKind::ALL {
        for meeting_date in list_dates(raw_dir, *kind)? {
            if !has_new_bytes(raw_dir, *kind, meeting_date, &known)? {
                continue;
            }
            let date = RawDate::open_up_to(raw_dir, *kind, meeting_date, &ends.uncut)?;
            let walks =
                date.walks_beyond(|path| known.get(&relative_path(raw_dir, path)).map_or(0, |file| file.indexed_bytes));
            let mut changes = match kind {
                RawKind::Meetings => index_meetings(&date, &walks, meeting_date, ledger, zone)?,
                RawKind::Events => index_events(&date, &walks, meeting_date, ledger, zone)?,
                kind if RawKind::DAILY.contains(kind) => index_days(&walks, *kind, meeting_date),
                _ => index_answers(&date, &walks, *kind, meeting_date, ledger, zone)?,
            };
            // A rebuilt ledger takes the kind of user IDs from a recorded request.
            if ledger.setting(USER_ID_TYPE)?.is_none()
                && let Some((_, walk)) = walks.first()
                && let Some(page) = date.pages(walk)?.first()
                && let Some(id_type) = page.request.get(USER_ID_TYPE).and_then(|id_type| id_type.as_str())
            {
                ledger.set_setting(USER_ID_TYPE, id_type)?;
            }
            changes.extend(date.files().iter().filter_map(|file| {
                let path = relative_path(raw_dir, &file.path);
                let progress = FileProgress { indexed_bytes: file.whole_bytes, seen_bytes: file.bytes };
                // A file that has become shorter stays recorded with its old size: part of it is lost.
                let is_shorter = known.get(&path).is_some_and(|known| known.indexed_bytes > progress.indexed_bytes);
                (!is_shorter).then_some(Change::Indexed { path, progress })
            }));
            ledger.apply(changes.iter())?;
            caught_up.walks += walks.len() as u64;
            // A date has files of several kinds.
            dates.extend((!walks.is_empty()).then_some(meeting_date));
        }
    }
    caught_up.dates = dates.len() as u64;
    Ok(caught_up)
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
fn index_meetings(
    date: &RawDate,
    walks: &[(&str, &WalkRef)],
    meeting_date: i32,
    ledger: &Ledger,
    zone: &TenantZone,
) -> Result<Vec<Change>, WriteError> {
    let mut changes = Vec::new();
    let mut digests: BTreeMap<String, String> = BTreeMap::new();
    for (_, walk) in walks {
        let mut reader = ListReader::of_walk(zone, walk);
        for value in walk_items(date, walk, Endpoint::MeetingList)? {
            let Ok(listed) = reader.item(&value, &());
            let meeting = match listed {
                Listed::Meeting(meeting) if meeting.meeting_date() == meeting_date => meeting,
                Listed::Unreadable if walk.is_whole() && zone.day_of(walk.requested_us) == meeting_date => {
                    changes.push(Change::Dirty { meeting_date });
                    continue;
                }
                _ => continue,
            };
            let known = match digests.get(&meeting.key) {
                Some(digest) => Some(digest.clone()),
                None => ledger.item_digest(&meeting.key)?,
            };
            let Some(change) = meeting.change(known.as_deref(), walk.is_whole()) else { continue };
            if let Change::Meeting { key, item_digest, .. } = &change {
                digests.insert(key.clone(), item_digest.clone());
            }
            changes.extend(walk.is_whole().then_some(Change::Dirty { meeting_date }));
            changes.push(change);
        }
    }
    Ok(changes)
}

/// Meetings that no list has returned yet.
fn index_events(
    date: &RawDate,
    walks: &[(&str, &WalkRef)],
    meeting_date: i32,
    ledger: &Ledger,
    zone: &TenantZone,
) -> Result<Vec<Change>, WriteError> {
    let mut changes = Vec::new();
    for (_, walk) in walks {
        let mut reader = ListReader::of_walk(zone, walk);
        for value in event_items(date, walk)? {
            let Ok(Listed::Meeting(meeting)) = reader.item(&value, &()) else { continue };
            if meeting.meeting_date() == meeting_date && ledger.item_digest(&meeting.key)?.is_none() {
                changes.extend([event_change(meeting), Change::Dirty { meeting_date }]);
            }
        }
    }
    Ok(changes)
}

/// How each walk of a kind that is kept by day ended.
fn index_days(walks: &[(&str, &WalkRef)], kind: RawKind, day: i32) -> Vec<Change> {
    let ended = walks.iter().filter_map(|(_, walk)| Some((walk.end.as_ref()?, walk.requested_us)));
    let answers =
        ended.map(|(end, requested_us)| Change::DayAnswered { kind, day, answer: Answer::new(end, requested_us) });
    answers.chain([Change::Dirty { meeting_date: day }]).collect()
}

/// How each list or quality walk ended, and the participants of complete lists.
fn index_answers(
    date: &RawDate,
    walks: &[(&str, &WalkRef)],
    kind: RawKind,
    meeting_date: i32,
    ledger: &Ledger,
    zone: &TenantZone,
) -> Result<Vec<Change>, WriteError> {
    let mut changes = Vec::new();
    let mut known: HashMap<String, Vec<KnownParticipant>> = HashMap::new();
    for (unit, walk) in walks {
        let Some(end) = &walk.end else { continue };
        let (unit, answer) = ((*unit).to_owned(), answer(end, walk.requested_us));
        if end.is_reset {
            // The date stays as it is published until the meeting is listed again.
            known.insert(unit.clone(), Vec::new());
            changes.push(Change::ListReset { meeting_key: unit });
            continue;
        }
        if kind == RawKind::Quality {
            changes.push(Change::Answered { base_key: unit, answer });
        } else {
            let mut collector = ParticipantCollector::default();
            if end.whole {
                let items = walk_items(date, walk, Endpoint::ParticipantList)?;
                items.iter().for_each(|item| collector.add(item, &unit, zone));
            }
            let listed = collector.finish();
            // The ledger has those of earlier runs, but not yet those of the walks before this one.
            let known = match known.entry(unit.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(vacant) => vacant.insert(ledger.known_participants(&unit)?),
            };
            let people = count_people(known, &listed).people();
            known.extend(listed.iter().map(|one| KnownParticipant {
                base_key: one.identity.base_key.clone(),
                id: one.identity.id.clone(),
                rows: one.rows,
            }));
            changes.extend(participant_changes(&unit, listed));
            changes.push(Change::Listed { meeting_key: unit, answer, people });
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
mod tests {
    use super::super::lost_files::forget_index;
    use super::*;
    use crate::raw_log::{Header, PageRecord, RAW_VERSION, RawWriter, encode};

    fn walk_end(whole: bool) -> WalkEnd {
        WalkEnd {
            whole,
            status: if whole { Status::Complete } else { Status::Failed },
            reason: "because".to_owned(),
            is_final: false,
            api_code: None,
            log_id: None,
            items: 0,
            digest: String::new(),
            requests: 1,
            walks: 1,
            ..WalkEnd::default()
        }
    }

    fn header(kind: RawKind, requested_us: i64, end: Option<WalkEnd>) -> Header {
        Header {
            v: RAW_VERSION,
            run_id: "r1".to_owned(),
            kind,
            unit: "u".to_owned(),
            requested_us,
            window_us: None,
            known: Vec::new(),
            end,
            bytes: 0,
        }
    }

    fn page(devices: u64) -> PageRecord {
        let body = format!(
            r#"{{"code":0,"data":{{"meeting_list":[{{"meeting_id":"1","meeting_start_time":"2022.12.23 11:16:59 (GMT+08:00)",
            "meeting_end_time":"2022.12.23 11:18:51","number_of_devices":{devices}}}]}}}}"#
        );
        let (response, response_text) = PageRecord::body(body.as_bytes());
        PageRecord {
            record: "page".into(),
            endpoint: "meeting_list".into(),
            request: serde_json::Map::new(),
            requested_utc: "2022-12-24T00:00:00Z".to_owned(),
            elapsed_ms: 1,
            http_status: 200,
            log_id: None,
            response,
            response_text,
        }
    }

    #[test]
    fn an_incomplete_list_makes_meetings_known_and_a_complete_one_publishable() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
        let raw_dir = folder.path().join("raw");
        let zone = TenantZone::parse("+08:00").expect("a zone");
        let meeting_date = 19_349;
        let mut writer = RawWriter::new(&raw_dir, "r1");
        let mut walk = |requested_us: i64, end: Option<WalkEnd>, devices: u64| {
            let header = header(RawKind::Meetings, requested_us, end);
            writer
                .append(RawKind::Meetings, meeting_date, &encode(header, &[page(devices)]).expect("zstd"))
                .expect("written");
            writer.sync().expect("synced");
            catch_up(&raw_dir, &ledger, &zone).expect("indexed");
            let dirty = ledger.dirty_dates().expect("read").first().map_or(0, |date| date.changes);
            let digest = ledger.item_digest("1-1671765419").expect("read").expect("known");
            let partially_listed = ledger.partially_listed_dates((0, 0)).expect("read").contains(&meeting_date);
            let devices = ledger.meetings(i64::MIN, i64::MAX).expect("read")[0].devices;
            (dirty, digest.is_empty(), partially_listed, devices)
        };
        assert_eq!(walk(1, None, 3), (0, true, true, 3), "killed");
        assert_eq!(walk(2, Some(walk_end(false)), 3), (0, true, true, 3), "failed");
        let start_us = 1_671_765_419_000_000;
        let waits = |read_us| ledger.partially_listed_dates(read_us).expect("read").contains(&meeting_date);
        assert!(!waits((start_us, start_us + 1)), "a later list of its window does not contain it");
        let end_us = 1_671_765_531_000_000;
        assert!(!waits((end_us, i64::MAX)), "it overlaps that window");
        assert!(waits((end_us + 1, i64::MAX)) && waits((0, start_us)), "the list of another window says nothing");
        assert_eq!(walk(3, Some(walk_end(true)), 3), (1, false, false, 3), "not published yet");
        assert_eq!(walk(4, None, 3), (1, false, false, 3), "nothing new");
        assert_eq!(walk(5, None, 4), (1, true, true, 4), "changed, but in an incomplete list");
        assert_eq!(walk(6, Some(walk_end(true)), 4), (2, false, false, 4));
        // Rebuilt from the raw log it is the same.
        forget_index(&raw_dir, &ledger).expect("forgotten");
        catch_up(&raw_dir, &ledger, &zone).expect("indexed");
        assert_eq!(ledger.meetings(i64::MIN, i64::MAX).expect("read")[0].devices, 4);
        assert!(ledger.partially_listed_dates((0, 0)).expect("read").is_empty());
    }

    #[test]
    fn the_days_of_a_rebuilt_ledger_are_those_of_the_raw_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
        let raw_dir = folder.path().join("raw");
        let zone = TenantZone::parse("+08:00").expect("a zone");
        let mut writer = RawWriter::new(&raw_dir, "r1");
        for (requested_us, whole) in [(1, true), (2, false)] {
            for kind in RawKind::DAILY {
                let end = WalkEnd { digest: if whole { "d" } else { "" }.to_owned(), ..walk_end(whole) };
                let header = Header { unit: "2024-10-04".to_owned(), ..header(*kind, requested_us, Some(end)) };
                writer.append(*kind, 20_000, &encode(header, &[]).expect("zstd")).expect("written");
            }
        }
        writer.sync().expect("synced");
        for _ in 0..2 {
            catch_up(&raw_dir, &ledger, &zone).expect("indexed");
            for kind in RawKind::DAILY {
                let days = ledger.days(*kind).expect("read");
                let day = &days[&20_000];
                assert_eq!((days.len(), day.status.as_str(), day.last_us), (1, "failed", 2), "{kind:?}");
                assert_eq!(day.digest.as_deref(), Some("d"), "of the last complete answer");
            }
            assert_eq!(ledger.dirty_dates().expect("read").len(), 1);
            forget_index(&raw_dir, &ledger).expect("forgotten");
        }
    }

    #[test]
    fn a_refusal_with_an_unlisted_code_is_not_final() {
        let of = |api_code| {
            let end = WalkEnd { status: Status::Unsupported, is_final: true, api_code, ..walk_end(false) };
            let answer = answer(&end, 1);
            (answer.status, answer.is_final)
        };
        assert_eq!(of(Some(2_200)), (Status::Failed, false));
        assert_eq!(of(Some(121_002)), (Status::Unsupported, true));
        assert_eq!(of(None), (Status::Unsupported, true), "no id, or no join time");
    }

    #[test]
    fn a_date_is_counted_once_whatever_kinds_of_files_it_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
        let raw_dir = folder.path().join("raw");
        let mut writer = RawWriter::new(&raw_dir, "r1");
        for (kind, meeting_date) in RawKind::LISTS.iter().flat_map(|kind| [(*kind, 20_000), (*kind, 20_001)]) {
            let header = header(kind, 1, Some(walk_end(false)));
            writer.append(kind, meeting_date, &encode(header, &[]).expect("zstd")).expect("written");
        }
        writer.sync().expect("synced");
        let zone = TenantZone::parse("+08:00").expect("a zone");
        assert_eq!(catch_up(&raw_dir, &ledger, &zone).expect("indexed"), CaughtUp { walks: 6, dates: 2 });
        assert_eq!(catch_up(&raw_dir, &ledger, &zone).expect("nothing new"), CaughtUp::default());
    }
}
