//! How the server behaves: everything that can be set, with its default.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::faults::Fault;
use super::limits::Limit;
use super::wire::WireStyle;

/// By what meeting_list decides whether a meeting belongs to the asked window; the vendor does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MeetingFilter {
    #[default]
    Start,
    End,
    Overlap,
}

/// What a window of 24 hours from the start of a longer meeting finds; the vendor does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LongMeetings {
    /// The meeting: its start is in the window.
    #[default]
    Found,
    /// It is refused like the longer window, with 126006.
    Refused,
    /// Nothing: 126009.
    NotFound,
}

/// Everything about the server that can be set. All of it but `bind` can be changed while it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Address to listen on; it must be a loopback address. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// The app id that gets a token.
    pub app_id: String,
    /// The secret that belongs to it.
    pub app_secret: String,
    /// A user token that is accepted as a bearer too.
    pub user_token: Option<String>,
    /// Life of a tenant token, in seconds.
    pub token_life_s: i64,
    /// Limit of each of the three lists; each has a bucket of its own.
    pub limit: Limit,
    /// Time that every answer takes.
    pub latency: Duration,
    /// Seconds that the server's clock is ahead of the machine's (behind, where negative).
    pub clock_ahead_s: i64,
    /// By what meeting_list picks meetings.
    pub meeting_filter: MeetingFilter,
    /// Whether meeting_list begins with the latest start.
    pub latest_first: bool,
    /// What a clamped window finds of a meeting over 24 hours.
    pub long_meetings: LongMeetings,
    /// The quality list finds a meeting only by a start on the full minute; exact seconds are answered with 126009.
    pub start_to_the_minute: bool,
    /// The quality of a meeting is whole this many seconds after its end; in the first half of that time it is answered
    /// with 126010, in the second half with half of the minutes.
    pub ready_after_s: i64,
    /// The participant list of a meeting is whole this many seconds after its end; before, it holds half of the rows.
    pub participants_ready_after_s: i64,
    /// The notation of the answers.
    pub style: WireStyle,
    /// What goes wrong on purpose.
    pub faults: Vec<Fault>,
    /// Number of calls that the log keeps; the oldest go first. 0 switches it off.
    pub log_capacity: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            app_id: "cli_made_up_tenant".to_owned(),
            app_secret: "not-a-secret-of-anybody".to_owned(),
            user_token: None,
            token_life_s: 7200,
            limit: Limit::default(),
            latency: Duration::ZERO,
            clock_ahead_s: 0,
            meeting_filter: MeetingFilter::default(),
            latest_first: false,
            long_meetings: LongMeetings::default(),
            start_to_the_minute: false,
            ready_after_s: 0,
            participants_ready_after_s: 0,
            style: WireStyle::default(),
            faults: Vec::new(),
            log_capacity: 20_000,
        }
    }
}
