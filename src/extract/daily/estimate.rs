//! How many calls the days that are due take.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finality::Settle;
use super::also::{Also, endpoint_of};
use super::due::Days;
use crate::ledger::{Ledger, LedgerError};
use crate::raw_log::RawKind;
use crate::schema::TenantZone;
use feishu_vc::Endpoint;

/// What a sync would request.
#[derive(Debug, Default)]
pub(crate) struct DailyEstimate {
    /// By endpoint, estimated from the largest answer of earlier days.
    pub calls: BTreeMap<Endpoint, u64>,
    /// The days that may get new data.
    pub days: BTreeSet<i32>,
}

/// The calls for the days of a window (microseconds UTC, end exclusive) that have no final answer.
pub(crate) fn estimate_days(
    ledger: &Ledger,
    also: &[Also],
    window_us: (i64, i64),
    refetch: bool,
    zone: &TenantZone,
    settle: Settle,
    now_us: i64,
) -> Result<DailyEstimate, LedgerError> {
    let days = Days { zone, settle, now_us };
    let mut estimate = DailyEstimate::default();
    for kind in also.iter().flat_map(|also| also.kinds()) {
        let known = ledger.days(*kind)?;
        let due_days = days.due(*kind, window_us, refetch, &known).days;
        let due = due_days.len() as u64;
        // Rooms are those of the day of the request, and no date is published for them alone.
        if !matches!(kind, RawKind::Rooms | RawKind::RoomLevels) {
            estimate.days.extend(due_days);
        }
        let items = known.values().map(|state| state.items.unsigned_abs()).max().unwrap_or_default();
        let each = match kind {
            // A call for each level that has levels below it; at most one for each.
            RawKind::RoomLevels => items.max(1),
            _ => items.div_ceil(endpoint_of(*kind).page_size().into()).max(1),
        };
        let count = if *kind == RawKind::CensusDaily { due.min(1) } else { due * each };
        if count > 0 {
            estimate.calls.insert(endpoint_of(*kind), count);
        }
    }
    Ok(estimate)
}
