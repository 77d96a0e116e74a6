//! `forget`: replaces the identity of one person wherever it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use duckdb::Connection;

use super::identities::Identities;
use super::operation::{Dates, finish, replace, stage};
use crate::commands::copies::note_of_copy;
use crate::commands::error::SyncError;
use crate::commands::identity::{networks, open_key};
use crate::commands::open_store::open_and_lock;
use crate::commands::publish::date_error::DateError;
use crate::commands::store_setup::StoreSetup;
use crate::commands::tokens::Tokens;
use crate::commands::{history, run_record, store_settings};
use crate::error::ExitCode;
use crate::extract::{catch_up, settle_raw_ends};
use crate::ledger::{Ledger, Replacing, ReplacingWith};
use crate::load::{LoadError, StorePaths, lock_raw_files, open_complete};
use crate::personal_data::{Identity, People, Pseudonyms, Topics};
use crate::raw_log::RawKind;
use crate::schema::ddl::quoted;
use crate::schema::{civil_date, civil_date_text};

const FORGET: &str = "forget";

/// Where the tables have people: IDs, e-mail address, name.
const PLACES: &[(&str, &[&str], Option<&str>, &str)] = &[
    ("participants", &["user_id", "employee_id"], Some("email"), "participant_name"),
    ("meetings", &["organizer_user_id", "organizer_employee_id"], Some("organizer_email"), "organizer"),
    ("reservations", &["reserver_user_id"], None, "reserver"),
    ("census_users", &["user_id"], None, "user_name"),
];

/// How the person is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    // A user ID or an employee ID.
    User(String),
    Email(String),
}

#[derive(Clone)]
pub(crate) struct ForgetSetup {
    pub store: StoreSetup,
    pub who: Who,
}

/// The person, and where the person occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub ids: BTreeSet<String>,
    pub emails: BTreeSet<String>,
    pub names: BTreeSet<String>,
    /// Found by tokens: what the store has of the person is replaced already.
    pub is_replaced: bool,
    /// `YYYY-MM-DD`, in order.
    pub dates: Vec<String>,
    /// Organised by the person.
    pub meetings: u64,
    pub participants: u64,
    pub samples: u64,
}

#[derive(Debug)]
pub(crate) struct Forgotten {
    pub run_id: String,
    pub found: Found,
    /// The dates that were replaced.
    pub dates: Vec<String>,
    pub generation: Option<u64>,
    pub notes: Vec<String>,
}

/// What [`forget`] would replace now. Takes no lock.
pub(crate) fn forget_preview(setup: &ForgetSetup) -> Result<Found, SyncError> {
    let paths = StorePaths::existing(&setup.store.store)?;
    let knows_id = |id: &str| Ledger::open_read_only(&paths.ledger()).is_ok_and(|ledger| ledger.knows_id(id));
    find(&paths, setup, &knows_id)
}

/// Searches for what was typed, else for its tokens. Returns an error if nobody is found.
fn find(paths: &StorePaths, setup: &ForgetSetup, knows_id: &dyn Fn(&str) -> bool) -> Result<Found, SyncError> {
    let (Who::User(typed) | Who::Email(typed)) = &setup.who;
    // All dates, whatever the database holds.
    let connection = match paths.manifest().exists() || paths.database().exists() {
        true => Some(open_complete(paths, setup.store.database)?),
        false => None,
    };
    let tokens = Tokens::read(paths).of_typed(typed).unwrap_or_default();
    for (texts, is_replaced) in [(vec![typed.clone()], false), (tokens, true)] {
        let mut found = Found::default();
        if let Some(connection) = &connection {
            let published = find_published(connection, &setup.who, &texts);
            found = published.map_err(LoadError::duckdb("read", &paths.database()))?;
        }
        if matches!(setup.who, Who::User(_)) {
            found.ids.extend(texts.into_iter().filter(|id| knows_id(id)));
        }
        if !(found.ids.is_empty() && found.emails.is_empty()) {
            return Ok(Found { is_replaced, ..found });
        }
    }
    Err(SyncError::NobodyFound { store: paths.root().to_owned(), is_email: matches!(setup.who, Who::Email(_)) })
}

fn find_published(connection: &Connection, who: &Who, searched: &[String]) -> duckdb::Result<Found> {
    let mut found = Found::default();
    if searched.is_empty() {
        return Ok(found);
    }
    let texts = |sql: &str| -> duckdb::Result<Vec<String>> {
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    let list = searched.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    let addresses = searched.iter().map(|text| quoted(&text.to_lowercase())).collect::<Vec<_>>().join(", ");
    for (table, ids, email, _) in PLACES {
        let of_address = email.map(|email| format!("lower({email}) in ({addresses})"));
        for id in *ids {
            let condition = match (who, &of_address) {
                (Who::User(_), _) => format!("{id} in ({list})"),
                (Who::Email(_), Some(of_address)) => of_address.clone(),
                (Who::Email(_), None) => continue,
            };
            found
                .ids
                .extend(texts(&format!("select distinct {id} from {table} where {condition} and {id} is not null"))?);
        }
        if let (Who::Email(_), Some(email), Some(condition)) = (who, email, &of_address) {
            found.emails.extend(texts(&format!("select distinct {email} from {table} where {condition}"))?);
        }
    }
    // What else the rows with these IDs say.
    for (table, ids, email, name) in PLACES {
        let condition = condition(ids, *email, &found);
        let column = |column: &str| {
            texts(&format!("select distinct {column} from {table} where ({condition}) and {column} is not null"))
        };
        found.names.extend(column(name)?);
        if let (Some(email), Who::User(_)) = (email, who) {
            found.emails.extend(column(email)?);
        }
    }
    let more: Vec<Vec<String>> = PLACES
        .iter()
        .flat_map(|(table, ids, email, _)| {
            let condition = condition(ids, *email, &found);
            ids.iter()
                .map(move |id| format!("select distinct {id} from {table} where ({condition}) and {id} is not null"))
        })
        .map(|sql| texts(&sql))
        .collect::<duckdb::Result<_>>()?;
    found.ids.extend(more.into_iter().flatten());
    let mut dates: BTreeSet<String> = BTreeSet::new();
    let mut counts = [0_u64; 2];
    for (at, (table, ids, email, _)) in PLACES.iter().enumerate() {
        let condition = condition(ids, *email, &found);
        dates.extend(texts(&format!(
            "select distinct cast(meeting_date as varchar) from {table} where ({condition}) and meeting_date is not null"
        ))?);
        if let Some(count) = counts.get_mut(at) {
            *count = connection
                .query_row(&format!("select count(*) from {table} where {condition}"), [], |row| row.get(0))?;
        }
    }
    (found.participants, found.meetings) = (counts[0], counts[1]);
    let of_person = condition(PLACES[0].1, PLACES[0].2, &found);
    let samples = format!(
        "select count(*) from quality_samples
         where participant_key in (select participant_key from participants where {of_person})"
    );
    found.samples = connection.query_row(&samples, [], |row| row.get(0))?;
    found.dates = dates.into_iter().collect();
    Ok(found)
}

/// The rows with one of the IDs or e-mail addresses, as SQL.
fn condition(ids: &[&str], email: Option<&str>, found: &Found) -> String {
    let list = |texts: &BTreeSet<String>| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    let mut conditions: Vec<String> = Vec::new();
    if !found.ids.is_empty() {
        conditions.extend(ids.iter().map(|id| format!("{id} in ({})", list(&found.ids))));
    }
    if let Some(email) = email.filter(|_| !found.emails.is_empty()) {
        conditions.push(format!("{email} in ({})", list(&found.emails)));
    }
    if conditions.is_empty() { "false".to_owned() } else { conditions.join(" or ") }
}

pub(crate) fn forget(setup: &ForgetSetup) -> Result<Forgotten, SyncError> {
    let store = &setup.store;
    let started_us = (store.now_us)();
    StorePaths::existing(&store.store)?;
    let (paths, _lock, mut notes) = open_and_lock(&store.store, FORGET, started_us)?;
    let _raw = lock_raw_files(&paths)?;
    let ledger = Arc::new(Ledger::open(&paths.ledger())?);
    settle_raw_ends(&paths.raw(), &ledger, true)?;
    notes.extend(history::restore_lost(&paths, &ledger, store.database)?);
    store_settings::check_timezone(&paths, &ledger, store.database, &store.zone)?;
    let publishing = store.publishing(&paths, &ledger)?;
    let mut run = run_record::begin(FORGET, (0, 0), started_us);
    (run.since_us, run.until_us) = (None, None);
    let earlier = finish(&paths, &ledger, &publishing, &mut run.clone(), None)?;
    notes.extend(earlier.into_iter().flat_map(|earlier| earlier.notes));
    catch_up(&paths.raw(), &ledger, &store.zone)?;

    let found = find(&paths, setup, &|id| ledger.knows_id(id))?;
    let (key, _) = open_key(&paths, &ledger, Identity::Pseudonym)?;
    let pseudonyms = Arc::new(Pseudonyms::new(key, Identity::Pseudonym, Topics::Keep, networks(&paths)?));
    let people = People::of_values(&found.ids, &found.emails, &found.names, Arc::clone(&pseudonyms));
    let rewrite = Identities { pseudonyms: &pseudonyms, people: Some(&people) };
    let Dates { whole, lost } = Dates::read(&paths, &ledger)?;
    let staged = stage(&paths, RawKind::ALL, &whole, &rewrite, store.threads)?;
    let texts: Vec<&String> = found.ids.iter().chain(&found.emails).chain(&found.names).collect();
    ledger.forget_messages(&|message| texts.iter().any(|text| message.contains(text.as_str())))?;
    let dates: Vec<Replacing> = staged.dates.iter().map(Replacing::rewritten).collect();
    run_record::set_exit(&mut run, ExitCode::Complete);
    run_record::set_finished(&mut run, (store.now_us)());
    ledger.record_run(&run)?;
    let with = ReplacingWith { forgotten: people.tokens(), ..ReplacingWith::default() };
    let finished = replace(&paths, &ledger, &dates, &with, (&publishing, &mut run, Some(ExitCode::Complete)))?;
    run_record::set_finished(&mut run, (store.now_us)());
    ledger.record_run(&run)?;
    notes.extend(finished.notes);
    notes.extend(note_of_copy(&ledger)?);
    let is_lost = |date: &&String| civil_date(date).is_some_and(|date| lost.contains(&date));
    let stay: Vec<&String> = found.dates.iter().filter(is_lost).collect();
    if let (Some(first), Some(last)) = (stay.first(), stay.last())
        && !found.is_replaced
    {
        let (first, last) = ((*first).clone(), (*last).clone());
        return Err(SyncError::IdentityStays { dates: stay.len(), first, last });
    }
    if let Some(damaged) = finished.damaged {
        return Err(damaged.into());
    }
    if let Some((_, damaged)) = staged.damaged.into_iter().next() {
        return Err(DateError::Raw(damaged).into());
    }
    let dates = staged.dates.iter().map(|date| civil_date_text(*date)).collect();
    Ok(Forgotten { run_id: run.run_id, found, dates, generation: finished.generation, notes })
}
