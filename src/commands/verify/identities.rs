//! Whether anything still identifies people whose identities are replaced: everybody, on dates that expired, or
//! somebody who is forgotten.
//!
//! A value is as it should be if replacing it again would change nothing. Values are never printed.

use duckdb::Connection;

use super::setup::{VerifyError, VerifySetup};
use crate::checks::{Check, Findings};
use crate::commands::replace::Replaced;
use crate::ledger::{Ledger, LedgerError};
use crate::load::{LoadError, Manifest, StorePaths, connection, define_tables, open_published_with};
use crate::personal_data::{Identity, Pseudonyms};
use crate::raw_log::{RawError, RawKind, RewrittenFile, list_dates, list_files, rewrite_file};
use crate::schema::{
    ADDRESS_BUILDINGS, INCIDENTS, PARTICIPANTS, PARTITION_COLUMN, Personal, REJECTS, TABLES, Table, TenantZone,
    civil_date_text, ddl,
};

pub(super) const IDENTITIES: Check = Check {
    name: "identities",
    of: "values",
    means: "nothing identifies people whose identities are replaced (identity, identity_days, forget)",
    advice: "run vcq-etl rebuild, which replaces them again; a date whose raw files are missing must be fetched again \
             (vcq-etl sync --refetch) or removed (vcq-etl prune)",
};

const EXPECTED: &str = "none that identifies somebody";
const DATABASE: &str = "vcq.duckdb";

/// What the store records; nobody is replaced in a ledger that cannot be read, which is the finding of another check.
fn recorded(paths: &StorePaths) -> Option<(Ledger, Replaced)> {
    let ledger = Ledger::open_read_only(&paths.ledger()).ok()?;
    let replaced = Replaced::read(paths, &ledger).ok()?;
    (!replaced.is_nobody()).then_some((ledger, replaced))
}

pub(super) fn check(setup: &VerifySetup, paths: &StorePaths, findings: &mut Findings) -> Result<(), VerifyError> {
    let Some((ledger, replaced)) = recorded(paths) else { return Ok(()) };
    if is_unfinished(&ledger, findings) {
        return Ok(());
    }
    // A ledger without these tables is that of an older version.
    let _ = examine_ledger(&ledger, &replaced, findings);
    let connection = match open_published_with(paths, setup.database) {
        Ok(connection) => connection,
        // Another check has found why.
        Err(_) => {
            findings.skip(&IDENTITIES, "vcq.duckdb cannot be read");
            return Ok(());
        }
    };
    examine(&connection, DATABASE, &replaced, findings)
        .map_err(LoadError::duckdb("look for identities in", &paths.database()))?;
    if !replaced.forgotten.is_empty() && replaced.key.is_none() {
        findings.skip(&IDENTITIES, "people who are forgotten are not looked for without the identity key");
    }
    Ok(())
}

/// The same for the raw log, where replacing again must change nothing, and for the Parquet files. `zone` is the
/// tenant's.
pub(super) fn check_files(
    setup: &VerifySetup,
    paths: &StorePaths,
    zone: Option<&str>,
    findings: &mut Findings,
) -> Result<(), VerifyError> {
    let Some((ledger, replaced)) = recorded(paths) else { return Ok(()) };
    if is_unfinished(&ledger, findings) {
        return Ok(());
    }
    let again = replaced.again(zone.and_then(|zone| TenantZone::parse(zone).ok()));
    let (raw, work) = (paths.raw(), paths.query_work(std::process::id()).join("identities"));
    for kind in RawKind::ALL {
        for date in list_dates(&raw, *kind)? {
            for from in list_files(&raw, *kind, date)? {
                let file = RewrittenFile { from: &from, to: &work, meeting_date: date };
                findings.examined(&IDENTITIES, 1);
                match rewrite_file(&file, &again) {
                    Ok(false) => {}
                    Ok(true) => {
                        let found = "a response or request that identifies somebody";
                        findings.found(&IDENTITIES, paths.shown(&from), EXPECTED, found);
                        let _ = std::fs::remove_file(&work);
                    }
                    // The damage itself is the finding of another check.
                    Err(RawError::Damaged { .. }) => findings.skip(&IDENTITIES, "a raw file cannot be read to its end"),
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    // A manifest that cannot be read is the finding of another check.
    if let Ok(Some(manifest)) = Manifest::read(paths) {
        let connection = connection::open_in_memory(&paths.query_work(std::process::id()), setup.database)?;
        let is_read = define_tables(&connection, paths, &manifest.files)
            .and_then(|()| examine(&connection, "parquet/", &replaced, findings));
        if is_read.is_err() {
            findings.skip(&IDENTITIES, "a Parquet file cannot be read");
        }
    }
    Ok(())
}

fn is_unfinished(ledger: &Ledger, findings: &mut Findings) -> bool {
    let is_unfinished = ledger.replacing().is_ok_and(|dates| !dates.is_empty());
    if is_unfinished {
        findings.skip(&IDENTITIES, "a replacement of dates is not finished");
    }
    is_unfinished
}

fn examine_ledger(ledger: &Ledger, replaced: &Replaced, findings: &mut Findings) -> Result<(), LedgerError> {
    let (all, expired) = (replaced.pseudonyms(replaced.identity), replaced.pseudonyms(Identity::Pseudonym));
    let people = replaced.people();
    let is_forgotten = |text: &str| {
        people.as_ref().is_some_and(|(pseudonyms, people)| {
            people.has(Personal::Id, text) && pseudonyms.token(Personal::Id, text) != text
        })
    };
    let ids = ledger.user_ids()?;
    let found = ids.iter().filter(|(date, id)| {
        is_identity(&all, Personal::Id, id)
            || (replaced.expired.contains(date) && is_identity(&expired, Personal::Id, id))
            || is_forgotten(id)
    });
    count_found(("state/ledger.sqlite, participants", ids.len() as u64), found.count() as u64, findings);
    let texts = ledger.message_texts()?;
    let found = texts.iter().filter(|text| people.as_ref().is_some_and(|(_, people)| people.is_in_text(text)));
    count_found(("state/ledger.sqlite, alert_messages", texts.len() as u64), found.count() as u64, findings);
    Ok(())
}

/// Looks at every personal column. `place` names what has the tables.
fn examine(connection: &Connection, place: &str, replaced: &Replaced, findings: &mut Findings) -> duckdb::Result<()> {
    let all = replaced.is_everybody().then(|| ("true".to_owned(), replaced.pseudonyms(replaced.identity)));
    let expired: Vec<String> =
        replaced.expired.iter().map(|date| format!("date '{}'", civil_date_text(*date))).collect();
    let expired = (!expired.is_empty() && replaced.identity == Identity::Full)
        .then(|| (format!("{PARTITION_COLUMN} in ({})", expired.join(", ")), replaced.pseudonyms(Identity::Pseudonym)));
    for (dates, pseudonyms) in all.iter().chain(&expired) {
        for (column, class, sql) in values(dates, dates == "true") {
            let is_identity = |text: &str| is_identity(pseudonyms, class, text);
            count(connection, (&format!("{place}, {column}"), &sql), &is_identity, findings)?;
        }
    }
    let Some((pseudonyms, people)) = replaced.people() else { return Ok(()) };
    for (column, class, sql) in values("true", true) {
        let is_forgotten = |text: &str| match class {
            Personal::Id | Personal::Email => people.has(class, text) && pseudonyms.token(class, text) != text,
            Personal::Topic => people.in_topic(text) != text,
            _ => false,
        };
        if matches!(class, Personal::Id | Personal::Email | Personal::Topic) {
            count(connection, (&format!("{place}, {column}"), &sql), &is_forgotten, findings)?;
        }
    }
    Ok(())
}

/// The distinct values of everything personal: where they are, what they are, and the query. Tables without dates count
/// only if all dates do.
fn values(dates: &str, is_all: bool) -> Vec<(String, Personal, String)> {
    let is_dated = |table: &Table| table.columns.iter().any(|column| column.name == PARTITION_COLUMN);
    let mut values = Vec::new();
    for table in TABLES.iter().filter(|table| is_all || is_dated(table)) {
        for column in table.columns {
            let Some(class) = column.personal else { continue };
            // A room is not a person.
            let is_person = match (table.name == PARTICIPANTS.name, class) {
                (true, Personal::Name) => "where (user_id is not null or room_id is null)",
                _ => "where true",
            };
            let name = ddl::identifier(column.name);
            let sql = format!("select distinct {name} from {} {is_person} and {dates}", table.name);
            values.push((format!("{}.{}", table.name, column.name), class, sql));
        }
    }
    let derived = |place: &str, table: &Table, value: &str, condition: &str| {
        (place.to_owned(), format!("select distinct {value} from {} {condition} and {dates}", table.name))
    };
    let ids = [
        derived(
            "participants.participant_key",
            &PARTICIPANTS,
            "split_part(participant_key, '/', 2)",
            "where user_id is not null",
        ),
        derived("incidents.scope", &INCIDENTS, "scope", "where scope_kind = 'person'"),
    ];
    values.extend(ids.map(|(place, sql)| (place, Personal::Id, sql)));
    if is_all {
        let address = derived("address_buildings.address", &ADDRESS_BUILDINGS, "address", "where true");
        let public = derived("address_buildings.public_ip", &ADDRESS_BUILDINGS, "public_ip", "where public_ip <> ''");
        values.extend([address, public].map(|(place, sql)| (place, Personal::Address, sql)));
        for table in TABLES {
            for column in table.columns {
                let Some(class) = column.personal else { continue };
                let condition = format!("where table_name = '{}' and column_name = '{}'", table.name, column.name);
                let place = format!("rejects.raw_text, {}.{}", table.name, column.name);
                let (place, sql) = derived(&place, &REJECTS, "raw_text", &condition);
                values.push((place, class, sql));
            }
        }
    }
    values
}

/// Whether replacing a value again would change it.
fn is_identity(pseudonyms: &Pseudonyms, class: Personal, text: &str) -> bool {
    pseudonyms.replaced(class, text).as_deref() != Some(text)
}

/// Counts the values, and reports how many of them identify somebody.
fn count(
    connection: &Connection,
    (place, sql): (&str, &str),
    is_identity: &dyn Fn(&str) -> bool,
    findings: &mut Findings,
) -> duckdb::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let (mut examined, mut found) = (0, 0_u64);
    while let Some(row) = rows.next()? {
        let Some(text) = row.get::<_, Option<String>>(0)? else { continue };
        examined += 1;
        found += u64::from(is_identity(&text));
    }
    count_found((place, examined), found, findings);
    Ok(())
}

fn count_found((place, examined): (&str, u64), found: u64, findings: &mut Findings) {
    findings.examined(&IDENTITIES, examined);
    if found > 0 {
        findings.found(&IDENTITIES, place, EXPECTED, format!("{found} of {examined} different values"));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::personal_data::Key;

    /// The findings in a database with one participant, who has these values.
    fn found(participant: &str, replaced: &Replaced) -> Vec<String> {
        let connection = Connection::open_in_memory().expect("a database");
        for table in TABLES {
            connection.execute_batch(&ddl::create_table(table)).expect("a table");
        }
        let sql = format!("insert into participants by name select {participant}, date '2026-11-01' as meeting_date");
        connection.execute_batch(&sql).expect("a row");
        let mut findings = Findings::new(20, std::iter::once(&IDENTITIES));
        examine(&connection, DATABASE, replaced, &mut findings).expect("examined");
        findings.outcomes[0]
            .first
            .iter()
            .map(|finding| finding.place.replace("vcq.duckdb, participants.", ""))
            .collect()
    }

    const TOKENS: &str = "'1-2/p-00112233445566aa/3' as participant_key, 'p-00112233445566aa' as user_id, \
                          'n-00112233445566aa' as participant_name, '00112233445566aa@pseudonym.invalid' as email, \
                          '10.1.2.64/26' as internal_ip, '2001:db8:7::/48' as public_ip, null as phone";

    #[test]
    fn every_kind_of_identity_is_found_and_tokens_are_none() {
        let pseudonym = Replaced { identity: Identity::Pseudonym, ..Replaced::default() };
        assert_eq!(found(TOKENS, &pseudonym), [""; 0]);
        for (from, to, place) in [
            ("'p-00112233445566aa' as user_id", "'ou_1' as user_id", "user_id"),
            ("'n-00112233445566aa'", "'Ann'", "participant_name"),
            ("00112233445566aa@pseudonym.invalid", "ann@example.com", "email"),
            ("10.1.2.64/26", "10.1.2.65", "internal_ip"),
            ("2001:db8:7::/48", "2001:db8:7::1", "public_ip"),
            ("null as phone", "'+86 138' as phone", "phone"),
            ("1-2/p-00112233445566aa/3", "1-2/ou_1/3", "participant_key"),
        ] {
            assert_eq!(found(&TOKENS.replace(from, to), &pseudonym), [place], "{to}");
        }
        let none = Replaced { identity: Identity::None, ..Replaced::default() };
        assert_eq!(found(TOKENS, &none), ["participant_name", "email"], "they are not kept at all");
        let room = "'1-2/omm_1/3' as participant_key, 'omm_1' as room_id, 'Aquarium' as participant_name";
        assert_eq!(found(room, &none), [""; 0]);
    }

    #[test]
    fn identities_are_looked_for_on_dates_that_expired_and_of_people_who_are_forgotten() {
        let with_identity = TOKENS.replace("'p-00112233445566aa' as user_id", "'ou_1' as user_id");
        let expired = |date| Replaced { expired: BTreeSet::from([date]), ..Replaced::default() };
        let day = crate::schema::civil_date("2026-11-01").expect("a date");
        assert_eq!(found(&with_identity, &expired(day)), ["user_id"]);
        assert_eq!(found(&with_identity, &expired(day - 1)), [""; 0]);
        let forgotten = |id: &str| {
            let key = Some(Key::new(&[1; Key::BYTES]));
            let all = Replaced { key: key.clone(), ..Replaced::default() };
            let token = all.pseudonyms(Identity::Pseudonym).token(Personal::Id, id).into_owned();
            Replaced { forgotten: BTreeSet::from([token]), key, ..Replaced::default() }
        };
        assert_eq!(found(&with_identity, &forgotten("ou_1")), ["user_id"]);
        assert_eq!(found(&with_identity, &forgotten("ou_2")), [""; 0]);
    }
}
