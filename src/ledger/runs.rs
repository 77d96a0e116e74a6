//! The run history.

use rusqlite::params;

use super::database::Ledger;
use super::error::LedgerError;

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RunRecord {
    pub run_id: String,
    /// sync, plan or rebuild.
    pub command: String,
    pub since_us: Option<i64>,
    pub until_us: Option<i64>,
    pub started_us: i64,
    /// `None` while the run is in progress.
    pub finished_us: Option<i64>,
    pub outcome: Option<String>,
    pub exit_code: Option<i64>,
    /// Meetings, participants, samples, rejects of the window.
    pub totals: Option<[i64; 4]>,
    /// Calls to meeting_list, participant_list, participant_quality_list.
    pub calls: [i64; 3],
    /// Requests refused by the rate limit.
    pub throttles: i64,
    /// Seconds waited because Feishu throttled.
    pub waited_s: f64,
    /// The meeting numbers to which it was limited, separated by commas.
    pub meeting_nos: Option<String>,
}

impl Ledger {
    pub(crate) fn record_run(&self, run: &RunRecord) -> Result<(), LedgerError> {
        let totals = |index: usize| run.totals.map(|totals| totals[index]);
        let sql = "insert or replace into runs values (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)";
        let values = params![
            run.run_id,
            run.command,
            run.since_us,
            run.until_us,
            run.started_us,
            run.finished_us,
            run.outcome,
            run.exit_code,
            totals(0),
            totals(1),
            totals(2),
            totals(3),
            run.calls[0],
            run.calls[1],
            run.calls[2],
            run.throttles,
            run.waited_s,
            run.meeting_nos,
        ];
        self.connection().execute(sql, values).map(drop).map_err(self.failed("write"))
    }

    pub(crate) fn runs(&self) -> Result<Vec<RunRecord>, LedgerError> {
        self.rows("select * from runs order by started_us, run_id", [], |row| {
            let started_us: i64 = row.get(4)?;
            let finished_us: Option<i64> = row.get(5)?;
            let totals: [Option<i64>; 4] = [row.get(8)?, row.get(9)?, row.get(10)?, row.get(11)?];
            Ok(RunRecord {
                run_id: row.get(0)?,
                command: row.get(1)?,
                since_us: row.get(2)?,
                until_us: row.get(3)?,
                started_us,
                // Version 0.1 recorded an earlier end if the clock was set back during the run.
                finished_us: finished_us.map(|finished_us| finished_us.max(started_us)),
                outcome: row.get(6)?,
                exit_code: row.get(7)?,
                totals: if let [Some(a), Some(b), Some(c), Some(d)] = totals { Some([a, b, c, d]) } else { None },
                calls: [row.get(12)?, row.get(13)?, row.get(14)?],
                throttles: row.get(15)?,
                waited_s: row.get(16)?,
                // A ledger of an older version that is only read has no such column.
                meeting_nos: row.get("meeting_nos").unwrap_or_default(),
            })
        })
    }
}
