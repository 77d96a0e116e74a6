//! Replacements of identities: the journal of one that is under way, and what stays replaced.

use std::collections::BTreeSet;

use rusqlite::{Row, params};

use super::database::Ledger;
use super::error::LedgerError;

/// What happens to a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Replacing {
    pub meeting_date: i32,
    /// Its raw files are removed; otherwise each one with a new version is replaced by it.
    pub removes_raw: bool,
    /// It is published again; otherwise the published rows stay, without raw files.
    pub publishes: bool,
}

impl Replacing {
    /// New versions of its raw files replace them, and it is published again.
    pub(crate) fn rewritten(meeting_date: &i32) -> Replacing {
        Replacing { meeting_date: *meeting_date, removes_raw: false, publishes: true }
    }
}

/// What is recorded together with the start of a replacement.
#[derive(Debug, Clone)]
pub(crate) struct ReplacingWith<'a> {
    /// Settings of the store.
    pub settings: &'a [(&'a str, &'a str)],
    /// Tokens of people who are forgotten.
    pub forgotten: &'a BTreeSet<String>,
    /// Dates whose identities are replaced because of their age: new responses must not bring them back.
    pub expired: &'a [i32],
}

impl Default for ReplacingWith<'_> {
    fn default() -> Self {
        const NOBODY: &BTreeSet<String> = &BTreeSet::new();
        ReplacingWith { settings: &[], forgotten: NOBODY, expired: &[] }
    }
}

/// The bytes of the indexed raw files of date `d.meeting_date`.
const RAW_BYTES: &str = "coalesce((select sum(r.indexed_bytes) from raw_files r
    where r.path glob '*/meeting_date=' || date(d.meeting_date * 86400, 'unixepoch') || '/*'), 0)";

const MESSAGE_TEXT: &str = "title || ' ' || coalesce(message, '') || ' ' || coalesce(error, '')";

impl Ledger {
    /// The dates of a replacement that is not finished, oldest first; none if this ledger is of an older version.
    pub(crate) fn replacing(&self) -> Result<Vec<Replacing>, LedgerError> {
        if !self.has_table("replacing")? {
            return Ok(Vec::new());
        }
        let sql = "select meeting_date, removes_raw, publishes from replacing order by meeting_date";
        self.rows(sql, [], |row| {
            Ok(Replacing { meeting_date: row.get(0)?, removes_raw: row.get(1)?, publishes: row.get(2)? })
        })
    }

    /// The point of no return: from here on the replacement is finished, by this run or by a later one.
    pub(crate) fn begin_replacing(&self, dates: &[Replacing], with: &ReplacingWith<'_>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            for date in dates {
                let values = params![date.meeting_date, date.removes_raw, date.publishes];
                transaction.prepare_cached("insert or replace into replacing values (?1, ?2, ?3)")?.execute(values)?;
            }
            for (name, value) in with.settings {
                transaction.execute("insert or replace into settings values (?1, ?2)", [name, value])?;
            }
            for date in with.expired {
                // Not the bytes of its raw files: they are those after the replacement.
                transaction.execute("insert or replace into expired_dates values (?1, -1)", [date])?;
            }
            for token in with.forgotten {
                transaction.execute("insert or ignore into forgotten values (?1)", [token])?;
            }
            Ok(())
        })
    }

    /// Forgets what the raw files of these dates say, to be read again from the new ones. The record of a raw file that
    /// is not in `present` stays, so that it counts as lost.
    pub(crate) fn forget_dates(&self, dates: &BTreeSet<i32>, present: &BTreeSet<String>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            for date in dates {
                transaction.execute(
                    "delete from participants
                     where meeting_key in (select meeting_key from meetings where meeting_date = ?1)",
                    [date],
                )?;
                for sql in [
                    "delete from meetings where meeting_date = ?1",
                    "delete from days where day = ?1",
                    "delete from dirty_dates where meeting_date = ?1",
                ] {
                    transaction.execute(sql, [date])?;
                }
            }
            let mut delete = transaction.prepare("delete from raw_files where path = ?1")?;
            present.iter().try_for_each(|path| delete.execute([path]).map(drop))
        })
    }

    /// Ends the replacement, after its dates are published and nothing of the old rows is left in this file.
    pub(crate) fn end_replacing(&self) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| transaction.execute("delete from replacing", []).map(drop))
    }

    /// Writes the file without unused space, and empties its log.
    pub(crate) fn compact(&self) -> Result<(), LedgerError> {
        let run = || {
            let connection = self.connection();
            connection.execute_batch("vacuum")?;
            connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))
        };
        run().map_err(self.failed("write"))
    }

    /// Drops what alerts recorded before a time.
    pub(crate) fn forget_alerts(&self, until_us: i64) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            transaction.execute("delete from alert_messages where created_us < ?1", [until_us])?;
            transaction.execute("delete from alert_rows where sent_us < ?1", [until_us]).map(drop)
        })
    }

    /// What each message of an alert says.
    pub(crate) fn message_texts(&self) -> Result<Vec<String>, LedgerError> {
        if !self.has_table("alert_messages")? {
            return Ok(Vec::new());
        }
        let sql = format!("select {MESSAGE_TEXT} from alert_messages");
        self.rows(&sql, [], |row| row.get(0))
    }

    /// Drops the messages with such a text.
    pub(crate) fn forget_messages(&self, is_meant: &dyn Fn(&str) -> bool) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            let sql = format!("select message_id, {MESSAGE_TEXT} from alert_messages");
            let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
            let messages: Vec<(i64, String)> =
                transaction.prepare(&sql)?.query_map([], read)?.collect::<Result<_, _>>()?;
            let mut delete = transaction.prepare("delete from alert_messages where message_id = ?1")?;
            let mut meant = messages.iter().filter(|(_, text)| is_meant(text));
            meant.try_for_each(|(id, _)| delete.execute([id]).map(drop))
        })
    }

    /// Records that the identities of these dates were replaced because of their age.
    pub(crate) fn set_expired(&self, dates: &BTreeSet<i32>) -> Result<(), LedgerError> {
        let sql = format!(
            "insert or replace into expired_dates
             select d.meeting_date, {RAW_BYTES} from (select ?1 as meeting_date) d"
        );
        self.in_transaction(|transaction| {
            let mut insert = transaction.prepare(&sql)?;
            dates.iter().try_for_each(|date| insert.execute([date]).map(drop))
        })
    }

    /// The dates whose identities were replaced because of their age and that have no new raw data since.
    pub(crate) fn expired_dates(&self) -> Result<BTreeSet<i32>, LedgerError> {
        if !self.has_table("expired_dates")? {
            return Ok(BTreeSet::new());
        }
        let sql = format!("select meeting_date from expired_dates d where raw_bytes = {RAW_BYTES}");
        Ok(self.rows(&sql, [], |row: &Row<'_>| row.get(0))?.into_iter().collect())
    }

    /// The same, also with new raw data since.
    pub(crate) fn dates_expired_before(&self) -> Result<BTreeSet<i32>, LedgerError> {
        if !self.has_table("expired_dates")? {
            return Ok(BTreeSet::new());
        }
        Ok(self.rows("select meeting_date from expired_dates", [], |row| row.get(0))?.into_iter().collect())
    }

    /// The tokens of people who are forgotten.
    pub(crate) fn forgotten(&self) -> Result<BTreeSet<String>, LedgerError> {
        if !self.has_table("forgotten")? {
            return Ok(BTreeSet::new());
        }
        Ok(self.rows("select pseudonym from forgotten", [], |row| row.get(0))?.into_iter().collect())
    }

    /// Adds what a lost ledger knew: dates whose identities were replaced because of their age, and tokens of people
    /// who are forgotten. The raw files of these dates count as new.
    pub(crate) fn restore_replaced(
        &self,
        expired: &BTreeSet<i32>,
        forgotten: &BTreeSet<String>,
    ) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            let mut insert = transaction.prepare("insert or ignore into expired_dates values (?1, -1)")?;
            expired.iter().try_for_each(|date| insert.execute([date]).map(drop))?;
            let mut insert = transaction.prepare("insert or ignore into forgotten values (?1)")?;
            forgotten.iter().try_for_each(|token| insert.execute([token]).map(drop))
        })
    }

    /// The user IDs of participants, each once for a date.
    pub(crate) fn user_ids(&self) -> Result<Vec<(i32, String)>, LedgerError> {
        let sql = "select distinct m.meeting_date, p.id from participants p
                   join meetings m on m.meeting_key = p.meeting_key where p.id_kind = 'user' and p.id is not null";
        self.rows(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Whether a participant has this ID.
    pub(crate) fn knows_id(&self, id: &str) -> bool {
        let sql = "select exists (select 1 from participants where id = ?1 and id_kind = 'user')";
        self.one(sql, [id], |row| row.get(0)).unwrap_or_default()
    }

    /// A ledger of an older version has no such table until a run opens it.
    fn has_table(&self, name: &str) -> Result<bool, LedgerError> {
        self.one("select exists (select 1 from sqlite_schema where name = ?1)", [name], |row| row.get(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Change, FileProgress};

    fn ledger() -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
        (folder, ledger)
    }

    #[test]
    fn a_replacement_is_under_way_until_it_is_ended() {
        let (folder, ledger) = ledger();
        let one = |meeting_date, removes_raw| Replacing { meeting_date, removes_raw, publishes: true };
        let (settings, forgotten) = ([("identity", "pseudonym")], BTreeSet::from(["p-1".to_owned()]));
        let with = ReplacingWith { settings: &settings, forgotten: &forgotten, expired: &[1] };
        ledger.begin_replacing(&[one(2, true), one(1, false)], &with).expect("begun");
        drop(ledger);
        let read = Ledger::open_read_only(&folder.path().join("ledger.sqlite")).expect("opened");
        assert_eq!(read.replacing().expect("read"), [one(1, false), one(2, true)]);
        assert_eq!(read.setting("identity").expect("read").as_deref(), Some("pseudonym"));
        assert_eq!(read.forgotten().expect("read").len(), 1);
        assert_eq!(read.expired_dates().expect("read").len(), 0, "not before it is ended");
        assert_eq!(read.dates_expired_before().expect("read"), BTreeSet::from([1]));
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("opened");
        ledger.compact().and_then(|()| ledger.end_replacing()).expect("ended");
        assert!(ledger.replacing().expect("read").is_empty());
    }

    #[test]
    fn a_date_with_more_raw_data_is_not_expired_any_more() {
        let (_folder, ledger) = ledger();
        let indexed = |run: &str, bytes| Change::Indexed {
            path: format!("quality/meeting_date=2024-10-04/{run}-0.jsonl.zst"),
            progress: FileProgress { indexed_bytes: bytes, seen_bytes: bytes },
        };
        ledger.apply([indexed("a", 10)].iter()).expect("written");
        ledger.set_expired(&BTreeSet::from([20_000, 20_001])).expect("written");
        assert_eq!(ledger.expired_dates().expect("read"), BTreeSet::from([20_000, 20_001]));
        ledger.apply([indexed("b", 1)].iter()).expect("written");
        assert_eq!(ledger.expired_dates().expect("read"), BTreeSet::from([20_001]));
    }

    #[test]
    fn what_a_lost_ledger_knew_is_restored_and_its_dates_count_as_new() {
        let (_folder, ledger) = ledger();
        ledger.set_expired(&BTreeSet::from([20_000])).expect("written");
        let forgotten = BTreeSet::from(["p-1".to_owned()]);
        for _ in 0..2 {
            ledger.restore_replaced(&BTreeSet::from([20_000, 20_001]), &forgotten).expect("restored");
        }
        assert_eq!(ledger.dates_expired_before().expect("read"), BTreeSet::from([20_000, 20_001]));
        assert_eq!(ledger.expired_dates().expect("read"), BTreeSet::from([20_000]), "it knew this one");
        assert_eq!(ledger.forgotten().expect("read"), forgotten);
    }

    #[test]
    fn only_the_messages_that_are_meant_are_dropped() {
        let (_folder, ledger) = ledger();
        let add = |title: &str, message: Option<&str>| {
            let sql = "insert into alert_messages (rule, channel, created_us, rows, title, message) values ('r', 'c', 1, 1, ?1, ?2)";
            ledger
                .in_transaction(|transaction| transaction.execute(sql, params![title, message]).map(drop))
                .expect("added");
        };
        add("Ann", None);
        add("Ben", Some("and Ann"));
        add("Ben", None);
        ledger.forget_messages(&|text| text.contains("Ann")).expect("dropped");
        assert_eq!(ledger.message_texts().expect("read"), ["Ben  "]);
    }

    #[test]
    fn nothing_of_what_was_deleted_is_left_in_the_file() {
        let (folder, ledger) = ledger();
        let id = "ou_7d8a6e6df7621556ce0d21922b676706";
        for number in 0..200 {
            ledger.set_setting(&format!("{id}-{number}"), id).expect("written");
        }
        ledger
            .in_transaction(|transaction| transaction.execute("delete from settings", []).map(drop))
            .and_then(|()| ledger.compact())
            .expect("compacted");
        for entry in std::fs::read_dir(folder.path()).expect("a folder") {
            let path = entry.expect("an entry").path();
            let bytes = std::fs::read(&path).expect("read");
            assert!(memchr::memmem::find(&bytes, id.as_bytes()).is_none(), "{}", path.display());
        }
    }
}
