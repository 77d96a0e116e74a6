//! What holds between rows: unique keys, references, and the arithmetic of coverage.
//!
//! Each relation is one question that gives the rows that break it: where, what should be there, what is there.

use std::collections::HashSet;

use super::checks::{COVERAGE_COUNTS, COVERAGE_ROWS, COVERAGE_STATUS, KEYS, REFERENCES};
use super::database::{NO_TABLE, Shape, answered, numbers, texts};
use super::findings::Check;
use super::rules::row_place;
use super::snapshot::Database;
use super::{Findings, Surroundings};
use crate::load::LoadError;
use crate::schema::{COVERAGE, MEETINGS, PARTICIPANTS, PARTITION_COLUMN, QUALITY_SAMPLES, Status, Table};

struct Relation {
    check: &'static Check,
    /// The tables it needs; the first one's rows are what is examined.
    tables: &'static [&'static Table],
    /// Gives place, expected and found, all text.
    sql: &'static str,
}

const fn relation(check: &'static Check, tables: &'static [&'static Table], sql: &'static str) -> Relation {
    Relation { check, tables, sql }
}

const RELATIONS: &[Relation] = &[
    relation(
        &KEYS,
        &[&MEETINGS],
        "select 'meetings, ' || meeting_key, 'the key once', count(*) || ' times'
         from meetings group by meeting_key having count(*) > 1",
    ),
    relation(
        &KEYS,
        &[&PARTICIPANTS],
        "select 'participants, ' || participant_key, 'the key once', count(*) || ' times'
         from participants group by participant_key having count(*) > 1",
    ),
    relation(
        &KEYS,
        &[&COVERAGE],
        "select 'coverage, ' || participant_key, 'the key once', count(*) || ' times'
         from coverage group by participant_key having count(*) > 1",
    ),
    relation(
        &REFERENCES,
        &[&PARTICIPANTS, &MEETINGS],
        "select 'participants of ' || coalesce(cast(p.meeting_date as varchar), 'no date') || ', ' || p.participant_key,
                'a meeting of that date', 'no meeting ' || coalesce(p.meeting_key, 'NULL')
         from participants p anti join meetings m
           on p.meeting_key = m.meeting_key and p.meeting_date = m.meeting_date",
    ),
    relation(
        &REFERENCES,
        &[&QUALITY_SAMPLES, &PARTICIPANTS],
        "select 'quality_samples of ' || coalesce(cast(s.meeting_date as varchar), 'no date') || ', '
                  || s.participant_key,
                'a participant of that date and meeting',
                'none for ' || s.samples || ' samples of meeting ' || coalesce(s.meeting_key, 'NULL')
         from (select participant_key, meeting_key, meeting_date, count(*) as samples from quality_samples group by all) s
         anti join participants p
           on s.participant_key = p.participant_key and s.meeting_key = p.meeting_key
              and s.meeting_date = p.meeting_date",
    ),
    relation(
        &REFERENCES,
        &[&COVERAGE, &PARTICIPANTS, &MEETINGS],
        "select 'coverage of ' || coalesce(cast(c.meeting_date as varchar), 'no date') || ', ' || c.participant_key,
                'a participant of that date and meeting, or a meeting''s /*', 'neither'
         from coverage c
         anti join (select participant_key, meeting_key, meeting_date from participants
                    union all
                    select meeting_key || '/*', meeting_key, meeting_date from meetings) p
           on c.participant_key = p.participant_key and c.meeting_key = p.meeting_key
              and c.meeting_date = p.meeting_date",
    ),
    relation(
        &COVERAGE_ROWS,
        &[&PARTICIPANTS, &COVERAGE],
        "select 'coverage of ' || coalesce(cast(p.meeting_date as varchar), 'no date') || ', ' || p.participant_key,
                'a row for this participant', 'none'
         from participants p anti join coverage c on p.participant_key = c.participant_key",
    ),
    relation(
        &COVERAGE_COUNTS,
        &[&COVERAGE, &QUALITY_SAMPLES],
        "select 'coverage of ' || coalesce(cast(c.meeting_date as varchar), 'no date') || ', ' || c.participant_key,
                'sample_count ' || coalesce(s.samples, 0) || ', the rows of quality_samples',
                'sample_count ' || coalesce(cast(c.sample_count as varchar), 'NULL')
         from coverage c
         left join (select participant_key, count(*) as samples from quality_samples group by participant_key) s
           on c.participant_key = s.participant_key
         where c.sample_count is distinct from coalesce(s.samples, 0)",
    ),
    relation(
        &COVERAGE_COUNTS,
        &[&COVERAGE, &QUALITY_SAMPLES],
        "select 'coverage, all rows', samples || ' samples, the rows of quality_samples', counted || ' samples'
         from (select coalesce(sum(sample_count), 0)::bigint as counted from coverage),
              (select count(*) as samples from quality_samples)
         where counted <> samples",
    ),
    relation(
        &COVERAGE_STATUS,
        &[&COVERAGE],
        "select 'coverage of ' || coalesce(cast(meeting_date as varchar), 'no date') || ', ' || participant_key,
                case status when 'complete' then 'samples, because complete' else 'no samples, because ' || status end,
                'sample_count ' || coalesce(cast(sample_count as varchar), 'NULL')
         from coverage
         where (status = 'complete' and not sample_count > 0)
            or (status in ('empty', 'unaddressable') and sample_count <> 0)",
    ),
    // Minutes in the meeting, else from join to leave in whole seconds, rounded up.
    relation(
        &COVERAGE_STATUS,
        &[&COVERAGE, &PARTICIPANTS],
        "select 'coverage of ' || coalesce(cast(c.meeting_date as varchar), 'no date') || ', ' || c.participant_key,
                'expected_minutes ' || coalesce(cast(p.minutes as varchar), 'NULL') || ', from participants',
                'expected_minutes ' || coalesce(cast(c.expected_minutes as varchar), 'NULL')
         from coverage c
         join (select participant_key,
                      (coalesce(time_in_meeting_s,
                                case when leave_time_utc < join_time_utc then 0
                                     else epoch_us(leave_time_utc) // 1000000 - epoch_us(join_time_utc) // 1000000 end)
                       + 59) // 60 as minutes
               from participants) p
           on c.participant_key = p.participant_key
         where c.expected_minutes is distinct from p.minutes",
    ),
    relation(
        &COVERAGE_STATUS,
        &[&COVERAGE],
        "select 'coverage of ' || coalesce(cast(meeting_date as varchar), 'no date') || ', ' || participant_key,
                'a first attempt not after the last, and both where there were attempts',
                concat_ws(', ', coalesce(cast(first_attempt_utc as varchar), 'none'),
                          coalesce(cast(last_attempt_utc as varchar), 'none'), attempts || ' attempts')
         from coverage
         where first_attempt_utc > last_attempt_utc
            or (first_attempt_utc is null) <> (last_attempt_utc is null)
            or (attempts > 0 and first_attempt_utc is null)
            or (attempts = 0 and first_attempt_utc is not null and participant_key <> meeting_key || '/*')",
    ),
];

pub(crate) fn check(
    database: &Database,
    shape: &Shape,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    let mut examined = HashSet::new();
    for relation in RELATIONS {
        if !shape.has(relation.tables) {
            findings.skip(relation.check, NO_TABLE);
            continue;
        }
        if let Some(table) = relation.tables.first()
            && *relation.check != KEYS
            && examined.insert((relation.check.name, table.name))
        {
            let sql = format!("select count(*) from {}", table.name);
            let count = answered(numbers(&database.connection, &sql), table.name, findings)?;
            findings.examined(relation.check, count.map_or(0, |count| count[0]));
        }
        ask(database, relation.check, relation.sql, findings)?;
    }
    if shape.has(&[&QUALITY_SAMPLES]) {
        sample_keys(database, findings)?;
    }
    if shape.has(&[&MEETINGS, &PARTICIPANTS, &COVERAGE]) {
        meetings_without_anybody(database, surroundings, findings)?;
    }
    if shape.has(&[&COVERAGE]) { codes(database, surroundings, findings) } else { Ok(()) }
}

fn ask(database: &Database, check: &'static Check, sql: &str, findings: &mut Findings) -> Result<(), LoadError> {
    // Counted first: a store that is wrong everywhere must not be held in memory.
    let count =
        answered(numbers(&database.connection, &format!("select count(*) from ({sql})")), check.name, findings)?;
    let Some(count) = count.map(|count| count[0]).filter(|count| *count > 0) else { return Ok(()) };
    let sql = format!("select * from ({sql}) limit {}", findings.room(check));
    let rows = answered(texts(&database.connection, &sql, &[]), check.name, findings)?.unwrap_or_default();
    findings.found_more(check, count.saturating_sub(rows.len() as u64));
    for row in rows {
        let text = |n: usize| row.get(n).cloned().flatten().unwrap_or_else(|| "NULL".to_owned());
        findings.found(check, text(0), text(1), text(2));
    }
    Ok(())
}

/// Unique keys of the samples, a date at a time: all of them at once would not fit in memory. A participant belongs to one
/// date (the checks of keys and references say so), so what is unique on each date is unique.
fn sample_keys(database: &Database, findings: &mut Findings) -> Result<(), LoadError> {
    let sql = format!("select distinct cast({PARTITION_COLUMN} as varchar) from quality_samples order by 1");
    let dates = answered(texts(&database.connection, &sql, &[]), QUALITY_SAMPLES.name, findings)?.unwrap_or_default();
    for date in dates.into_iter().flatten().flatten() {
        let sql = format!(
            "select {}, 'the key once', count(*) || ' times' from quality_samples \
             where {PARTITION_COLUMN} = date '{date}' group by {PARTITION_COLUMN}, participant_key, sample_time_utc \
             having count(*) > 1",
            row_place(&QUALITY_SAMPLES)
        );
        ask(database, &KEYS, &sql, findings)?;
    }
    Ok(())
}

/// Every meeting has participants or a row of coverage that says why not, unless the vendor listed nobody.
fn meetings_without_anybody(
    database: &Database,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    let sql = "select cast(m.meeting_date as varchar), m.meeting_key
               from meetings m
               anti join participants p on m.meeting_key = p.meeting_key
               anti join (select participant_key from coverage) c on m.meeting_key || '/*' = c.participant_key
               order by m.meeting_date, m.meeting_key";
    let rows = answered(texts(&database.connection, sql, &[]), MEETINGS.name, findings)?.unwrap_or_default();
    for row in rows {
        let [Some(date), Some(key)] = &row[..] else { continue };
        if !(surroundings.list_was_empty)(date, key) {
            findings.found(
                &COVERAGE_ROWS,
                format!("meetings of {date}, {key}"),
                format!("participants, or the row {key}/* in coverage"),
                "neither, and raw/ holds no empty list",
            );
        }
    }
    Ok(())
}

/// Status and the vendor's code agree.
fn codes(database: &Database, surroundings: &Surroundings<'_>, findings: &mut Findings) -> Result<(), LoadError> {
    let sql = "select status, cast(api_code as varchar), min(participant_key), cast(count(*) as varchar)
               from coverage where status is not null group by status, api_code order by all";
    for row in answered(texts(&database.connection, sql, &[]), COVERAGE.name, findings)?.unwrap_or_default() {
        let [Some(status), code, Some(key), Some(rows)] = &row[..] else { continue };
        // A word that is none is told by the check of words.
        let Some(known) = Status::from_name(status) else { continue };
        let number = code.as_ref().and_then(|code| code.parse().ok());
        if !(surroundings.code_agrees)(known, number) {
            findings.found(
                &COVERAGE_STATUS,
                format!("coverage, {key} and others: {rows} in all"),
                format!("a code of the vendor that means {status}"),
                format!("api_code {}", code.as_deref().unwrap_or("NULL")),
            );
        }
    }
    Ok(())
}
