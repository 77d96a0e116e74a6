//! What alerts have announced, and the messages that are still to be delivered.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use super::database::{Ledger, read_fields, select};
use super::error::LedgerError;

const DAY_US: i64 = 86_400_000_000;
/// After this time, a process that claimed a message has died: no check takes longer.
const CLAIM_US: i64 = 180_000_000;
/// An undelivered message is given up: what it says is no longer news.
const GIVE_UP_US: i64 = 7 * DAY_US;
/// Sent messages are listed for this long.
const HISTORY_US: i64 = 400 * DAY_US;

/// A message to one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewMessage {
    pub channel: String,
    pub title: String,
    pub rows: u64,
    /// JSON.
    pub message: String,
}

/// A message to be delivered now, by this process only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaimedMessage {
    pub message_id: i64,
    pub rule: String,
    pub created_us: i64,
    pub message: String,
}

/// A message as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlertRecord {
    pub message_id: i64,
    pub rule: String,
    pub channel: String,
    pub created_us: i64,
    pub rows: u64,
    pub title: String,
    pub attempts: i64,
    pub sent_us: Option<i64>,
    pub gave_up_us: Option<i64>,
    pub error: Option<String>,
}

/// A row that matches a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlertRow {
    pub key: String,
    /// Start and end of the problem, as texts that sort by time; empty if the report has none.
    pub start: String,
    pub end: String,
    pub rank: u32,
}

/// A row to be announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewAlertRow {
    /// Its position among the rows.
    pub at: usize,
    /// The rank with which the same problem was announced within the quiet time, if that was lower.
    pub grew_from: Option<u32>,
}

/// What was announced before.
struct Announced {
    row_key: String,
    span_start: String,
    span_end: String,
    rank: u32,
    sent_us: i64,
}

const ANNOUNCED: &str = "select row_key, span_start, span_end, rank, sent_us from alert_rows where rule = ?1";

/// The rows that were not announced within the quiet time, or only with a lower rank. A problem that has ended is not
/// announced again after that time either. Of several rows about the same problem, the first.
fn to_announce(rows: &[AlertRow], earlier: &[Announced], (now_us, quiet_us): (i64, i64)) -> Vec<NewAlertRow> {
    let mut by_key: HashMap<&str, Vec<&Announced>> = HashMap::new();
    for announced in earlier {
        by_key.entry(&announced.row_key).or_default().push(announced);
    }
    let mut seen: HashMap<&str, Vec<&AlertRow>> = HashMap::new();
    let mut new = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let before = seen.entry(&row.key).or_default();
        let is_again = before.iter().any(|other| row.start <= other.end && row.end >= other.start);
        before.push(row);
        if is_again {
            continue;
        }
        let same = by_key.get(row.key.as_str()).into_iter().flatten();
        let same = same.filter(|one| row.start <= one.span_end && row.end >= one.span_start);
        let is_known = |one: &&&Announced| {
            // An announcement in the future means that the clock was set back.
            let is_recent = one.sent_us > now_us.saturating_sub(quiet_us) && one.sent_us <= now_us;
            is_recent || (!row.end.is_empty() && row.end <= one.span_end)
        };
        match same.filter(is_known).map(|one| one.rank).max() {
            None => new.push(NewAlertRow { at, grew_from: None }),
            Some(rank) if row.rank > rank => new.push(NewAlertRow { at, grew_from: Some(rank) }),
            Some(_) => {}
        }
    }
    new
}

impl Ledger {
    /// Records the rows of a rule that are to be announced, and the messages that `compose` makes of them. If there
    /// are none, only the ends of problems that were announced before are updated.
    pub(crate) fn announce(
        &self,
        rule: &str,
        rows: &[AlertRow],
        (now_us, quiet_us): (i64, i64),
        compose: impl FnOnce(&[NewAlertRow]) -> Vec<NewMessage>,
    ) -> Result<Vec<NewAlertRow>, LedgerError> {
        let mut new = Vec::new();
        self.in_transaction(|transaction| {
            let earlier = select(
                transaction,
                ANNOUNCED,
                [rule],
                read_fields!(Announced {
                    row_key span_start span_end rank sent_us
                }),
            )?;
            new = to_announce(rows, &earlier, (now_us, quiet_us));
            let mut extend = transaction.prepare(
                "update alert_rows set span_end = ?4
                 where rule = ?1 and row_key = ?2 and span_start <= ?4 and span_end >= ?3 and span_end < ?4",
            )?;
            for row in rows {
                extend.execute(params![rule, row.key, row.start, row.end])?;
            }
            if new.is_empty() {
                return Ok(());
            }
            let mut insert =
                transaction.prepare("insert or replace into alert_rows values (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for new in &new {
                let AlertRow { key, start, end, rank } = &rows[new.at];
                insert.execute(params![rule, key, start, end, rank, now_us])?;
            }
            let mut insert = transaction.prepare(
                "insert into alert_messages (rule, channel, created_us, rows, title, message)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for made in compose(&new) {
                insert.execute(params![rule, made.channel, now_us, made.rows, made.title, made.message])?;
            }
            Ok(())
        })?;
        Ok(new)
    }

    /// The rows of a rule that are to be announced, without recording anything.
    pub(crate) fn not_announced(
        &self,
        rule: &str,
        rows: &[AlertRow],
        times: (i64, i64),
    ) -> Result<Vec<NewAlertRow>, LedgerError> {
        // A ledger of an older version has no such table until a run opens it.
        let has_spans = "select count(*) from pragma_table_info('alert_rows') where name = 'span_start'";
        let earlier = match self.one(has_spans, [], |row| row.get::<_, i64>(0))? {
            0 => Vec::new(),
            _ => self.rows(ANNOUNCED, [rule], read_fields!(Announced { row_key span_start span_end rank sent_us }))?,
        };
        Ok(to_announce(rows, &earlier, times))
    }

    /// The undelivered messages of a channel, oldest first. Those that no other process is delivering are claimed.
    pub(crate) fn claim_messages(&self, channel: &str, now_us: i64) -> Result<Vec<ClaimedMessage>, LedgerError> {
        let mut claimed = Vec::new();
        self.in_transaction(|transaction| {
            let is_open = "channel = ?1 and message is not null
                           and (claimed_us is null or claimed_us < ?2 or claimed_us > ?3)";
            let values = params![channel, now_us - CLAIM_US, now_us];
            let sql = format!(
                "select message_id, rule, created_us, message from alert_messages where {is_open} order by message_id"
            );
            let read = read_fields!(ClaimedMessage { message_id rule created_us message });
            claimed = select(transaction, &sql, values, read)?;
            transaction.execute(&format!("update alert_messages set claimed_us = ?3 where {is_open}"), values).map(drop)
        })?;
        Ok(claimed)
    }

    /// Ends the claims on messages for which no attempt was made.
    pub(crate) fn release_messages(&self, message_ids: &[i64]) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            let mut update =
                transaction.prepare("update alert_messages set claimed_us = null where message_id = ?1")?;
            message_ids.iter().try_for_each(|id| update.execute([id]).map(drop))
        })
    }

    /// Records the attempts to deliver a message. `error` is `None` if it was delivered.
    pub(crate) fn record_delivery(
        &self,
        message_id: i64,
        attempts: u32,
        now_us: i64,
        error: Option<&str>,
    ) -> Result<(), LedgerError> {
        let sql = "update alert_messages set attempts = attempts + ?2, claimed_us = null, error = ?4,
                       sent_us = iif(?4 is null, ?3, null), message = iif(?4 is null, null, message)
                   where message_id = ?1";
        self.in_transaction(|transaction| {
            transaction.execute(sql, params![message_id, attempts, now_us, error]).map(drop)
        })
    }

    /// Gives up messages that are too old to be news, and forgets what nobody needs any more. Returns the number of
    /// messages given up.
    pub(crate) fn give_up_old_messages(&self, now_us: i64) -> Result<u64, LedgerError> {
        let mut given_up = 0;
        self.in_transaction(|transaction| {
            let give_up = "update alert_messages set gave_up_us = ?1, message = null, claimed_us = null
                           where message is not null and created_us < ?2";
            given_up = transaction.execute(give_up, [now_us, now_us - GIVE_UP_US])? as u64;
            transaction.execute("delete from alert_messages where created_us < ?1", [now_us - HISTORY_US])?;
            transaction.execute("delete from alert_rows where sent_us < ?1", [now_us - HISTORY_US]).map(drop)
        })?;
        Ok(given_up)
    }

    /// The newest messages, newest first.
    pub(crate) fn alert_history(&self, limit: usize) -> Result<Vec<AlertRecord>, LedgerError> {
        if !self.has_alerts()? {
            return Ok(Vec::new());
        }
        let sql = "select * from alert_messages order by message_id desc limit ?1";
        let read = read_fields!(AlertRecord {
            message_id rule channel created_us rows title attempts sent_us gave_up_us error
        });
        self.rows(sql, [limit], read)
    }

    /// A ledger of an older version has no such tables until a run opens it.
    fn has_alerts(&self) -> Result<bool, LedgerError> {
        let sql = "select 1 from sqlite_schema where name = 'alert_messages'";
        let found = self.connection().query_row(sql, [], |_| Ok(())).optional();
        Ok(found.map_err(self.failed("read"))?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_US: i64 = 3_600_000_000;
    const NOW_US: i64 = 1_795_284_000_000_000;

    fn ledger() -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
        (folder, ledger)
    }

    /// Rows of a report without spans.
    fn keys(keys: &[&str]) -> Vec<AlertRow> {
        keys.iter().map(|key| row(key, "", "", 0)).collect()
    }

    fn row(key: &str, start: &str, end: &str, rank: u32) -> AlertRow {
        AlertRow { key: key.to_owned(), start: start.to_owned(), end: end.to_owned(), rank }
    }

    /// Announces to one channel.
    fn announce_rows(ledger: &Ledger, rows: &[AlertRow], at_us: i64) -> Vec<NewAlertRow> {
        let message = |new: &[NewAlertRow]| {
            let title = format!("{} new", new.len());
            vec![NewMessage { channel: "c".to_owned(), title, rows: new.len() as u64, message: "{}".to_owned() }]
        };
        let dry = ledger.not_announced("r", rows, (at_us, 12 * HOUR_US)).expect("read");
        let new = ledger.announce("r", rows, (at_us, 12 * HOUR_US), message).expect("announced");
        assert_eq!(dry, new, "a dry run says the same");
        new
    }

    /// The new positions.
    fn announce(ledger: &Ledger, names: &[&str], at_us: i64) -> Vec<usize> {
        announce_rows(ledger, &keys(names), at_us).iter().map(|new| new.at).collect()
    }

    #[test]
    fn what_continues_is_the_same_problem_and_what_begins_later_is_new() {
        let (_folder, ledger) = ledger();
        let at = |start: &str, end: &str, rank, hours| {
            let new = announce_rows(&ledger, &[row("site", start, end, rank)], NOW_US + hours * HOUR_US);
            new.first().map(|new| new.grew_from)
        };
        assert_eq!(at("16 09:00", "16 10:00", 1, 0), Some(None));
        assert_eq!(at("16 09:00", "18 18:00", 1, 1), None, "it goes on");
        // What became chronic begins on another day, but before the end of what was announced.
        assert_eq!(at("17 09:00", "20 10:00", 1, 2), None);
        assert_eq!(at("19 09:00", "23 10:00", 1, 3), None, "and is written again in the next week");
        assert_eq!(at("23 14:00", "23 15:00", 1, 4), Some(None), "after its end, there is something else");
        assert_eq!(at("23 14:00", "23 15:00", 1, 30), None, "which ended");
        assert_eq!(at("23 14:00", "24 10:00", 1, 31), Some(None), "and goes on after the quiet time");
    }

    #[test]
    fn what_gets_worse_is_announced_at_once_and_only_once() {
        let (_folder, ledger) = ledger();
        let at = |rank, hours| {
            let new = announce_rows(&ledger, &[row("site", "a", "b", rank)], NOW_US + hours * HOUR_US);
            new.first().map(|new| new.grew_from)
        };
        assert_eq!(at(1, 0), Some(None));
        assert_eq!(at(2, 1), Some(Some(1)));
        assert_eq!(at(2, 2), None);
        assert_eq!(at(1, 3), None);
        assert_eq!(at(2, 4), None, "it was that bad before");
        assert_eq!(at(3, 5), Some(Some(2)));
        assert_eq!(at(3, 17), None, "it has ended");
        // Two rows about the same thing are one.
        let rows = [row("x", "a", "c", 1), row("x", "b", "d", 3), row("x", "e", "f", 1)];
        let new: Vec<usize> = announce_rows(&ledger, &rows, NOW_US).iter().map(|new| new.at).collect();
        assert_eq!(new, [0, 2]);
    }

    #[test]
    fn a_row_is_announced_again_only_after_its_quiet_time() {
        let (_folder, ledger) = ledger();
        assert_eq!(announce(&ledger, &["a", "b", "a"], NOW_US), [0, 1]);
        assert_eq!(announce(&ledger, &["a", "c"], NOW_US + HOUR_US), [1]);
        assert_eq!(announce(&ledger, &["a", "c"], NOW_US + 12 * HOUR_US), [0], "a is due, c is not");
        let dry = ledger.not_announced("r", &keys(&["a", "c", "d", "d"]), (NOW_US + 12 * HOUR_US, 12 * HOUR_US));
        assert_eq!(dry.expect("read").iter().map(|new| new.at).collect::<Vec<_>>(), [2]);
        assert_eq!(announce(&ledger, &["a"], NOW_US - HOUR_US), [0], "a clock that was set back silences nothing");
        assert_eq!(ledger.alert_history(10).expect("read").len(), 4);
    }

    #[test]
    fn an_undelivered_message_is_claimed_by_one_process_and_kept() {
        let (_folder, ledger) = ledger();
        announce(&ledger, &["a"], NOW_US);
        let claim = |at_us| ledger.claim_messages("c", at_us).expect("claimed");
        let first = claim(NOW_US);
        assert_eq!(first.len(), 1);
        assert_eq!(claim(NOW_US + 1), [], "another process has it");
        assert_eq!(claim(NOW_US + CLAIM_US + 1).len(), 1, "it died");
        ledger.record_delivery(first[0].message_id, 3, NOW_US, Some("no route")).expect("recorded");
        let record = ledger.alert_history(1).expect("read").remove(0);
        assert_eq!((record.attempts, record.sent_us, record.error.as_deref()), (3, None, Some("no route")));
        assert_eq!(claim(NOW_US).len(), 1, "the next run has it at once");
        ledger.release_messages(&[first[0].message_id]).expect("released");
        assert_eq!(claim(NOW_US).len(), 1);
        ledger.record_delivery(first[0].message_id, 1, NOW_US + 5, None).expect("recorded");
        assert_eq!(claim(NOW_US + HOUR_US), []);
        let record = ledger.alert_history(1).expect("read").remove(0);
        assert_eq!((record.attempts, record.sent_us, record.error), (4, Some(NOW_US + 5), None));
    }

    #[test]
    fn a_ledger_of_version_3_keeps_its_index_and_gets_the_tables() {
        let (folder, ledger) = ledger();
        let version_3 = "drop table alert_rows; drop table alert_messages; pragma user_version = 3;
                         insert into dirty_dates values (1, 1);";
        ledger.connection().execute_batch(version_3).expect("an older ledger");
        drop(ledger);
        let path = folder.path().join("ledger.sqlite");
        let reader = Ledger::open_read_only(&path).expect("opened");
        assert_eq!(reader.alert_history(10).expect("read"), []);
        assert_eq!(reader.not_announced("r", &keys(&["a"]), (NOW_US, 1)).expect("read").len(), 1);
        drop(reader);
        let ledger = Ledger::open(&path).expect("opened");
        assert_eq!(ledger.dirty_dates().expect("read").len(), 1, "nothing is indexed again");
        assert_eq!(announce(&ledger, &["a"], NOW_US), [0]);
    }

    #[test]
    fn a_ledger_of_version_4_keeps_its_messages() {
        let (folder, ledger) = ledger();
        announce(&ledger, &["a"], NOW_US);
        let version_4 = "drop table alert_rows; pragma user_version = 4;
                         create table alert_rows (rule text, row_key text, sent_us integer, primary key (rule, row_key));";
        ledger.connection().execute_batch(version_4).expect("an older ledger");
        drop(ledger);
        let path = folder.path().join("ledger.sqlite");
        let reader = Ledger::open_read_only(&path).expect("opened");
        assert_eq!(reader.not_announced("r", &keys(&["a"]), (NOW_US, 1)).expect("read").len(), 1);
        drop(reader);
        let ledger = Ledger::open(&path).expect("opened");
        assert_eq!(ledger.claim_messages("c", NOW_US).expect("claimed").len(), 1);
        assert_eq!(announce(&ledger, &["a"], NOW_US), [0]);
        assert_eq!(announce(&ledger, &["a"], NOW_US), [0; 0]);
    }

    #[test]
    fn old_messages_are_given_up_and_forgotten() {
        let (_folder, ledger) = ledger();
        announce(&ledger, &["a"], NOW_US);
        assert_eq!(ledger.give_up_old_messages(NOW_US + GIVE_UP_US).expect("done"), 0);
        assert_eq!(ledger.give_up_old_messages(NOW_US + GIVE_UP_US + 1).expect("done"), 1);
        assert_eq!(ledger.claim_messages("c", NOW_US + 8 * DAY_US).expect("claimed"), []);
        assert!(ledger.alert_history(1).expect("read")[0].gave_up_us.is_some());
        ledger.give_up_old_messages(NOW_US + HISTORY_US + 1).expect("done");
        assert_eq!(ledger.alert_history(1).expect("read"), []);
    }
}
