//! `vcq-etl simulate`: a simulated tenant on loopback, until stopped.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{ArgMatches, Args, Command};
use vcq_simulator::{
    Background, FAULT_NAMES, Fault, JsonStyle, LIST_ENDPOINTS, Limit, LongMeetings, LossShares, MeetingFilter,
    OPTIONAL_ENDPOINTS, Options, ReportDays, Tenant, TenantSpec, Unplanted, WindowKind,
};

use super::command::{Choice, Context, Entry, Example, Run, one_of, parsed};
use super::output::write_file;
use super::runtime::{Signals, block_on, now_us};
use super::sync::rate;
use crate::config::{Config, Group, duration};
use crate::error::{ExitCode, Failure};
use crate::schema::TenantZone;

const EXAMPLES: &[Example] = &[
    ("vcq-etl simulate --port 8600", "to try out settings"),
    ("vcq-etl simulate --fault html@every=7 --days 30", "every 7th call fails"),
    ("vcq-etl simulate --lose 0.1% --truth lost.ndjson", "the lists are incomplete"),
    ("vcq-etl simulate --plant random --days 28 --truth truth.ndjson", ""),
];

/// The simulated tenant, also for `demo`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct TenantArgs {
    /// Random seed; the same seed and options generate the same data.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,

    /// Number of days with meetings, ending today.
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,

    /// Number of people.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub people: u32,

    /// Average number of meetings on a working day.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub meetings_per_day: u32,
}

impl TenantArgs {
    /// The tenant whose last day is today in `zone`.
    pub(super) fn spec(&self, zone: &TenantZone, now_us: i64) -> TenantSpec {
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

const WINDOWS: &[Choice<WindowKind>] = &[
    ("sliding", "Any interval of the window's length", WindowKind::Sliding),
    ("fixed", "Back-to-back intervals", WindowKind::Fixed),
];

const LONG_MEETINGS: &[Choice<LongMeetings>] = &[
    ("found", "", LongMeetings::Found),
    ("refused", "", LongMeetings::Refused),
    ("not-found", "", LongMeetings::NotFound),
];

const MEETING_FILTERS: &[Choice<MeetingFilter>] =
    &[("start", "", MeetingFilter::Start), ("end", "", MeetingFilter::End), ("overlap", "", MeetingFilter::Overlap)];

const REPORT_DAYS: &[Choice<ReportDays>] =
    &[("local", "In the tenant's time zone", ReportDays::Local), ("utc", "", ReportDays::Utc)];

#[derive(Debug, Args)]
struct SimulateArgs {
    /// Port on loopback; 0 picks a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,

    #[command(flatten)]
    tenant: TenantArgs,

    /// First day with meetings [default: so that the last day is today].
    #[arg(long, value_name = "YYYY-MM-DD")]
    first_day: Option<jiff::civil::Date>,

    /// Fault to inject: [ENDPOINT:]KIND[@TRIGGER], for example html@every=7; repeatable.
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<String>,

    /// Leave out a share of the meetings, participants and minutes, which Feishu's own counts still include: 0.1%, or
    /// meetings=0.1%,participants=1%,minutes=2%.
    #[arg(long, value_name = "SHARE")]
    lose: Option<String>,

    /// Incidents to plant: none, random, or a list of KIND[=SCOPE][:METRIC][:LENGTH] such as site:jitter:hours.
    #[arg(long, value_name = "INCIDENTS")]
    plant: Option<String>,

    /// File for a list of what --lose left out and of the incidents, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,

    /// File to write the tenant's buildings to, for `vcq-etl buildings import`.
    #[arg(long, value_name = "FILE")]
    buildings: Option<PathBuf>,

    /// Latency of every response, such as 300ms.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    latency: String,

    /// Rate-limit window.
    #[arg(long, value_name = "KIND", default_value = "sliding", value_parser = one_of(WINDOWS))]
    window: WindowKind,

    /// HTTP status of throttled requests: 429, or 400, as older APIs return.
    #[arg(long, value_name = "STATUS", default_value_t = 429)]
    limit_status: u16,

    /// Lifetime of a tenant token, such as 2h.
    #[arg(long, value_name = "TIME", default_value = "2h")]
    token_life: String,

    /// Delay between the end of a meeting and its quality data being complete.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    ready_after: String,

    /// How to answer a request for a meeting longer than 24 hours whose window was cut to 24 hours.
    #[arg(long, value_name = "KIND", default_value = "found", value_parser = one_of(LONG_MEETINGS))]
    long_meetings: LongMeetings,

    /// Meeting time by which meeting_list filters.
    #[arg(long, value_name = "KIND", default_value = "start", value_parser = one_of(MEETING_FILTERS))]
    meeting_filter: MeetingFilter,

    /// Time zone whose midnight starts a day of Feishu's own meeting counts.
    #[arg(long, value_name = "ZONE", default_value = "local", value_parser = one_of(REPORT_DAYS))]
    report_days: ReportDays,

    /// Quality items per million with an unusual value.
    #[arg(long, value_name = "N", default_value_t = 0)]
    odd_items_per_million: u32,
}

pub(super) const ENTRY: Entry = Entry {
    help_groups: &[Group::Store, Group::Fetching, Group::Logging],
    command,
    examples: EXAMPLES,
    run: Run::Configured(run),
};

fn command() -> Command {
    SimulateArgs::augment_args(Command::new("simulate"))
        .mut_arg("faults", |arg| arg.long_help(faults_help()))
        .mut_arg("plant", |arg| arg.long_help(PLANT_HELP))
        .about("Run a local server that simulates a Feishu tenant")
        .long_about(
            "Run a local server that simulates a Feishu tenant, until stopped. Prints its address and the export commands \
             that point vcq-etl at it.",
        )
}

const PLANT_HELP: &str = "\
Incidents to plant: none, random, or a list of KIND[=SCOPE][:METRIC][:LENGTH] such as site:jitter:hours.

KIND is service, site, egress, subnet, room, meeting, person, app_version, device, network_type or location, and SCOPE a value of it, such as the name of a building. METRIC is \
loss, delay, jitter, frame_rate or cpu. LENGTH is hours, a number such as 150min, or days (in the last complete week), or chronic (to the last day). What is \
left out is chosen by the seed. The planted incidents are then the only problems of the tenant; homes and \
buildings have various networks, and some rooms are busy.";

fn faults_help() -> String {
    let endpoints =
        LIST_ENDPOINTS.iter().chain(OPTIONAL_ENDPOINTS).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let kinds = FAULT_NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    format!(
        "Fault to inject: [ENDPOINT:]KIND[@TRIGGER], for example html@every=7; repeatable.\n\n\
         ENDPOINT is {endpoints} [default: any]. KIND is {kinds}, code=N or code=N/STATUS for an API error code (and its \
         HTTP status), or html=STATUS for an error page. TRIGGER is always \
         [default], every=N, after=N or first=N (calls), chance=P (of the calls, 0 to 1), share=P (of the participants or meetings, 0 to 1) or \
         first-of-each=N."
    )
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: SimulateArgs = parsed(matches);
    let mut spec = args.tenant.spec(&context.config.timezone, now_us());
    spec.first_day = args.first_day.unwrap_or(spec.first_day);
    if let Some(incidents) = &args.plant {
        spec.planting = incidents.parse()?;
        spec.background = planted_background();
    }
    let options = args.options(&context.config)?;
    let tenant = Tenant::generate(&spec);
    warn_of_unplanted(&tenant, context);
    if let Some(file) = &args.truth {
        write_file(file, &truth(&tenant, &options.losses))?;
    }
    if let Some(file) = &args.buildings {
        write_file(file, &tenant.building_file())?;
    }
    block_on(async {
        let running = vcq_simulator::serve(tenant, options).await?;
        let totals = running.tenant().totals();
        context.output.print(&format!(
            "# simulated tenant, first day {}\n# {} meetings, {} participants, {} samples\n# {url}\n\
             export VCQ_BASE_URL={url}\nexport VCQ_APP_ID={}\nexport VCQ_APP_SECRET={}\n",
            spec.first_day,
            totals.meetings,
            totals.participants,
            totals.samples,
            running.app_id(),
            running.app_secret(),
            url = running.base_url(),
        ))?;
        context.console.info("serving until stopped (Ctrl-C)");
        match Signals::listen() {
            Some(mut signals) => drop(signals.next().await),
            // The default handlers of the system end the process.
            None => std::future::pending().await,
        }
        running.shutdown().await;
        Ok(ExitCode::Complete)
    })?
}

impl SimulateArgs {
    fn options(&self, config: &Config) -> Result<Options, Failure> {
        let faults = self.faults.iter().map(|text| text.parse::<Fault>()).collect::<Result<Vec<_>, _>>()?;
        let losses = self.lose.as_deref().map(str::parse::<LossShares>).transpose()?.unwrap_or_default();
        let default = Options::default();
        let seconds = |text: &str, flag: &str| time(text, flag).map(|time| time.as_secs() as i64);
        Ok(Options {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            limit: Limit { http_status: self.limit_status, kind: self.window, ..limit(config) },
            latency: time(&self.latency, "--latency")?,
            token_life_s: seconds(&self.token_life, "--token-life")?,
            ready_after_s: seconds(&self.ready_after, "--ready-after")?,
            long_meetings: self.long_meetings,
            meeting_filter: self.meeting_filter,
            report_days: self.report_days,
            losses,
            style: JsonStyle { malformed_per_million: self.odd_items_per_million, ..default.style },
            faults,
            ..default
        })
    }
}

/// Names the incidents that could not be planted.
pub(super) fn warn_of_unplanted(tenant: &Tenant, context: &Context) {
    for Unplanted { plant, obstacle } in tenant.unplanted() {
        context.console.warn(&format!(
            "{plant} could not be planted: {}; try more --people or --days, or another --seed",
            obstacle.reason()
        ));
    }
}

/// Networks as they are in companies, and no problem but the planted ones.
pub(super) fn planted_background() -> Background {
    Background { varied_networks: true, known_problems: false, ..Background::default() }
}

/// One JSON object per line.
fn truth(tenant: &Tenant, shares: &LossShares) -> String {
    let losses = tenant.losses(shares).into_iter().map(|loss| serde_json::json!(loss));
    let incidents = tenant.incident_truths().into_iter().map(|incident| serde_json::json!(incident));
    losses.chain(incidents).map(|line| format!("{line}\n")).collect()
}

/// The rate limit that a sync with the same settings keeps to.
pub(super) fn limit(config: &Config) -> Limit {
    let rate = rate(config);
    Limit { calls: rate.calls.get() as _, window: rate.window, ..Limit::default() }
}

fn time(text: &str, flag: &str) -> Result<std::time::Duration, Failure> {
    duration(text).ok_or_else(|| {
        Failure::new(ExitCode::Usage, format!("{flag}: {text:?} is not a duration"))
            .hint("give a number and a unit: 300ms, 90s, 10m, 24h, 2d")
    })
}
