//! What a run fetches, and what its parts share.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::daily::Also;
use super::events::MeetingEvent;
use super::finality::Settle;
use super::identities::Identities;
use super::writer::CheckpointWriter;
use crate::event::Listener;
use crate::ledger::Ledger;
use crate::schema::TenantZone;
use crate::schema::identity::ParticipantId;
use feishu_vc::{Client, Rate, TokenKind, UserIdType};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FetchScope {
    /// The meeting list, and participant lists that were never answered: what an estimate needs.
    Lists,
    Everything,
}

#[derive(Debug, Clone)]
pub(crate) struct ExtractSettings {
    pub run_id: String,
    pub scope: FetchScope,
    pub window_us: (i64, i64),
    /// How long before its window the meeting list is read.
    pub longest_meeting_us: i64,
    /// False if only events name meetings: the meeting list is not read.
    pub has_window: bool,
    pub events: Vec<MeetingEvent>,
    /// Only these meetings; empty for all.
    pub meeting_nos: Vec<String>,
    /// Also fetch what is final.
    pub refetch: bool,
    pub zone: TenantZone,
    pub user_id_type: UserIdType,
    /// What is fetched in addition to meetings.
    pub also: Vec<Also>,
    pub token_kind: TokenKind,
    pub settle: Settle,
    /// Published dates with lost raw data: not fetched unless `refetch` is set.
    pub lost_raw_dates: BTreeSet<i32>,
    /// Start of the interrupted run that this one resumes, microseconds UTC: days answered since then are not requested
    /// again.
    pub resumed_since_us: Option<i64>,
    /// Leave out what is pending from earlier windows.
    pub window_only: bool,
    /// Maximum number of units in flight per endpoint.
    pub concurrency: usize,
    pub rate: Rate,
    /// True if a limit on calls or time may end the run before everything is fetched.
    pub may_end_early: bool,
    /// What replaces personal values; `None` if nothing is replaced. It is the filter of the client.
    pub identities: Option<Arc<Identities>>,
}

impl ExtractSettings {
    /// Whether the meeting list is read to its end before anything else is fetched: only then is it known which
    /// meetings are the newest, or which are to be refetched.
    pub(super) fn reads_list_first(&self) -> bool {
        self.refetch || self.may_end_early
    }

    /// True for the answer for a day that the interrupted run before this one received: resuming it must not request it
    /// twice.
    pub(super) fn was_just_requested(&self, last_us: Option<i64>) -> bool {
        let since_us = self.resumed_since_us;
        !self.refetch && since_us.is_some_and(|since_us| last_us.is_some_and(|last_us| last_us >= since_us))
    }
}

pub(super) type Clock = dyn Fn() -> i64 + Send + Sync;

pub(super) struct Context {
    pub client: Client,
    pub writer: CheckpointWriter,
    pub settings: ExtractSettings,
    pub listener: Arc<dyn Listener>,
    pub clock: Arc<Clock>,
}

impl Context {
    pub(super) fn now_us(&self) -> i64 {
        (self.clock)()
    }

    /// Whether this process has the ID that a request for a participant's quality needs.
    pub(super) fn can_request(&self, id: &ParticipantId) -> bool {
        self.settings.identities.as_ref().is_none_or(|identities| identities.can_request(id))
    }

    pub(super) fn ledger(&self) -> &Ledger {
        self.writer.ledger()
    }
}
