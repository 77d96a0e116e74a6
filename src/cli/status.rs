//! `vcq-etl status`: the state of a store.

use std::collections::BTreeMap;

use clap::{ArgMatches, Args, Command};
use jiff::Timestamp;

use super::command::{Context, Entry, Example, Run, parsed};
use super::console::{calls_text, estimate_text};
use super::output::json_line;
use super::runtime::now_us;
use super::sync::rate;
use super::tenants::{self, TenantsArgs};
use super::window::Window;
use crate::commands::status::{
    Coverage, Days, LastComplete, Newest, OpenView, PendingView, PersonalView, ProfileView, Reason, RunView,
};
use crate::commands::{self, Part, StatusSetup, StatusView, TimeSpan};
use crate::config::Group;
use crate::error::{ExitCode, Failure};
use crate::schema::{Status, TenantZone};
use crate::text::{Align, Language, TextPage, counted, date_range, duration_text, on_one_line, size_text, thousands};

#[derive(Debug, Clone, Args)]
struct StatusArgs {
    /// Number of recent runs to show.
    #[arg(long, value_name = "N", default_value_t = 5)]
    runs: usize,

    /// Number of days of coverage to show, ending with the newest day in the store.
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: u32,

    /// Start date of the coverage (inclusive), instead of --days.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,

    /// End date of the coverage (exclusive) [default: now].
    #[arg(long, value_name = "WHEN", requires = "since")]
    until: Option<String>,

    /// Print the status as a JSON object; with --tenants, as a line for each tenant.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    tenants: TenantsArgs,
}

const EXAMPLES: &[Example] = &[
    ("vcq-etl status", "freshness and pending data"),
    ("vcq-etl status --json | jq .last_complete.age_s", "for monitoring"),
    ("vcq-etl status --tenants all", "a line for every tenant"),
];

pub(super) const ENTRY: Entry = Entry {
    help_groups: &[Group::Store, Group::Fetching, Group::Resources, Group::Logging],
    command,
    examples: EXAMPLES,
    run: Run::Configured(run),
};

fn command() -> Command {
    StatusArgs::augment_args(Command::new("status"))
        .about("Show the state of the store")
        .long_about(
            "Show the state of the store: recent runs, freshness, coverage by day, pending data with reasons, and calls used. \
             Makes no API calls, takes no lock and changes nothing, so it can run during a sync. If the store is damaged, \
             shows whatever is readable.",
        )
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: StatusArgs = parsed(matches);
    if args.tenants.tenants.is_some() {
        return tenants::for_tenants(&args.tenants, args.json, tenants::STATUS, context);
    }
    let now_us = now_us();
    let config = &context.config;
    let days = match &args.since {
        None => Days::Last(args.days),
        Some(since) => {
            let Window { since_us, until_us } = Window::parse(since, args.until.as_deref(), &config.timezone, now_us)?;
            Days::Window(since_us, until_us)
        }
    };
    let view = commands::status(&StatusSetup {
        store: config.store.clone(),
        zone: config.timezone.clone(),
        database: config.database(),
        rate: rate(config),
        settle: config.settle,
        longest_meeting: config.longest_meeting,
        runs: args.runs,
        profile: config.profile.clone(),
        days,
        now_us,
    })?;
    let language = context.console.language;
    context.output.print(&if args.json { json_line(&view) } else { text(&view, &config.timezone, language) })?;
    Ok(view.exit())
}

fn text(view: &StatusView, zone: &TenantZone, language: Language) -> String {
    let mut page = TextPage::new(16).in_language(language);
    page.field("Store", &view.store);
    let published = part_text(&view.published, |published| match published {
        None => "nothing yet".to_owned(),
        Some(published) => format!(
            "generation {} at {}, schema {}, {}",
            published.generation,
            published.published_utc,
            published.schema_version,
            counted(published.dates, "date")
        ),
    });
    page.field("Published", &published);
    let running = view.holder.as_ref().map(|holder| {
        let (command, host) = (on_one_line(&holder.command), on_one_line(&holder.host));
        format!("{command} since {}, process {} on {host}", holder.started_utc, holder.pid)
    });
    page.field("Running", running.as_deref().unwrap_or("nothing"));
    page.field("Last complete", &part_text(&view.last_complete, |last| last_complete(last, zone)));
    let not_covered = part_text(&view.not_covered, |spans| spans_text(spans, zone));
    if !not_covered.is_empty() {
        page.field("Not covered", &not_covered);
    }
    if let Some(before) = &view.pruned_before {
        page.field("Pruned", &format!("the data before {before}"));
    }
    let replacing = part_text(&view.replacing, |dates| match dates.as_slice() {
        [] => String::new(),
        dates => format!(
            "a replacement of {} was interrupted; the next run finishes it",
            counted(dates.len() as u64, "date")
        ),
    });
    if !replacing.is_empty() && view.holder.is_none() {
        page.field("Unfinished", &replacing);
    }
    page.field("Newest", &part_text(&view.newest, newest));
    page.field("Incidents", &part_text(&view.profile, |profile| incidents(profile, &view.incidents)));
    let personal = part_text(&view.personal, personal);
    if !personal.is_empty() {
        page.field("Identities", &personal);
    }
    let calls = part_text(&view.calls, |used| {
        let at_least = |is_so: bool| if is_so { "at least " } else { "" };
        let (month, today) = (at_least(used.is_at_least), at_least(used.today_is_at_least));
        let total = thousands(used.today.total());
        format!("{}: {month}{}; today: {today}{total}", used.month, calls_text(&used.this_month))
    });
    page.field("Calls", &calls);
    let size = part_text(&view.size, |size| {
        let parts = [
            ("raw", size.raw_bytes),
            ("parquet", size.parquet_bytes),
            ("vcq.duckdb", size.duckdb_bytes),
            ("state", size.state_bytes),
        ];
        let all = size_text(parts.iter().map(|(_, bytes)| bytes).sum());
        format!("{all} ({})", parts.map(|(name, size)| format!("{name} {}", size_text(size))).join(", "))
    });
    page.field("Size", &size);

    page.line("");
    page.line(&format!("Recent runs (times in {})", zone.name()));
    section(&view.runs, &mut page, |runs, page| last_runs(view, runs, zone, page));
    page.line("");
    page.line("Coverage by day (participants and lists, as published)");
    section(&view.coverage, &mut page, coverage);
    page.line("");
    page.line("Pending");
    section(&view.pending, &mut page, pending);
    if let Part::Read(reasons) = &view.reasons {
        for reason in reasons {
            let what = if reason.is_list { "participant list" } else { "participant" };
            let count = counted(reason.participants, what);
            page.name(&format!("  {}", reason.status), &format!("{count}: {}", on_one_line(&reason.reason)));
        }
        if let Part::Read(pending) = &view.pending
            && counts_differ(pending, reasons)
        {
            page.field("", "these count rows of coverage as published: duplicate participants are fetched once");
        }
    }
    page.text()
}

/// True if the ledger and the published rows give different numbers of pending participants.
fn counts_differ(pending: &PendingView, reasons: &[Reason]) -> bool {
    let OpenView { not_asked, requested_again, refetch: _, failed } = pending.participants;
    let rows: u64 = reasons.iter().filter(|reason| !reason.is_list).map(|reason| reason.participants).sum();
    // Participants to be refetched are still published with their earlier data.
    rows > 0 && rows != not_asked + requested_again + failed
}

/// A part as text, or why it cannot be read.
fn part_text<T>(part: &Part<T>, text: impl FnOnce(&T) -> String) -> String {
    match part {
        Part::Read(value) => text(value),
        Part::Unread { error } => format!("unknown: {}", on_one_line(error)),
    }
}

/// A part as lines, or why it cannot be read.
fn section<T>(part: &Part<T>, page: &mut TextPage, write: impl FnOnce(&T, &mut TextPage)) {
    match part {
        Part::Read(value) => write(value, page),
        Part::Unread { error } => page.field("  unknown", &on_one_line(error)),
    }
}

/// With its window, because a run of a single meeting or of an old window can be complete too.
fn last_complete(last: &Option<LastComplete>, zone: &TenantZone) -> String {
    let Some(last) = last else { return "never".to_owned() };
    let window = window_dates((&last.since_utc, &last.until_utc), zone, "%F");
    let window = window.map(|dates| format!(", for {dates}")).unwrap_or_default();
    format!("{} ago, {}{window}", duration_text(last.age_s), last.finished_utc)
}

/// Local times, with what fetches that time; empty if there is none.
fn spans_text(spans: &[TimeSpan], zone: &TenantZone) -> String {
    const MOST: usize = 5;
    let minute = "%F %H:%M";
    let text = |span: &TimeSpan| {
        format!("{} to {}", local(&span.since_utc, zone, minute), local(&span.until_utc, zone, minute))
    };
    let mut texts: Vec<String> = spans.iter().take(MOST).map(text).collect();
    if spans.len() > MOST {
        texts.push(format!("{} more", spans.len() - MOST));
    }
    if texts.is_empty() {
        return String::new();
    }
    format!(
        "{} ({}); no complete run has fetched meetings of this time: run vcq-etl sync --since last",
        texts.join(", "),
        zone.name()
    )
}

/// The most severe first.
fn incidents(profile: &ProfileView, counts: &Part<BTreeMap<&'static str, u64>>) -> String {
    let ProfileView { judged_by, setting } = profile;
    let Some(judged_by) = judged_by else {
        return "not searched yet; the next vcq-etl sync or rebuild searches all dates".to_owned();
    };
    let counts = part_text(counts, |counts| {
        let count = |severity: &str| counts.get(severity).copied().unwrap_or_default();
        let found = ["critical", "major", "minor"].map(|severity| (severity, count(severity)));
        let found = found.iter().filter(|(_, count)| *count > 0);
        let found: Vec<String> = found.map(|(severity, count)| format!("{} {severity}", thousands(*count))).collect();
        if found.is_empty() { "none".to_owned() } else { found.join(", ") }
    });
    let judged = format!("{counts}; judged by the profile {judged_by}");
    match judged_by == setting {
        true => judged,
        false => format!("{judged}; the setting is {setting}: the next vcq-etl sync or rebuild judges all dates by it"),
    }
}

fn newest(newest: &Newest) -> String {
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let [complete, date, sample] = [&newest.complete_date, &newest.meeting_date, &newest.sample_utc].map(known);
    format!("complete date {complete}, date {date}, sample {sample}")
}

fn last_runs(view: &StatusView, runs: &[RunView], zone: &TenantZone, page: &mut TextPage) {
    if runs.is_empty() {
        return page.line("none");
    }
    let heading = ["started", "command", "window", "outcome", "calls", "samples", "h:mm:ss"];
    let language = page.language();
    let said = |word: &str| language.say(word).into_owned();
    let mut rows = vec![heading.map(said).to_vec()];
    // Of several runs without an end, all but the one that holds the lock were killed.
    let mut running = view.holder.as_ref().map(|holder| holder.command.as_str());
    for run in runs {
        let outcome = match (&run.outcome, run.exit_code) {
            (Some(outcome), Some(code)) => format!("{outcome} {code}"),
            _ if running == Some(run.command.as_str()) => {
                running = None;
                said("running")
            }
            _ => said("killed"),
        };
        let window = window_dates((&run.since_utc, &run.until_utc), zone, "%m-%d");
        rows.push(vec![
            local(&run.started_utc, zone, "%m-%d %H:%M"),
            on_one_line(&run.command),
            window.unwrap_or_else(|| "-".to_owned()),
            outcome,
            thousands(run.calls.unsigned_abs()),
            run.samples.map_or_else(|| "-".to_owned(), |samples| thousands(samples.unsigned_abs())),
            run.duration_s.map_or_else(|| "-".to_owned(), clock),
        ]);
    }
    use Align::{Left, Right};
    page.table(&[Left, Left, Left, Left, Right, Right, Right], &rows);
}

/// An instant in local time; "?" if it is unreadable.
fn local(utc: &str, zone: &TenantZone, format: &str) -> String {
    let at = utc.parse::<Timestamp>().map(|at| at.to_zoned(zone.time_zone().clone()).strftime(format).to_string());
    at.unwrap_or_else(|_| "?".to_owned())
}

/// The first and the last local date of a window whose end is exclusive.
fn window_dates(window: (&Option<String>, &Option<String>), zone: &TenantZone, format: &str) -> Option<String> {
    let (since, until) = (window.0.as_ref()?, window.1.as_ref()?.parse::<Timestamp>().ok()?);
    let last = Timestamp::from_microsecond(until.as_microsecond() - 1).ok()?.to_string();
    Some(format!("{}..{}", local(since, zone, format), local(&last, zone, format)))
}

/// `0:12:03`.
fn clock(duration_s: f64) -> String {
    let seconds = duration_s.max(0.0) as u64;
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Statuses with a column of their own. The others are final.
const COLUMNS: &[Status] = &[Status::Complete, Status::Empty, Status::Pending, Status::Failed];

/// What is kept of people; empty if everything is.
fn personal(personal: &PersonalView) -> String {
    let mut parts = Vec::new();
    parts.extend((personal.topics == "drop").then(|| "no topics".to_owned()));
    parts.extend(personal.replaced_before.as_ref().map(|date| format!("replaced before {date}")));
    parts.extend(personal.has_forgotten.then(|| "replaced for some people".to_owned()));
    parts.extend((personal.identity != "full").then(|| personal.identity.to_owned()));
    parts.join("; ")
}

fn coverage(coverage: &Coverage, page: &mut TextPage) {
    if coverage.days.is_empty() {
        return page.line("none");
    }
    let others = Status::ALL.iter().filter(|status| !COLUMNS.contains(status));
    let count = |by_status: &BTreeMap<&'static str, u64>, status: &Status| {
        by_status.get(status.name()).copied().unwrap_or_default()
    };
    let language = page.language();
    let said = |word: &str| language.say(word).into_owned();
    let mut heading: Vec<String> = ["date", "meetings"].map(said).to_vec();
    heading.extend(COLUMNS.iter().map(|status| status.name().to_owned()));
    heading.extend(["others", "complete"].map(said));
    let mut rows = vec![heading];
    for day in &coverage.days {
        let number = |number: u64| if day.meetings == 0 { String::new() } else { thousands(number) };
        let mut row = vec![day.meeting_date.clone()];
        let meetings = match (day.meetings, day.not_covered) {
            (0, _) if day.pruned => "pruned".to_owned(),
            (0, true) => "not covered".to_owned(),
            (0, false) => "none".to_owned(),
            (meetings, true) => format!("{} in part", thousands(meetings)),
            (meetings, false) => thousands(meetings),
        };
        row.push(said(&meetings));
        row.extend(COLUMNS.iter().map(|status| number(count(&day.by_status, status))));
        row.push(number(others.clone().map(|status| count(&day.by_status, status)).sum()));
        row.push(day.complete_pct.map_or_else(String::new, |share| format!("{share:.1} %")));
        rows.push(row);
    }
    let sides: Vec<Align> =
        (0..rows[0].len()).map(|column| if column == 0 { Align::Left } else { Align::Right }).collect();
    page.table(&sides, &rows);
    let sum = |status: &Status| coverage.days.iter().map(|day| count(&day.by_status, status)).sum::<u64>();
    let named = others.map(|status| (status.name(), sum(status))).filter(|(_, count)| *count > 0);
    let named: Vec<String> = named.map(|(name, count)| format!("{name} {}", thousands(count))).collect();
    if !named.is_empty() {
        page.line(&format!("others: {}", named.join(", ")));
    }
}

fn pending(pending: &PendingView, page: &mut TextPage) {
    let later = &pending.estimate.later;
    match &pending.since_date {
        None => page.field("  to fetch", "nothing"),
        Some(_) if pending.estimate.meetings == 0 => page.field("  to fetch", "nothing now"),
        Some(date) => {
            page.field("  to fetch", &estimate_text(&pending.estimate));
            page.field("", &format!("run vcq-etl sync --since {date}"));
        }
    }
    pending_counts("participants", &pending.participants, page);
    pending_counts("lists", &pending.lists, page);
    if let (Some(settled), 1..) = (&later.settled_utc, later.settling_meetings) {
        let meetings = counted(later.settling_meetings, "meeting");
        page.field("  unstable", &format!("{meetings} may still change, until {settled} at the latest"));
    }
    if later.waiting > 0 {
        let units = thousands(later.waiting);
        page.field("  waiting", &format!("{units} participants and lists, requested recently and not due yet"));
    }
    if later.fresh_meetings > 0 {
        let meetings = counted(later.fresh_meetings, "meeting");
        page.field("  too recent", &format!("{meetings} ended less than ten minutes ago"));
    }
    if !pending.unpublished_dates.is_empty() {
        let dates = date_range(&pending.unpublished_dates);
        page.field("  unpublished", &format!("data of {dates}; the next sync publishes it"));
    }
    if pending.refetch_meetings > 0 {
        let meetings = counted(pending.refetch_meetings, "meeting");
        let text = format!("{meetings} of an unfinished refetch; their earlier data stays published until then");
        page.field("  refetch", &text);
    }
}

fn pending_counts(what: &str, view: &OpenView, page: &mut TextPage) {
    let kinds = [
        (view.not_asked, "not fetched yet"),
        (view.requested_again, "fetched too early or truncated"),
        (view.refetch, "to be refetched"),
        (view.failed, "failed"),
    ];
    let texts = kinds.iter().filter(|(count, _)| *count > 0);
    let language = page.language();
    let texts: Vec<String> = texts.map(|(count, why)| format!("{} {}", thousands(*count), language.say(why))).collect();
    if !texts.is_empty() {
        page.field(&format!("  {what}"), &texts.join(language.pick(", ", "，")));
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
