//! `vcq-etl simulate`: a made-up tenant on loopback, until stopped.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;

use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};

use super::{Context, Entry, Example, Run, now_us, runtime};
use crate::config::{Config, Group, duration};
use crate::error::{ExitCode, Failure};
use crate::schema::TenantZone;
use vcq_simulator::{
    FAULT_NAMES, Fault, LIST_ENDPOINTS, Limit, LongMeetings, MeetingFilter, Options, Tenant, TenantSpec, WindowKind,
};

const EXAMPLES: &[Example] = &[
    ("vcq-etl simulate --port 8600", "a tenant to try settings on"),
    ("vcq-etl simulate --fault html@every=7 --days 30", "one that fails now and then"),
];

/// Which made-up tenant: shared with `demo`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct TenantArgs {
    /// Which made-up tenant: the same numbers give the same people and the same bad days.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,

    /// Days of meetings, up to now.
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,

    /// People in the tenant.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub people: u32,

    /// Meetings on a working day, on average.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub meetings_per_day: u32,
}

impl TenantArgs {
    /// The tenant whose last day is today on the clock of `zone`.
    pub(crate) fn spec(&self, zone: &TenantZone, now_us: i64) -> TenantSpec {
        let now = jiff::Timestamp::from_microsecond(now_us).unwrap_or_default();
        let today = now.to_zoned(zone.time_zone().clone()).date();
        let first_day = today.checked_sub(jiff::Span::new().days(i64::from(self.days) - 1)).unwrap_or(today);
        TenantSpec {
            seed: self.seed,
            first_day,
            days: self.days,
            people: self.people,
            meetings_per_day: self.meetings_per_day,
            utc_offset_s: zone.offset_min_at(now_us) * 60,
            ends_by: Some(now.as_second()),
            ..TenantSpec::default()
        }
    }
}

/// What a limit counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WindowArg {
    /// Any stretch of that length.
    Sliding,
    /// One stretch after the other.
    Fixed,
}

/// What a clamped window finds of a meeting of more than a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LongArg {
    Found,
    /// A refusal, like the longer window.
    Refused,
    NotFound,
}

/// By what the meeting list filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FilterArg {
    Start,
    End,
    Overlap,
}

/// What to serve, and what goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct SimulateArgs {
    /// Port on loopback; 0 takes any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,

    #[command(flatten)]
    tenant: TenantArgs,

    /// First day of the tenant instead of counting back from today.
    #[arg(long, value_name = "YYYY-MM-DD")]
    first_day: Option<jiff::civil::Date>,

    /// Something that goes wrong: [LIST:]KIND[@WHEN], for example html@every=7; can be given several times.
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<String>,

    /// Time that every answer takes, such as 300ms.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    latency: String,

    /// What the limit of --calls-per-minute and --rate-window counts in.
    #[arg(long, value_enum, value_name = "KIND", default_value = "sliding")]
    window: WindowArg,

    /// Refuse with this HTTP status over the limit: 429, or 400 as older APIs do.
    #[arg(long, value_name = "STATUS", default_value_t = 429)]
    limit_status: u16,

    /// Life of a tenant token, such as 2h.
    #[arg(long, value_name = "TIME", default_value = "2h")]
    token_life: String,

    /// Quality is whole only this long after a meeting's end.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    ready_after: String,

    /// What a window cut to a day finds of a longer meeting.
    #[arg(long, value_enum, value_name = "KIND", default_value = "found")]
    long_meetings: LongArg,

    /// By what meeting_list decides whether a meeting is in the window.
    #[arg(long, value_enum, value_name = "KIND", default_value = "start")]
    meeting_filter: FilterArg,

    /// Quality items in a million with an odd value.
    #[arg(long, value_name = "N", default_value_t = 0)]
    odd_items_per_million: u32,
}

pub(super) const ENTRY: Entry = Entry {
    shown: &[Group::Store, Group::Fetching, Group::Logging],
    command,
    examples: EXAMPLES,
    run: Run::Configured(run),
};

fn command() -> Command {
    SimulateArgs::augment_args(Command::new("simulate"))
        .mut_arg("faults", |arg| arg.long_help(faults_help()))
        .about("Serve a made-up tenant on this machine until stopped")
        .long_about(
            "Serve a made-up tenant on loopback until stopped, and print its address and the export lines that point \
             vcq-etl at it.",
        )
}

/// The notation of faults, from the simulator's own lists.
fn faults_help() -> String {
    let lists: Vec<String> = LIST_ENDPOINTS.iter().map(ToString::to_string).collect();
    let kinds: Vec<&str> = FAULT_NAMES.iter().map(|(name, _)| *name).collect();
    format!(
        "Something that goes wrong: [LIST:]KIND[@WHEN], for example html@every=7; can be given several times.\n\n\
         LIST is {}; any of them where it is left out. KIND is {}, or code=N for any code of the vendor. WHEN is always \
         (the default), every=N, after=N, first=N (calls), chance=P, share=P (of the calls, of the participants or \
         meetings, 0 to 1) or first-of-each=N.",
        lists.join(", "),
        kinds.join(", ")
    )
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args =
        SimulateArgs::from_arg_matches(matches).expect("clap has checked these matches against the same arguments");
    let now_us = now_us();
    let mut spec = args.tenant.spec(&context.config.timezone, now_us);
    if let Some(first_day) = args.first_day {
        spec = TenantSpec { first_day, ..spec };
    }
    let options = args.options(&context.config)?;
    runtime()?.block_on(async {
        let running = vcq_simulator::serve(Tenant::generate(&spec), options).await?;
        let totals = running.tenant().totals();
        context.output.print(&format!(
            "# a made-up tenant from {} on:\n# {} meetings, {} participants, {} samples\n# {}\n\
             export VCQ_BASE_URL={}\nexport VCQ_APP_ID={}\nexport VCQ_APP_SECRET={}\n",
            spec.first_day,
            totals.meetings,
            totals.participants,
            totals.samples,
            running.base_url(),
            running.base_url(),
            running.app_id(),
            running.app_secret(),
        ))?;
        context.console.say("serving until stopped (Ctrl-C)");
        match super::Signals::listen() {
            Some(mut signals) => drop(signals.next().await),
            // The system's own handlers end the process.
            None => std::future::pending().await,
        }
        running.shutdown().await;
        Ok(ExitCode::Complete)
    })
}

impl SimulateArgs {
    fn options(&self, config: &Config) -> Result<Options, Failure> {
        let faults = self.faults.iter().map(|text| text.parse::<Fault>()).collect::<Result<Vec<_>, _>>()?;
        let default = Options::default();
        let seconds = |text: &str, flag: &str| time(text, flag).map(|time| time.as_secs() as i64);
        Ok(Options {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            limit: Limit {
                http_status: self.limit_status,
                kind: match self.window {
                    WindowArg::Sliding => WindowKind::Sliding,
                    WindowArg::Fixed => WindowKind::Fixed,
                },
                ..limit(config)
            },
            latency: time(&self.latency, "--latency")?,
            token_life_s: seconds(&self.token_life, "--token-life")?,
            ready_after_s: seconds(&self.ready_after, "--ready-after")?,
            long_meetings: match self.long_meetings {
                LongArg::Found => LongMeetings::Found,
                LongArg::Refused => LongMeetings::Refused,
                LongArg::NotFound => LongMeetings::NotFound,
            },
            meeting_filter: match self.meeting_filter {
                FilterArg::Start => MeetingFilter::Start,
                FilterArg::End => MeetingFilter::End,
                FilterArg::Overlap => MeetingFilter::Overlap,
            },
            style: vcq_simulator::JsonStyle { malformed_per_million: self.odd_items_per_million, ..default.style },
            faults,
            ..default
        })
    }
}

/// The simulator's limit is the one that a sync with the same settings keeps.
pub(super) fn limit(config: &Config) -> Limit {
    let calls = NonZeroU32::new(config.calls_in_window()).unwrap_or(NonZeroU32::MIN);
    Limit { calls: calls.get() as _, window: config.rate_window, ..Limit::default() }
}

fn time(text: &str, flag: &str) -> Result<std::time::Duration, Failure> {
    duration(text).ok_or_else(|| {
        Failure::new(ExitCode::Usage, format!("{flag}: {text:?} is no length of time"))
            .hint("write a number and a unit: 300ms, 90s, 10m, 24h, 2d")
    })
}
