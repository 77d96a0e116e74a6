//! How many calls the days that are due take.

use std::collections::BTreeMap;

use super::super::finality::Settle;
use super::also::{Also, endpoint_of};
use super::due::Days;
use crate::ledger::{Ledger, LedgerError};
use crate::raw_log::RawKind;
use crate::schema::TenantZone;
use feishu_vc::Endpoint;

/// What a sync would request, by endpoint. Estimates from the largest answer of earlier days.
pub(super) type DailyCalls = BTreeMap<Endpoint, u64>;

/// The calls for the days of a window (microseconds UTC, end exclusive) that have no final answer.
pub(crate) fn count_daily_calls(
    ledger: &Ledger,
    also: &[Also],
    window_us: (i64, i64),
    refetch: bool,
    zone: &TenantZone,
    settle: Settle,
    now_us: i64,
) -> Result<DailyCalls, LedgerError> {
    let days = Days { zone, settle, now_us };
    let mut calls = DailyCalls::new();
    for kind in also.iter().flat_map(|also| also.kinds()) {
        let known = ledger.days(*kind)?;
        let due = days.due(*kind, window_us, refetch, &known).days.len() as u64;
        let items = known.values().map(|state| state.items.unsigned_abs()).max().unwrap_or_default();
        let each = match kind {
            // A call for each level that has levels below it; at most one for each.
            RawKind::RoomLevels => items.max(1),
            _ => items.div_ceil(endpoint_of(*kind).page_size().into()).max(1),
        };
        let count = if *kind == RawKind::CensusDaily { due.min(1) } else { due * each };
        if count > 0 {
            calls.insert(endpoint_of(*kind), count);
        }
    }
    Ok(calls)
}
