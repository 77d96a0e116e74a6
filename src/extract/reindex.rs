//! The ledger brought after the raw log: what is in a file and not in the ledger is taken in, in the order it was asked.
//!
//! That is how a run goes on after one that died between writing an answer and committing it, and how a ledger that is
//! lost is made again. An answer is never asked twice because the ledger forgot it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use super::items::list_items;
use super::listed::{ListReader, Listed};
use super::recorder::RecordError;
use crate::ledger::{Change, FileProgress, Ledger, USER_ID_TYPE};
use crate::raw_log::{
    RawDate, RawError, RawKind, WalkRef, date_in_path, lacks_only_last_record, list_dates, list_files, relative_path,
};
use crate::schema::TenantZone;
use crate::schema::identity::{Item, ParticipantIdentity};
use feishu_vc::Endpoint;

/// What was taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CaughtUp {
    /// Walks that the ledger did not know.
    pub walks: u64,
    /// Dates they are of.
    pub dates: u64,
}

/// Takes in what the ledger does not know yet. Costs a look at each folder where there is nothing.
///
/// # Errors
/// [`RecordError`]. What was taken in before stays.
pub(crate) fn catch_up(raw_dir: &Path, ledger: &Ledger, zone: &TenantZone) -> Result<CaughtUp, RecordError> {
    let known = ledger.raw_files()?;
    let mut caught_up = CaughtUp::default();
    let mut dates = BTreeSet::new();
    // Lists before quality: a participant's answer needs its row.
    for kind in RawKind::ALL {
        for meeting_date in list_dates(raw_dir, *kind)? {
            if !has_news(raw_dir, *kind, meeting_date, &known)? {
                continue;
            }
            let date = RawDate::open(raw_dir, *kind, meeting_date)?;
            let walks =
                date.walks_beyond(|path| known.get(&relative_path(raw_dir, path)).map_or(0, |file| file.indexed_bytes));
            let mut changes = match kind {
                RawKind::Meetings => meetings(&date, &walks, meeting_date, ledger, zone)?,
                RawKind::Participants => lists(&date, &walks, meeting_date, zone)?,
                RawKind::Quality => walks.iter().flat_map(|(unit, walk)| answered(unit, walk, meeting_date)).collect(),
            };
            if let Some((_, walk)) = walks.first() {
                remember_user_id_type(&date, walk, ledger)?;
            }
            changes.extend(date.files().iter().filter_map(|file| {
                let path = relative_path(raw_dir, &file.path);
                let progress = FileProgress { indexed_bytes: file.whole_bytes, seen_bytes: file.bytes };
                // A file that has become shorter stays known as it was: something of it is lost.
                let is_shorter = known.get(&path).is_some_and(|known| known.indexed_bytes > progress.indexed_bytes);
                (!is_shorter).then_some(Change::Indexed { path, progress })
            }));
            ledger.apply(changes.iter())?;
            caught_up.walks += walks.len() as u64;
            // A date has up to three kinds of answers.
            dates.extend((!walks.is_empty()).then_some(meeting_date));
        }
    }
    caught_up.dates = dates.len() as u64;
    Ok(caught_up)
}

/// The files of quality answers that the ledger has read and that are no longer there, or lack more than their last record:
/// by their path below `raw/`. What is lost of the lists shows in the rows that they would make.
fn lost_files(raw_dir: &Path, ledger: &Ledger) -> Result<HashMap<String, FileProgress>, RecordError> {
    let mut lost = HashMap::new();
    let is_quality = |path: &str| path.starts_with(RawKind::Quality.folder());
    for (path, indexed) in ledger.raw_files()?.into_iter().filter(|(path, _)| is_quality(path)) {
        let file = raw_dir.join(&path);
        let bytes = fs::metadata(&file).map_or(0, |metadata| metadata.len());
        if bytes < indexed.indexed_bytes && !lacks_only_last_record(&file, indexed.indexed_bytes) {
            lost.insert(path, indexed);
        }
    }
    Ok(lost)
}

/// The dates of which answers that the ledger has read are no longer in the raw log.
///
/// # Errors
/// [`RecordError`].
pub(crate) fn dates_with_lost_answers(raw_dir: &Path, ledger: &Ledger) -> Result<BTreeSet<i32>, RecordError> {
    Ok(lost_files(raw_dir, ledger)?.keys().filter_map(|path| date_in_path(path)).collect())
}

/// These dates were asked again and published anew: what was lost of them before is not missed any more.
///
/// # Errors
/// [`RecordError`].
pub(crate) fn accept_losses(raw_dir: &Path, ledger: &Ledger, dates: &BTreeSet<i32>) -> Result<(), RecordError> {
    if dates.is_empty() {
        return Ok(());
    }
    let lost = lost_files(raw_dir, ledger)?;
    let of_dates = lost.keys().filter(|path| date_in_path(path).is_some_and(|date| dates.contains(&date)));
    Ok(ledger.forget_raw_files(of_dates)?)
}

/// Forgets what the raw log holds too, to read it anew; what is lost from it stays known as lost.
///
/// # Errors
/// [`RecordError`].
pub(crate) fn forget_index(raw_dir: &Path, ledger: &Ledger) -> Result<(), RecordError> {
    let lost = lost_files(raw_dir, ledger)?;
    ledger.forget_index()?;
    Ok(ledger.remember_raw_files(&lost)?)
}

/// True where a file has bytes that the ledger has not seen.
fn has_news(
    raw_dir: &Path,
    kind: RawKind,
    meeting_date: i32,
    known: &HashMap<String, FileProgress>,
) -> Result<bool, RawError> {
    for path in list_files(raw_dir, kind, meeting_date)? {
        let metadata = fs::metadata(&path);
        let bytes =
            metadata.map_err(|source| RawError::Io { attempt: "cannot read", path: path.clone(), source })?.len();
        if known.get(&relative_path(raw_dir, &path)).is_none_or(|file| file.seen_bytes < bytes) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The meetings of a date. Those of a walk that is not whole were asked for all the same, so their answers need a row.
fn meetings(
    date: &RawDate,
    walks: &[(&str, &WalkRef)],
    meeting_date: i32,
    ledger: &Ledger,
    zone: &TenantZone,
) -> Result<Vec<Change>, RecordError> {
    let mut changes = Vec::new();
    let mut digests: BTreeMap<String, String> = BTreeMap::new();
    for (_, walk) in walks {
        let mut reader = ListReader::new(zone, walk.window_us.unwrap_or((i64::MIN, i64::MAX)));
        for value in items(date, walk, Endpoint::MeetingList)? {
            let meeting = match reader.item(&value) {
                Listed::Meeting(meeting) if meeting.meeting_date() == meeting_date => meeting,
                Listed::Unreadable if walk.is_whole() && zone.day_of(walk.requested_us) == meeting_date => {
                    changes.push(Change::Dirty { meeting_date });
                    continue;
                }
                _ => continue,
            };
            let before = match digests.get(&meeting.key) {
                Some(digest) => Some(digest.clone()),
                None => ledger.item_digest(&meeting.key)?,
            };
            let Some(change) = meeting.change(before.as_deref(), walk.is_whole()) else { continue };
            if let Change::Meeting { key, item_digest, .. } = &change {
                digests.insert(key.clone(), item_digest.clone());
            }
            changes.extend(walk.is_whole().then_some(Change::Dirty { meeting_date }));
            changes.push(change);
        }
    }
    Ok(changes)
}

/// The participants of whole lists, and how each list ended.
fn lists(
    date: &RawDate,
    walks: &[(&str, &WalkRef)],
    meeting_date: i32,
    zone: &TenantZone,
) -> Result<Vec<Change>, RecordError> {
    let mut changes = Vec::new();
    for (meeting_key, walk) in walks {
        let Some(end) = &walk.end else { continue };
        if end.whole {
            for item in items(date, walk, Endpoint::ParticipantList)? {
                let empty = Item::new();
                let identity = ParticipantIdentity::of(item.as_object().unwrap_or(&empty), meeting_key, zone);
                changes.push(Change::Participant { meeting_key: (*meeting_key).to_owned(), identity });
            }
        }
        changes.push(Change::Listed {
            meeting_key: (*meeting_key).to_owned(),
            status: end.status,
            is_final: end.is_final,
            digest: end.answer_digest(),
            requested_us: walk.requested_us,
        });
        changes.push(Change::Dirty { meeting_date });
    }
    Ok(changes)
}

/// How the asking for a participant ended.
fn answered(base_key: &str, walk: &WalkRef, meeting_date: i32) -> Vec<Change> {
    let Some(end) = &walk.end else { return Vec::new() };
    let answered = Change::Answered {
        base_key: base_key.to_owned(),
        status: end.status,
        is_final: end.is_final,
        digest: end.answer_digest(),
        items: end.items,
        requested_us: walk.requested_us,
    };
    vec![answered, Change::Dirty { meeting_date }]
}

fn items(date: &RawDate, walk: &WalkRef, endpoint: Endpoint) -> Result<Vec<serde_json::Value>, RawError> {
    let pages = date.pages(walk)?;
    Ok(pages.iter().flat_map(|page| list_items(page.response.get().as_bytes(), endpoint.list_key())).collect())
}

/// A ledger that was lost learns the kind of ids from what was asked.
fn remember_user_id_type(date: &RawDate, walk: &WalkRef, ledger: &Ledger) -> Result<(), RecordError> {
    if ledger.setting(USER_ID_TYPE)?.is_none()
        && let Some(request) = date.request(walk)?
        && let Some(kind) = request.get(USER_ID_TYPE).and_then(|kind| kind.as_str())
    {
        ledger.set_setting(USER_ID_TYPE, kind)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw_log::{Header, PageRecord, RAW_VERSION, RawWriter, WalkEnd, encode};
    use crate::schema::Status;

    /// A walk's end, of any kind.
    fn ended(whole: bool) -> WalkEnd {
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
            record: "page",
            endpoint: "meeting_list",
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
    fn a_list_that_broke_off_says_whom_to_ask_and_a_whole_one_what_is_due() {
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
            catch_up(&raw_dir, &ledger, &zone).expect("taken in");
            let dirty = ledger.dirty_dates().expect("read").first().map_or(0, |date| date.changes);
            let digest = ledger.item_digest("1-1671765419").expect("read").expect("known");
            let half_listed = ledger.partially_listed_dates((0, 0)).expect("read").contains(&meeting_date);
            let devices = ledger.meetings(i64::MIN, i64::MAX).expect("read")[0].devices;
            (dirty, digest.is_empty(), half_listed, devices)
        };
        assert_eq!(walk(1, None, 3), (0, true, true, 3), "killed in between");
        assert_eq!(walk(2, Some(ended(false)), 3), (0, true, true, 3), "it failed");
        let start_us = 1_671_765_419_000_000;
        let waits = |read_us| ledger.partially_listed_dates(read_us).expect("read").contains(&meeting_date);
        assert!(!waits((start_us, start_us + 1)), "a later list of its window does not have it");
        assert!(waits((start_us + 1, i64::MAX)) && waits((0, start_us)), "the list of another window says nothing");
        assert_eq!(walk(3, Some(ended(true)), 3), (1, false, false, 3), "new for what is published");
        assert_eq!(walk(4, None, 3), (1, false, false, 3), "nothing new");
        assert_eq!(walk(5, None, 4), (1, true, true, 4), "otherwise, but of a half list");
        assert_eq!(walk(6, Some(ended(true)), 4), (2, false, false, 4));
        // Made anew from the raw log it is the same.
        forget_index(&raw_dir, &ledger).expect("forgotten");
        catch_up(&raw_dir, &ledger, &zone).expect("taken in");
        assert_eq!(ledger.meetings(i64::MIN, i64::MAX).expect("read")[0].devices, 4);
        assert!(ledger.partially_listed_dates((0, 0)).expect("read").is_empty());
    }

    #[test]
    fn a_date_is_one_however_many_kinds_of_answers_it_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
        let raw_dir = folder.path().join("raw");
        let mut writer = RawWriter::new(&raw_dir, "r1");
        for (kind, meeting_date) in RawKind::ALL.iter().flat_map(|kind| [(*kind, 20_000), (*kind, 20_001)]) {
            let header = header(kind, 1, Some(ended(false)));
            writer.append(kind, meeting_date, &encode(header, &[]).expect("zstd")).expect("written");
        }
        writer.sync().expect("synced");
        let zone = TenantZone::parse("+08:00").expect("a zone");
        assert_eq!(catch_up(&raw_dir, &ledger, &zone).expect("taken in"), CaughtUp { walks: 6, dates: 2 });
        assert_eq!(catch_up(&raw_dir, &ledger, &zone).expect("nothing new"), CaughtUp::default());
    }
}
