//! What alerts have announced, and the messages that are still to be delivered.

use rusqlite::{OptionalExtension, params};

use super::database::{Ledger, read_fields, select};
use super::error::LedgerError;

const DAY_US: i64 = 86_400_000_000;
/// A process that claimed a message and died without a result.
const CLAIM_US: i64 = 60_000_000;
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

impl Ledger {
    /// Records the rows of a rule that were not announced within `quiet_us`, and the messages that `compose` makes of
    /// them. Gets and returns positions in `keys`. Nothing is recorded if there is none.
    pub(crate) fn announce(
        &self,
        rule: &str,
        keys: &[String],
        (now_us, quiet_us): (i64, i64),
        compose: impl FnOnce(&[usize]) -> Vec<NewMessage>,
    ) -> Result<Vec<usize>, LedgerError> {
        let mut new = Vec::new();
        self.in_transaction(|transaction| {
            let mut is_quiet = transaction.prepare(
                "select 1 from alert_rows where rule = ?1 and row_key = ?2 and sent_us > ?3 and sent_us <= ?4",
            )?;
            for (at, key) in keys.iter().enumerate() {
                // A row of the future is of a clock that was set back.
                let values = params![rule, key, now_us.saturating_sub(quiet_us), now_us];
                if !keys[..at].contains(key) && !is_quiet.exists(values)? {
                    new.push(at);
                }
            }
            if new.is_empty() {
                return Ok(());
            }
            let mut insert = transaction.prepare("insert or replace into alert_rows values (?1, ?2, ?3)")?;
            for at in &new {
                insert.execute(params![rule, keys[*at], now_us])?;
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

    /// Which rows of a rule were not announced within `quiet_us`, without recording anything.
    pub(crate) fn not_announced(
        &self,
        rule: &str,
        keys: &[String],
        (now_us, quiet_us): (i64, i64),
    ) -> Result<Vec<usize>, LedgerError> {
        if !self.has_alerts()? {
            return Ok((0..keys.len()).collect());
        }
        let sql = "select row_key from alert_rows where rule = ?1 and sent_us > ?2 and sent_us <= ?3";
        let values = params![rule, now_us.saturating_sub(quiet_us), now_us];
        let quiet: Vec<String> = self.rows(sql, values, |row| row.get(0))?;
        let is_new = |at: &usize| !quiet.contains(&keys[*at]) && !keys[..*at].contains(&keys[*at]);
        Ok((0..keys.len()).filter(is_new).collect())
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

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    /// Announces to one channel and returns the new positions.
    fn announce(ledger: &Ledger, names: &[&str], at_us: i64) -> Vec<usize> {
        let message = |new: &[usize]| {
            let title = format!("{} new", new.len());
            vec![NewMessage { channel: "c".to_owned(), title, rows: new.len() as u64, message: "{}".to_owned() }]
        };
        ledger.announce("r", &keys(names), (at_us, 12 * HOUR_US), message).expect("announced")
    }

    #[test]
    fn a_row_is_announced_again_only_after_its_quiet_time() {
        let (_folder, ledger) = ledger();
        assert_eq!(announce(&ledger, &["a", "b", "a"], NOW_US), [0, 1]);
        assert_eq!(announce(&ledger, &["a", "c"], NOW_US + HOUR_US), [1]);
        assert_eq!(announce(&ledger, &["a", "c"], NOW_US + 12 * HOUR_US), [0], "a is due, c is not");
        let dry = ledger.not_announced("r", &keys(&["a", "c", "d", "d"]), (NOW_US + 12 * HOUR_US, 12 * HOUR_US));
        assert_eq!(dry.expect("read"), [2]);
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
        assert_eq!(reader.not_announced("r", &keys(&["a"]), (NOW_US, 1)).expect("read"), [0]);
        drop(reader);
        let ledger = Ledger::open(&path).expect("opened");
        assert_eq!(ledger.dirty_dates().expect("read").len(), 1, "nothing is indexed again");
        assert_eq!(announce(&ledger, &["a"], NOW_US), [0]);
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
