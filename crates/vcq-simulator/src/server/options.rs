//! Everything about the server that can be set, with its default.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::{Fault, JsonStyle, Limit};
use crate::generators::losses::LossShares;

/// Which meetings meeting_list finds in a window; Feishu does not document it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MeetingFilter {
    #[default]
    Start,
    End,
    Overlap,
}

/// What a window of 24 hours from the start of a longer meeting finds; Feishu does not document it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LongMeetings {
    #[default]
    Found,
    /// Error 126006, as for a longer window.
    Refused,
    /// Error 126009.
    NotFound,
}

/// Where a day of the report get_daily begins; Feishu does not document it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReportDays {
    /// At midnight in the tenant's time zone.
    #[default]
    Local,
    /// At midnight UTC.
    Utc,
}

/// A store app (ISV), which gets its tokens with an app ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreApp {
    /// The ticket that is valid now. Feishu pushes a new one every hour.
    pub app_ticket: String,
    /// Where the program behind the app's event URL writes a ticket that is pushed.
    pub pushed_to: Option<PathBuf>,
}

/// Everything except `bind` can be changed while the server runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// A loopback address. Port 0 picks a free port.
    pub bind: SocketAddr,
    pub app_id: String,
    pub app_secret: String,
    /// A user access token that is accepted too.
    pub user_token: Option<String>,
    /// The store app, if the app is one; then the tokens of self-built apps are refused.
    pub store_app: Option<StoreApp>,
    /// The first refresh token of a user who has authorised the app.
    pub refresh_token: Option<String>,
    pub token_life_s: i64,
    /// Rate limit of each of the three lists; they are counted separately.
    pub limit: Limit,
    /// Of every response.
    pub latency: Duration,
    /// How far the server's clock is ahead of the machine's; negative: behind.
    pub clock_ahead_s: i64,
    pub meeting_filter: MeetingFilter,
    /// Whether meeting_list sorts by start in descending order.
    pub latest_first: bool,
    pub long_meetings: LongMeetings,
    /// The quality list accepts only a start rounded down to the minute; exact seconds return 126009.
    pub requires_rounded_start: bool,
    /// The quality of a meeting is complete this many seconds after its end. In the first half of that time it is
    /// 126010, in the second half it has half of the samples.
    pub ready_after_s: i64,
    /// The participant list is complete this many seconds after the meeting's end; before, it has half of the rows.
    pub participants_ready_after_s: i64,
    /// What the lists leave out.
    pub losses: LossShares,
    pub report_days: ReportDays,
    /// Each answer and each participant of a list has a delay of its own, between this and the two above.
    pub ready_from_s: Option<i64>,
    /// Samples on a page of the quality list, if more are requested.
    pub samples_per_page: usize,
    pub style: JsonStyle,
    pub faults: Vec<Fault>,
    /// Number of calls that the log keeps. 0: no log.
    pub log_capacity: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            app_id: "cli_made_up_tenant".to_owned(),
            app_secret: "not-a-secret-of-anybody".to_owned(),
            user_token: None,
            store_app: None,
            refresh_token: None,
            token_life_s: 7200,
            limit: Limit::default(),
            latency: Duration::ZERO,
            clock_ahead_s: 0,
            meeting_filter: MeetingFilter::default(),
            latest_first: false,
            long_meetings: LongMeetings::default(),
            requires_rounded_start: false,
            ready_after_s: 0,
            participants_ready_after_s: 0,
            losses: LossShares::default(),
            report_days: ReportDays::default(),
            ready_from_s: None,
            samples_per_page: usize::MAX,
            style: JsonStyle::default(),
            faults: Vec::new(),
            log_capacity: 20_000,
        }
    }
}
