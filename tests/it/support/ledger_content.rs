//! What a ledger says, read from its files wherever they come from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;

/// What the ledger of a state has: answers that are final, and the indexed bytes of each raw file.
#[derive(Debug, Default)]
pub(crate) struct LedgerContent {
    pub recorded: BTreeSet<String>,
    pub indexed: BTreeMap<String, usize>,
}

impl LedgerContent {
    pub(crate) fn read(files: &[(&str, &[u8])], folder: &Path) -> rusqlite::Result<LedgerContent> {
        for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite-journal"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
        for (name, bytes) in files {
            std::fs::write(folder.join(name), bytes).expect("written");
        }
        if !files.iter().any(|(name, _)| *name == "ledger.sqlite") {
            return Ok(LedgerContent::default());
        }
        let ledger = Connection::open(folder.join("ledger.sqlite"))?;
        let problems: String = ledger.query_row("pragma quick_check", [], |row| row.get(0))?;
        if problems != "ok" {
            return Err(rusqlite::Error::InvalidColumnName(problems));
        }
        let tables = "select count(*) from sqlite_master where name in ('meetings', 'participants', 'raw_files')";
        if ledger.query_row(tables, [], |row| row.get::<_, i64>(0))? < 3 {
            return Ok(LedgerContent::default());
        }
        let recorded = "select m.meeting_no || '/' || p.id || '/' || p.join_s
                        from participants p join meetings m using (meeting_key)
                        where p.is_final and p.id is not null and p.join_s is not null";
        let mut recorded = ledger.prepare(recorded)?;
        let recorded = recorded.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut indexed = ledger.prepare("select path, indexed_bytes from raw_files")?;
        let indexed = indexed.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as usize)))?;
        Ok(LedgerContent { recorded, indexed: indexed.collect::<Result<_, _>>()? })
    }
}
