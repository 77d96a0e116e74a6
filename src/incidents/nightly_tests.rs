//! The same incidents night after night, with late data, by a search over all dates, and with tokens of IDs on some
//! dates: on a database in memory.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use duckdb::Connection;
use proptest::prelude::*;

use super::constants::HISTORY_DAYS;
use super::data::{Day, WhoKind};
use super::find::find;
use super::history::{History, TokenOf};
use super::incident::{Incident, Metric, ScopeKind};
use super::search_tests::{FIRST, Tenant, noise, tenant_of};
use crate::schema::civil_date_text;

const DAYS: i32 = 64;

/// In another order than the IDs.
fn token_of(id: &str) -> Cow<'_, str> {
    match id.strip_prefix("person ").and_then(|number| number.parse::<u64>().ok()) {
        Some(number) => Cow::Owned(format!("p-{:016x}", (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))),
        None => Cow::Borrowed(id),
    }
}

pub(super) struct Store {
    connection: Connection,
    /// Dates before this one have tokens of IDs.
    tokens_before: Option<i32>,
    pub(super) found: BTreeMap<i32, Vec<Incident>>,
}

impl Store {
    pub(super) fn new() -> Store {
        let connection = Connection::open_in_memory().expect("a database");
        let numbers = ["loss", "delay", "jitter", "frame_rate", "cpu"].map(|one| format!("{one}_minutes integer"));
        let facts = ["who", "who_kind", "building", "egress", "subnet", "room_id", "meeting_key", "user_id"];
        let more = ["app_version", "device", "network_kind", "location", "participant_name"];
        let texts = facts.iter().chain(&more).map(|one| format!("{one} text")).collect::<Vec<_>>().join(", ");
        let times = "is_home_like boolean, join_time_utc timestamp, join_time_local timestamp";
        let sql = format!(
            "create table participants (participant_key text, meeting_date date, {texts}, {times});
            create view participant_facts as from participants;
            create table judged_participants (participant_key text, meeting_date date, judged_minutes integer, {},
                first_minute_utc timestamp, last_minute_utc timestamp);
            create table meetings (meeting_key text, meeting_date date, meeting_topic text, meeting_no text);
            create table minutes
                (participant_key text, meeting_date date, metric text, direction text, minute_utc timestamp);
            create macro cause_minutes(since, until, profile) as table
                from minutes where meeting_date >= since and meeting_date < until;
            create macro judged_participant_minutes(since, until, profile) as table
                from judged_participants where meeting_date >= since and meeting_date < until;
            create macro limits(profile) as table select 10.0 as incident_critical_people,
                5.0 as incident_major_people, 50.0 as incident_major_poor_pct;
            create table incidents (incident_id text, kind text, scope_kind text, scope text, metric text,
                meeting_date date, start_time_utc timestamp, start_time_local timestamp, end_time_utc timestamp,
                poor_minutes integer, judged_minutes integer);
            create table incident_participants (incident_id text, participant_key text, meeting_date date);",
            numbers.join(", ")
        );
        connection.execute_batch(&sql).expect("tables");
        Store { connection, tokens_before: None, found: BTreeMap::new() }
    }

    pub(super) fn publish(&self, tenant: &Tenant, day: &Day) {
        let date = civil_date_text(day.date);
        let time = |minute: i32| format!("make_timestamp({})", i64::from(minute) * 60_000_000);
        let (mut participants, mut judged) = (Vec::new(), Vec::new());
        for session in &day.sessions {
            let text = |kind: ScopeKind| match session.scope(kind) {
                0 => "null".to_owned(),
                scope => format!("'{}'", tenant.names.value(kind, scope)),
            };
            let id = tenant.names.value(ScopeKind::Person, session.scope(ScopeKind::Person));
            let is_token = self.tokens_before.is_some_and(|before| day.date < before);
            let id = if is_token { token_of(id) } else { Cow::Borrowed(id) };
            let (who, who_kind, user_id) = match session.who_kind {
                WhoKind::Person => (format!("'{id}'"), "'person'", format!("'{id}'")),
                WhoKind::Room => (text(ScopeKind::Room), "'room'", "null".to_owned()),
                WhoKind::Guest => (format!("'{}'", session.key), "'guest'", "null".to_owned()),
            };
            let texts = [
                who,
                who_kind.to_owned(),
                text(ScopeKind::Site),
                text(ScopeKind::Egress),
                text(ScopeKind::Subnet),
                text(ScopeKind::Room),
                text(ScopeKind::Meeting),
                user_id,
                text(ScopeKind::AppVersion),
                text(ScopeKind::Device),
                text(ScopeKind::NetworkType),
                text(ScopeKind::Location),
                format!("'name of {id}'"),
            ];
            let (first, last) = (time(session.first), time(session.last));
            let is_home_like = session.is_home_like;
            let texts = texts.join(", ");
            participants.push(format!("('{}', '{date}', {texts}, {is_home_like}, {first}, {first})", session.key));
            let minutes = session.minutes.map(|minutes| minutes.to_string()).join(", ");
            judged
                .push(format!("('{}', '{date}', {}, {minutes}, {first}, {last})", session.key, session.judged_minutes));
        }
        let minute = |one: &super::data::CauseMinute| {
            let key = &day.sessions[one.session as usize].key;
            let (metric, direction) = (one.metric.name(), one.direction.name());
            format!("('{key}', '{date}', '{metric}', '{direction}', {})", time(one.minute))
        };
        let minutes: Vec<String> = day.minutes.iter().map(minute).collect();
        for (table, rows) in [("participants", participants), ("judged_participants", judged), ("minutes", minutes)] {
            if !rows.is_empty() {
                let sql = format!("insert into {table} values {}", rows.join(", "));
                self.connection.execute_batch(&sql).expect("rows");
            }
        }
    }

    /// Searches dates again and stores what is found. Returns those with other incidents than before.
    pub(super) fn search(&mut self, dates: &[i32]) -> BTreeSet<i32> {
        let mut sql = String::new();
        for date in dates {
            for table in ["incidents", "incident_participants"] {
                sql += &format!("delete from {table} where meeting_date = date '{}';", civil_date_text(*date));
            }
        }
        self.connection.execute_batch(&sql).expect("delete");
        let mut found: BTreeMap<i32, Vec<Incident>> = dates.iter().map(|date| (*date, Vec::new())).collect();
        let token_of: Option<TokenOf<'_>> = if self.tokens_before.is_some() { Some(&token_of) } else { None };
        for one in find(&self.connection, "standard", History::Stored, token_of, dates).expect("a search") {
            self.insert(&one);
            found.get_mut(&one.meeting_date).expect("one of the dates").push(one);
        }
        let differs = |(date, rows): &(&i32, &Vec<Incident>)| self.found.get(date) != Some(rows);
        let changed = found.iter().filter(differs).map(|(date, _)| *date).collect();
        self.found.extend(found);
        changed
    }

    fn insert(&self, one: &Incident) {
        let date = civil_date_text(one.meeting_date);
        let sql = format!(
            "insert into incidents values ('{}', '{}', '{}', '{}', '{}', '{date}', make_timestamp({}),
                make_timestamp({}), make_timestamp({}), {}, {})",
            one.incident_id,
            one.kind.name(),
            one.scope_kind.name(),
            one.scope,
            one.metric.name(),
            one.start_utc_us,
            one.start_local_us,
            one.end_utc_us,
            one.poor_minutes,
            one.judged_minutes,
        );
        self.connection.execute_batch(&sql).expect("an incident");
        for (key, _) in &one.sessions {
            let sql = format!("insert into incident_participants values ('{}', '{key}', '{date}')", one.incident_id);
            self.connection.execute_batch(&sql).expect("a participant");
        }
    }
}

/// A building, a version and a person with trouble for some days, and an outage of everybody.
fn troubled(seed: u64) -> Tenant {
    let random = move |at: u64| (seed.wrapping_add(at).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) as i32;
    let spans = [0, 1, 2].map(|at| (random(at) % 45, 2 + random(at + 10) % 20));
    let all = 5 + random(30) % 40;
    tenant_of(DAYS, &move |day, person, slot, minute| {
        let bad = |at: usize| (spans[at].0..spans[at].0 + spans[at].1).contains(&day) && (minute + day) % 3 != 0;
        match person {
            _ if day == all && slot == 1 && minute > 9 => Some(Metric::Delay),
            0..10 if bad(0) => Some(Metric::Loss),
            _ if bad(1) && person % 5 == 1 => Some(Metric::Jitter),
            17 if bad(2) => Some(Metric::Cpu),
            _ => noise(day, person, slot, minute),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1, ..ProptestConfig::default() })]
    #[test]
    fn nights_and_late_data_give_the_incidents_of_one_search(seed in 1_u64..1_000_000, late in 0_i32..12) {
        let tenant = troubled(seed);
        let dates: Vec<i32> = tenant.days.iter().map(|day| day.date).collect();
        let at_once = |days: &[&Day]| {
            let mut store = Store::new();
            days.iter().for_each(|day| store.publish(&tenant, day));
            store.search(&days.iter().map(|day| day.date).collect::<Vec<_>>());
            store.found
        };

        // One date comes last.
        let late = FIRST + late;
        let before_it_comes: Vec<&Day> = tenant.days.iter().filter(|day| day.date != late).collect();
        let mut nightly = Store::new();
        for day in &before_it_comes {
            nightly.publish(&tenant, day);
            nightly.search(&[day.date]);
        }
        for (date, found) in at_once(&before_it_comes) {
            prop_assert_eq!(nightly.found.get(&date), Some(&found), "{}", date - FIRST);
        }
        nightly.publish(&tenant, &tenant.days[(late - FIRST) as usize]);
        // As a publication does: the dates that the data can change, and on until the incidents stay the same.
        let last = dates[dates.len() - 1];
        let (mut from, mut until) = (late, last.min(late + 2 * HISTORY_DAYS));
        while from <= until {
            let changed = nightly.search(&(from..=until).collect::<Vec<_>>());
            from = until + 1;
            until = changed.last().map_or(until, |date| last.min(date + HISTORY_DAYS)).max(until);
        }
        let at_once = at_once(&tenant.days.iter().collect::<Vec<_>>());
        prop_assert!(at_once.values().any(|rows| !rows.is_empty()));
        for (date, found) in at_once {
            prop_assert_eq!(nightly.found.get(&date), Some(&found), "{}", date - FIRST);
        }
    }
}

#[test]
fn a_person_is_one_person_before_and_after_the_day_from_which_ids_are_kept() {
    let tenant = tenant_of(DAYS, &|day, person, slot, minute| match person {
        17 if (18..40).contains(&day) && (minute + day) % 3 != 0 => Some(Metric::Cpu),
        9 if (26..29).contains(&day) && minute > 3 => Some(Metric::Loss),
        0..10 if (22..34).contains(&day) && minute % 3 == 0 => Some(Metric::Jitter),
        _ if day == 30 && slot == 1 && minute > 9 => Some(Metric::Delay),
        _ => noise(day, person, slot, minute),
    });
    let dates: Vec<i32> = tenant.days.iter().map(|day| day.date).collect();
    let found = |tokens_before: Option<i32>| {
        let mut store = Store { tokens_before, ..Store::new() };
        tenant.days.iter().for_each(|day| store.publish(&tenant, day));
        store.search(&dates);
        store.found
    };
    let boundary = FIRST + 27;
    let (with_ids, with_both) = (found(None), found(Some(boundary)));
    let is_person = |one: &&Incident| one.scope_kind == ScopeKind::Person;
    let of_people = || with_both.values().flatten().filter(is_person);
    assert!(of_people().any(|one| one.meeting_date < boundary) && of_people().any(|one| one.meeting_date > boundary));
    for one in of_people() {
        assert_eq!(one.scope.starts_with("p-"), one.meeting_date < boundary, "as the rows of its date: {one:?}");
        assert!(one.summary.contains(&format!("name of {}", one.scope)), "{}", one.summary);
    }
    for (date, expected) in &with_ids {
        let comparable = |rows: &[Incident]| {
            let without_identity = |one: &Incident| Incident {
                incident_id: String::new(),
                summary: String::new(),
                scope: if is_person(&one) { token_of(&one.scope).into_owned() } else { one.scope.clone() },
                ..one.clone()
            };
            let mut rows: Vec<Incident> = rows.iter().map(without_identity).collect();
            rows.sort_by(|left, right| {
                (&left.scope, left.metric, left.start_utc_us).cmp(&(&right.scope, right.metric, right.start_utc_us))
            });
            rows
        };
        assert_eq!(comparable(&with_both[date]), comparable(expected), "{}", date - FIRST);
    }
}

/// Another profile has no stored incidents.
#[test]
fn without_stored_incidents_a_search_begins_two_weeks_before_its_dates() {
    let tenant = tenant_of(DAYS, &|day, person, slot, minute| match person {
        17 if day >= 20 && (minute + day) % 3 != 0 => Some(Metric::Cpu),
        0..10 if (53..56).contains(&day) && minute % 3 == 0 => Some(Metric::Jitter),
        _ => noise(day, person, slot, minute),
    });
    let mut store = Store::new();
    tenant.days.iter().for_each(|day| store.publish(&tenant, day));
    let dates: Vec<i32> = tenant.days.iter().map(|day| day.date).collect();
    store.search(&dates);
    let shown = |one: &Incident| (one.meeting_date - FIRST, one.kind.name(), one.scope.clone(), one.start_utc_us);
    let stored: Vec<_> = store.found.values().flatten().map(shown).filter(|one| one.0 >= 55).collect();
    let computed = find(&store.connection, "standard", History::Computed, None, &dates[55..]).expect("a search");
    let computed: Vec<_> = computed.iter().map(shown).collect();
    assert_eq!(computed, stored);
    assert_eq!(stored.iter().map(|one| (one.0, one.1)).collect::<Vec<_>>(), [(55, "acute"), (59, "chronic")]);
}
