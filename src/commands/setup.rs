//! What a sync or a plan needs to know. Nothing of it is read from the environment later.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};
use std::time::Duration;

use feishu_vc::{CancellationToken, ClientConfig, UserIdType};

use crate::commands::copies::CopySetup;
use crate::commands::identity::PersonalSettings;
use crate::commands::publish::definitions::DefinitionSettings;
use crate::event::Listener;
use crate::extract::{Also, EventFile};
use crate::load::DatabaseOptions;
use crate::schema::TenantZone;

/// The time now, microseconds UTC.
pub(crate) type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A clock that stands still where the given one was set back, so that within a run later times are later.
pub(crate) fn forward_only(now_us: Now) -> Now {
    let latest_us = AtomicI64::new(i64::MIN);
    Arc::new(move || {
        let at_us = now_us();
        latest_us.fetch_max(at_us, Ordering::Relaxed).max(at_us)
    })
}

#[derive(Clone)]
pub(crate) struct SyncSetup {
    pub store: PathBuf,
    /// `call_budget` and `cancel` are replaced by those of the run.
    pub client: ClientConfig,
    /// Ends the run early, after the pages being fetched.
    pub cancel: CancellationToken,
    /// The signal that triggered `cancel`; 0 for none.
    pub signal: Arc<AtomicI32>,
    /// The meetings that overlap this window, microseconds UTC, end exclusive.
    pub window_us: (i64, i64),
    /// Only these meetings; all if empty.
    pub meeting_nos: Vec<String>,
    /// False if only events name meetings; `window_us` is then what they span, and no meeting list is read.
    pub has_window: bool,
    /// What `--events` read.
    pub events: Option<EventFile>,
    /// What is fetched in addition to meetings.
    pub also: Vec<Also>,
    /// Fetch again what is final, too.
    pub refetch: bool,
    /// Maximum number of requests to the three lists.
    pub max_calls: Option<u64>,
    /// No request after this time, microseconds UTC.
    pub finish_by_us: Option<i64>,
    pub zone: TenantZone,
    pub user_id_type: UserIdType,
    /// What is written about people, and of topics.
    pub personal: PersonalSettings,
    /// After how many days the identities of a date are replaced.
    pub identity_days: Option<u64>,
    /// How long after a meeting's end its data may still grow.
    pub settle: Duration,
    /// How long before the window the meeting list is read.
    pub longest_meeting: Duration,
    /// Leave out what is pending from earlier windows.
    pub window_only: bool,
    /// Maximum number of units in flight per endpoint.
    pub concurrency: usize,
    /// False to leave publishing to a later run, for simulations of many nights.
    pub publishes: bool,
    /// Finished dates are published about this often.
    pub publish_every: Duration,
    /// Limits of the reports' profile `custom`: metric and value.
    pub definitions: DefinitionSettings,
    /// Dates staged in parallel.
    pub threads: usize,
    pub database: DatabaseOptions,
    /// Where the published dataset is copied at the end.
    pub copy: Option<CopySetup>,
    pub listener: Arc<dyn Listener>,
    pub now_us: Now,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_stands_still_until_it_has_caught_up() {
        let times = [10, 20, 5, 15, 25];
        let next = AtomicI32::new(0);
        let clock: Now = Arc::new(move || times[next.fetch_add(1, Ordering::Relaxed) as usize]);
        let forward = forward_only(clock);
        assert_eq!([(); 5].map(|()| forward()), [10, 20, 20, 20, 25]);
    }
}
