//! Incidents in published stores: the same however the other rows were published, and searched where they may differ.

use std::ops::ControlFlow;
use std::sync::Mutex;

use duckdb::Connection;

use super::fixture::{DAY, NOW_US, Store, open_published, table_lines};
use super::*;
use crate::schema::cell::{Cell, Row};
use crate::schema::{INCIDENT_PARTICIPANTS, INCIDENTS, ROOMS, civil_date_text};
use crate::text::Language;

const JUDGED: &str = "
create or replace macro judged_participant_minutes(since := null, until := null, profile := 'cqd') as table
select participant_key, max(meeting_key) as meeting_key, meeting_date, count(*) as judged_minutes,
    count(*) filter (where audio_mic_input_volume_db > length(profile)) as poor_minutes,
    min(sample_time_utc) as first_minute_utc, max(sample_time_utc) as last_minute_utc, 0 as loss_minutes,
    0 as delay_minutes, 0 as jitter_minutes, 0 as frame_rate_minutes, 0 as cpu_minutes
from quality_samples
where meeting_date >= coalesce(cast(since as date), date '1900-01-01')
    and meeting_date < coalesce(cast(until as date), date '9999-12-31')
group by participant_key, meeting_date;";

/// An incident on about half of the dates: whether depends on the minutes and the incidents of the 28 days before.
#[derive(Default)]
struct Scripted {
    searched: Mutex<Vec<Vec<i32>>>,
}

impl Scripted {
    /// The dates of each search since the last call.
    fn take(&self) -> Vec<Vec<i32>> {
        std::mem::take(&mut self.searched.lock().expect("not poisoned"))
    }
}

impl IncidentSearch for Scripted {
    fn search(&self, connection: &Connection, profile: &str, dates: &[i32]) -> Result<IncidentRows, SearchError> {
        self.searched.lock().expect("not poisoned").push(dates.to_vec());
        let stored = "select cast(meeting_date - date '1970-01-01' as integer) from incidents order by 1";
        let stored: Vec<i32> = connection::rows(connection, stored, |row| row.get(0))?;
        let earlier = stored.iter().copied().filter(|date| *date < dates[0]);
        assert!(!stored.iter().any(|date| dates.contains(date)), "none of the dates that are searched");
        let mut with_incident: Vec<i32> = earlier.collect();
        let mut found = IncidentRows::default();
        for date in dates {
            let sql = format!(
                "select cast(coalesce(sum(judged_minutes), 0) as bigint), max(participant_key) from judged_participants \
                 where meeting_date between date '1970-01-01' + {} and date '1970-01-01' + {date}",
                date - 27
            );
            let (minutes, participant): (i64, Option<String>) =
                connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let before = with_incident.iter().filter(|other| (date - 28..*date).contains(other)).count();
            if (minutes + before as i64) % 2 == 0 {
                with_incident.push(*date);
                found.incidents.push(incident(*date, &format!("{profile} {minutes} {before}")));
                found.participants.push(vec![
                    Cell::Text(id(*date)),
                    Cell::Text(participant.unwrap_or_default()),
                    Cell::Whole(minutes),
                    Cell::Day(*date),
                ]);
            }
        }
        Ok(found)
    }
}

fn id(date: i32) -> String {
    format!("{}-acute-service-00000000", civil_date_text(date))
}

fn incident(date: i32, summary: &str) -> Row {
    let mut row: Row = vec![Cell::Null; INCIDENTS.columns.len()];
    let mut set = |name: &str, cell| row[INCIDENTS.position(name).expect("a column")] = cell;
    set("incident_id", Cell::Text(id(date)));
    set("summary", Cell::Text(summary.to_owned()));
    set("start_time_utc", Cell::Micros(i64::from(date) * 86_400_000_000));
    set("meeting_date", Cell::Day(date));
    row
}

fn script(name: &str, sql: &str) -> Script {
    Script { name: name.to_owned(), sql: sql.to_owned(), relation: None, parameters: String::new(), comment: None }
}

fn scripts() -> Vec<Script> {
    vec![script("judged", JUDGED)]
}

fn definitions<'a>(scripts: &'a [Script], search: &'a Scripted) -> Definitions<'a> {
    Definitions { scripts, incident_search: Some(search), ..Definitions::NONE }
}

/// Date, number of rows and their seed.
type Night = (i32, usize, u64);

fn stage(store: &Store, run_id: &str, date: i32, rows: usize, seed: u64) -> DatePublication {
    store.stage(run_id, date, &[("participants", rows / 20, seed), ("quality_samples", rows, seed)])
}

fn publish(store: &Store, run_id: &str, dates: &[Night], mode: PublishMode, definitions: Definitions<'_>) -> Published {
    let dates = dates.iter().map(|(date, rows, seed)| stage(store, run_id, *date, *rows, *seed)).collect();
    store.publication(run_id, dates, mode, definitions, &mut |_| ControlFlow::Continue(())).expect("published")
}

/// Table, date and checksum of a file.
type FileOfIncidents = (String, Option<String>, String);

/// Rows of the three tables, and the files of incidents.
fn incidents_of(store: &Store) -> (Vec<Vec<String>>, Vec<FileOfIncidents>) {
    store.assert_consistent();
    let connection = open_published(&store.paths).expect("open");
    let tables = ["incidents", "incident_participants", "judged_participants"];
    let files = store.manifest().files.into_iter().filter(|file| is_searched(&file.table));
    (
        tables.iter().map(|table| table_lines(&connection, table)).collect(),
        files.map(|file| (file.table, file.meeting_date, file.sha256)).collect(),
    )
}

/// A store published at once, as by a rebuild.
fn at_once(dates: &[Night]) -> Store {
    let (store, search, scripts) = (Store::new(), Scripted::default(), scripts());
    publish(&store, "once", dates, PublishMode::Replace, definitions(&scripts, &search));
    store
}

/// The dates of a store after each of which nothing happened on two days.
fn dates(count: i32) -> Vec<i32> {
    (0..count).filter(|day| day % 7 < 5).map(|day| DAY + day).collect()
}

/// The number of samples of a date in the end.
fn last_rows(date: i32) -> usize {
    85 + (date % 4) as usize
}

#[test]
fn nightly_publications_give_the_incidents_of_a_rebuild_byte_for_byte() {
    let (store, search, scripts) = (Store::new(), Scripted::default(), scripts());
    let nights = dates(42);
    for (n, date) in nights.iter().enumerate() {
        // The date before gets its final rows.
        let before = n.checked_sub(1).map(|before| (nights[before], last_rows(nights[before]), nights[before] as u64));
        let night = Vec::from_iter(before.into_iter().chain([(*date, 40, *date as u64)]));
        publish(&store, &format!("r{n}"), &night, PublishMode::Update, definitions(&scripts, &search));
    }
    let mut last = nights.iter().map(|date| (*date, last_rows(*date), *date as u64)).collect::<Vec<Night>>();
    last.last_mut().expect("a night").1 = 40;
    let (rows, files) = incidents_of(&store);
    assert!((10..nights.len()).contains(&rows[0].len()), "{} of {}", rows[0].len(), nights.len());
    assert_eq!((rows, files), incidents_of(&at_once(&last)));
    let last_night = nights[nights.len() - 2..].to_vec();
    assert_eq!(search.take().pop(), Some(last_night), "a night searches its own dates only");

    // A new database, as after a compaction, has the same rows; so has one that is searched again without a change.
    let before = incidents_of(&store);
    publish(&store, "recheck", &[], PublishMode::Recheck, definitions(&scripts, &search));
    assert_eq!(incidents_of(&store), before);
    search.take();
    let published = publish(&store, "same", &last[3..5], PublishMode::Update, definitions(&scripts, &search));
    assert_eq!((incidents_of(&store), published.dates_changed), (before, Vec::new()));
    assert_eq!(search.take(), Vec::<Vec<i32>>::new(), "rows that are the same need no search");
}

#[test]
fn late_data_changes_the_incidents_of_later_dates_as_far_as_they_depend_on_it() {
    let (store, search, scripts) = (Store::new(), Scripted::default(), scripts());
    let mut all: Vec<Night> = dates(85).iter().map(|date| (*date, 70, *date as u64)).collect();
    publish(&store, "r0", &all, PublishMode::Update, definitions(&scripts, &search));
    assert_eq!(search.take().len(), 1, "a new store is searched at once");
    // An old date changes, one is published for the first time, one loses all its rows.
    let last = all.last().expect("a date").0;
    for (n, change) in [(9, 61, 99), (12, 63, 8), (21, 0, 0)].into_iter().enumerate() {
        let (day, rows, seed) = change;
        let date = DAY + day;
        all.retain(|(other, _, _)| *other != date);
        if rows > 0 {
            all.push((date, rows, seed));
        }
        let run_id = format!("late{n}");
        publish(&store, &run_id, &[(date, rows, seed)], PublishMode::Update, definitions(&scripts, &search));
        let searched = search.take();
        let end = searched.iter().flatten().max().copied().expect("a search");
        assert!(end >= date + 50, "at least the eight weeks after it: {searched:?}");
        if n == 0 {
            assert_eq!(end, last, "each changed incident changes those of the four weeks after it");
        }
        assert_eq!(incidents_of(&store), incidents_of(&at_once(&all)), "{change:?}");
    }
}

#[test]
fn another_profile_and_other_definitions_are_judged_again() {
    let (store, search, scripts) = (Store::new(), Scripted::default(), scripts());
    let all: Vec<Night> = dates(12).iter().map(|date| (*date, 70, *date as u64)).collect();
    publish(&store, "r0", &all, PublishMode::Update, definitions(&scripts, &search));
    let cqd = incidents_of(&store);
    search.take();
    let strict = Definitions { profile: "huawei-red", ..definitions(&scripts, &search) };
    publish(&store, "r1", &[], PublishMode::Update, strict);
    let changed = incidents_of(&store);
    assert_eq!(search.take(), [dates(12)]);
    assert!(changed != cqd && changed.0[0].iter().all(|row| row.contains("huawei-red")), "{changed:?}");
    let profile: String = open_published(&store.paths)
        .expect("open")
        .query_row("select profile from meta", [], |row| row.get(0))
        .expect("a profile");
    assert_eq!(profile, "huawei-red");
    publish(&store, "r2", &[], PublishMode::Update, strict);
    assert_eq!(search.take(), Vec::<Vec<i32>>::new());
    publish(&store, "r3", &[], PublishMode::Update, definitions(&scripts, &search));
    assert_eq!((incidents_of(&store), search.take()), (cqd.clone(), vec![dates(12)]));
    let chinese = Definitions { language: Language::Chinese, ..definitions(&scripts, &search) };
    publish(&store, "r3-zh", &[], PublishMode::Update, chinese);
    assert_eq!(search.take(), Vec::<Vec<i32>>::new(), "comments in another language need no search");

    let more = [scripts, vec![script("v", "create view v as select 1;")]].concat();
    publish(&store, "r4", &[], PublishMode::Update, definitions(&more, &search));
    assert_eq!((incidents_of(&store), search.take()), (cqd, vec![dates(12)]));
}

#[test]
fn a_room_that_moves_is_searched_from_its_first_date_on() {
    let (store, search, scripts) = (Store::new(), Scripted::default(), scripts());
    let room = |building: &str| {
        let mut row: Row = vec![Cell::Null; ROOMS.columns.len()];
        row[ROOMS.position("room_id").expect("a column")] = Cell::Text("room".to_owned());
        row[ROOMS.position("building").expect("a column")] = Cell::Text(building.to_owned());
        [(&ROOMS, vec![row])]
    };
    let publish = |run_id: &str, dates: &[Night], building: &str| {
        let rooms = room(building);
        let publication = Publication {
            run_id,
            now_us: NOW_US,
            dates: dates.iter().map(|(date, rows, seed)| stage(&store, run_id, *date, *rows, *seed)).collect(),
            mode: PublishMode::Update,
            timezone: "+08:00",
            user_id_type: "open_id",
            definitions: definitions(&scripts, &search),
            reference_rows: &rooms,
            database: DatabaseOptions::default(),
        };
        super::publish(&store.paths, &publication, &mut |_| Ok(Vec::new()), &mut |_| ControlFlow::Continue(()))
            .expect("published");
        search.take()
    };
    let all: Vec<Night> = dates(12).iter().map(|date| (*date, 10, *date as u64)).collect();
    publish("r0", &all, "A");
    assert_eq!(publish("r1", &[], "A"), Vec::<Vec<i32>>::new());
    assert_eq!(publish("r2", &[], "B"), Vec::<Vec<i32>>::new(), "nobody was in it");
}

#[test]
fn a_store_without_incidents_has_an_empty_file_of_each_table() {
    struct Nothing;
    impl IncidentSearch for Nothing {
        fn search(&self, _: &Connection, _: &str, _: &[i32]) -> Result<IncidentRows, SearchError> {
            Ok(IncidentRows::default())
        }
    }
    let (store, scripts) = (Store::new(), scripts());
    let definitions = Definitions { scripts: &scripts, incident_search: Some(&Nothing), ..Definitions::NONE };
    for (n, date) in [DAY + 1, DAY + 2, DAY].into_iter().enumerate() {
        publish(&store, &format!("r{n}"), &[(date, 20, 1)], PublishMode::Update, definitions);
        store.assert_consistent();
        let first = civil_date_text(if n == 2 { DAY } else { DAY + 1 });
        for table in [&INCIDENTS, &INCIDENT_PARTICIPANTS] {
            let files = store.manifest().files.into_iter().filter(|file| file.table == table.name);
            let files: Vec<_> = files.map(|file| (file.meeting_date, file.rows)).collect();
            assert_eq!(files, [(Some(first.clone()), 0)], "{}", table.name);
        }
        assert_eq!(store.parts_on_disk().len(), store.manifest().files.len());
    }
}

#[test]
fn incidents_on_other_dates_are_refused() {
    struct Wrong;
    impl IncidentSearch for Wrong {
        fn search(&self, _: &Connection, _: &str, dates: &[i32]) -> Result<IncidentRows, SearchError> {
            Ok(IncidentRows { incidents: vec![incident(dates[0] + 1, "")], participants: Vec::new() })
        }
    }
    let (store, scripts) = (Store::new(), scripts());
    let definitions = Definitions { scripts: &scripts, incident_search: Some(&Wrong), ..Definitions::NONE };
    let dates = vec![stage(&store, "r0", DAY, 20, 1)];
    let error = store.try_publish_with("r0", dates, definitions).expect_err("refused");
    assert!(matches!(error, LoadError::Incidents { .. }), "{error}");
}
