//! `vcq-etl status`: how a store stands.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::aligned::{Page, Side, date_range, one_line};
use super::window::Window;
use super::{Context, Entry, Example, Run, now_us};
use crate::cli::console::{counted, length, price_text, thousands};
use crate::commands::status::{Coverage, Days, LastComplete, Newest, OpenView, PendingView, Reason, RunView};
use crate::commands::{self, Calls, Part, StatusSetup, StatusView};
use crate::config::Group;
use crate::error::{ExitCode, Failure};
use crate::schema::{Status, TenantZone, utc_text};
use feishu_vc::Rate;

/// What to look at.
#[derive(Debug, Clone, Args)]
struct StatusArgs {
    /// So many of the last runs.
    #[arg(long, value_name = "N", default_value_t = 5)]
    runs: usize,

    /// Coverage of so many days, up to the newest that the store holds.
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: u32,

    /// Coverage from this day on, instead of --days.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,

    /// Coverage up to this time, exclusive [default: now].
    #[arg(long, value_name = "WHEN", requires = "since")]
    until: Option<String>,

    /// Print the status as one JSON object.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &[Example] = &[
    ("vcq-etl status", "last runs, freshness, what is pending"),
    ("vcq-etl status --json | jq .last_complete.age_s", "for monitoring"),
];

pub(super) const ENTRY: Entry = Entry {
    shown: &[Group::Store, Group::Fetching, Group::Resources, Group::Logging],
    command,
    examples: EXAMPLES,
    run: Run::Configured(run),
};

fn command() -> Command {
    StatusArgs::augment_args(Command::new("status"))
        .about("Show how the store stands: last runs, freshness, coverage, what is pending")
        .long_about(
            "Show how the store stands: the last runs, how fresh it is, coverage by day, what is pending and why, calls used. \
             It makes no call, takes no lock and changes nothing; it works while a sync runs, and what can be read of a \
             damaged store is shown.",
        )
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args =
        StatusArgs::from_arg_matches(matches).expect("clap has checked these matches against the same arguments");
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
        rate: Rate {
            calls: NonZeroU32::new(config.calls_in_window()).unwrap_or(NonZeroU32::MIN),
            window: config.rate_window,
        },
        settle: config.settle,
        runs: args.runs,
        days,
        now_us,
    })?;
    let text = match args.json {
        // Numbers, texts, lists and maps with text keys always have a JSON form.
        true => serde_json::to_string(&view).expect("a status is plain values") + "\n",
        false => text(&view, &config.timezone),
    };
    context.output.print(&text)?;
    Ok(view.exit())
}

/// The view for people.
fn text(view: &StatusView, zone: &TenantZone) -> String {
    let mut page = Page::default();
    page.fact("Store", &view.store);
    page.fact(
        "Published",
        &read(&view.published, |published| match published {
            None => "nothing yet".to_owned(),
            Some(published) => format!(
                "generation {} at {}, schema {}, {}",
                published.generation,
                published.published_utc,
                published.schema_version,
                counted(published.dates, "date")
            ),
        }),
    );
    page.fact(
        "Running",
        &match &view.holder {
            None => "nothing".to_owned(),
            Some(holder) => {
                let command = one_line(&holder.command);
                format!("{command} since {}, process {} on {}", holder.started_utc, holder.pid, one_line(&holder.host))
            }
        },
    );
    page.fact("Last complete", &read(&view.last_complete, |last| last_complete(last, zone)));
    page.fact("Newest", &read(&view.newest, newest));
    page.fact(
        "Calls",
        &read(&view.calls, |used| {
            let at_least = |is_so: bool| if is_so { "at least " } else { "" };
            let (month, today) = (at_least(used.is_at_least), at_least(used.today_is_at_least));
            let total = thousands(used.today.total());
            format!("{}: {month}{}; today: {today}{total}", used.month, calls(&used.this_month))
        }),
    );
    page.fact(
        "Size",
        &read(&view.size, |size| {
            let parts = [
                ("raw", size.raw_bytes),
                ("parquet", size.parquet_bytes),
                ("vcq.duckdb", size.duckdb_bytes),
                ("state", size.state_bytes),
            ];
            let all = bytes(parts.iter().map(|(_, bytes)| bytes).sum());
            format!("{all} ({})", parts.map(|(name, size)| format!("{name} {}", bytes(size))).join(", "))
        }),
    );

    page.line("");
    page.line(&format!("Last runs (times in {})", zone.name()));
    section(&view.runs, &mut page, |runs, page| last_runs(view, runs, zone, page));
    page.line("");
    page.line("Coverage by day (participants, as published)");
    section(&view.coverage, &mut page, coverage);
    page.line("");
    page.line("Estimate");
    section(&view.pending, &mut page, pending);
    if let Part::Read(reasons) = &view.reasons {
        for reason in reasons {
            let count = counted(reason.participants, "participant");
            page.fact(&format!("  {}", reason.status), &format!("{count}: {}", one_line(&reason.reason)));
        }
        if let Part::Read(pending) = &view.pending
            && counts_differ(pending, reasons)
        {
            page.fact("", DIFFERING);
        }
    }
    page.text()
}

/// Why what is pending and what is published are not the same number.
const DIFFERING: &str = "failed and pending count rows of coverage as published: the same person with the same join time \
                         twice is asked once, and the row /* of a meeting stands for its list";

/// True where the ledger and the published rows give different numbers of open participants.
fn counts_differ(pending: &PendingView, reasons: &[Reason]) -> bool {
    let OpenView { not_asked, requested_again, refetch: _, failed } = pending.participants;
    let rows: u64 = reasons.iter().map(|reason| reason.participants).sum();
    // Participants of a refetch are published as they were answered before.
    rows > 0 && rows != not_asked + requested_again + failed
}

/// A part in a line, or why it can't be read.
fn read<T>(part: &Part<T>, text: impl FnOnce(&T) -> String) -> String {
    match part {
        Part::Read(value) => text(value),
        Part::Unread { error } => format!("unknown: {}", one_line(error)),
    }
}

/// A part in lines, or why it can't be read.
fn section<T>(part: &Part<T>, page: &mut Page, write: impl FnOnce(&T, &mut Page)) {
    match part {
        Part::Read(value) => write(value, page),
        Part::Unread { error } => page.fact("  unknown", &one_line(error)),
    }
}

/// With its window: a run of one meeting or of days long gone is complete too.
fn last_complete(last: &Option<LastComplete>, zone: &TenantZone) -> String {
    let Some(last) = last else { return "never".to_owned() };
    let window = match (&last.since_utc, &last.until_utc) {
        (Some(since), Some(until)) => format!(", for {}..{}", date(since, zone, 0), date(until, zone, 1)),
        _ => String::new(),
    };
    format!("{} ago, {}{window}", span(last.age_s), last.finished_utc)
}

fn newest(newest: &Newest) -> String {
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    format!(
        "complete day {}, day {}, sample {}",
        known(&newest.complete_date),
        known(&newest.meeting_date),
        known(&newest.sample_utc)
    )
}

fn calls(calls: &Calls) -> String {
    format!(
        "{} (meetings {}, participants {}, quality {})",
        thousands(calls.total()),
        thousands(calls.meeting_list),
        thousands(calls.participant_list),
        thousands(calls.participant_quality_list)
    )
}

fn last_runs(view: &StatusView, runs: &[RunView], zone: &TenantZone, page: &mut Page) {
    if runs.is_empty() {
        return page.line("none");
    }
    let heading = ["started", "command", "window", "outcome", "calls", "samples", "h:mm:ss"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    // Of several runs that have no end, all but the one that holds the store were killed.
    let mut at_work = view.holder.as_ref().map(|holder| holder.command.as_str());
    for run in runs {
        let outcome = match (&run.outcome, run.exit_code) {
            (Some(outcome), Some(code)) => format!("{outcome} {code}"),
            _ if at_work == Some(run.command.as_str()) => {
                at_work = None;
                "under way".to_owned()
            }
            _ => "not ended".to_owned(),
        };
        let window = match (&run.since_utc, &run.until_utc) {
            (Some(since), Some(until)) => format!("{}..{}", day(since, zone, 0), day(until, zone, 1)),
            _ => "-".to_owned(),
        };
        rows.push(vec![
            month_to_minute(&run.started_utc, zone),
            one_line(&run.command),
            window,
            outcome,
            thousands(run.calls.unsigned_abs()),
            run.samples.map_or_else(|| "-".to_owned(), |samples| thousands(samples.unsigned_abs())),
            run.duration_s.map_or_else(|| "-".to_owned(), clock),
        ]);
    }
    use Side::{Left, Right};
    page.table(&[Left, Left, Left, Left, Right, Right, Right], &rows);
}

/// The wall clock of an instant in the tenant's zone, `YYYY-MM-DDTHH:MM:SSZ` in form; `earlier_us` before it.
fn wall(utc: &str, zone: &TenantZone, earlier_us: i64) -> String {
    match utc.parse::<jiff::Timestamp>() {
        Ok(at) => {
            let utc_us = at.as_microsecond() - earlier_us;
            utc_text(utc_us + i64::from(zone.offset_min_at(utc_us)) * 60_000_000)
        }
        Err(_) => utc.to_owned(),
    }
}

/// `2026-11-23`.
fn date(utc: &str, zone: &TenantZone, earlier_us: i64) -> String {
    wall(utc, zone, earlier_us).get(..10).unwrap_or("?").to_owned()
}

/// `11-23`.
fn day(utc: &str, zone: &TenantZone, earlier_us: i64) -> String {
    wall(utc, zone, earlier_us).get(5..10).unwrap_or("?").to_owned()
}

/// `11-23 09:30`.
fn month_to_minute(utc: &str, zone: &TenantZone) -> String {
    wall(utc, zone, 0).get(5..16).unwrap_or("?").replace('T', " ")
}

/// `0:12:03`.
fn clock(duration_s: f64) -> String {
    let seconds = duration_s.max(0.0) as u64;
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

fn span(seconds: f64) -> String {
    length(Duration::from_secs_f64(seconds.max(0.0)))
}

/// Statuses with a column of their own; the others are answers that no later run changes.
const COLUMNS: &[Status] = &[Status::Complete, Status::Empty, Status::Pending, Status::Failed];

fn coverage(coverage: &Coverage, page: &mut Page) {
    if coverage.days.is_empty() {
        return page.line("no day yet");
    }
    let others = Status::ALL.iter().filter(|status| !COLUMNS.contains(status));
    let count = |by_status: &std::collections::BTreeMap<&'static str, u64>, status: &Status| {
        by_status.get(status.name()).copied().unwrap_or_default()
    };
    let mut heading: Vec<String> = ["date", "meetings"].map(str::to_owned).to_vec();
    heading.extend(COLUMNS.iter().map(|status| status.name().to_owned()));
    heading.extend(["others", "complete"].map(str::to_owned));
    let mut rows = vec![heading];
    for day in &coverage.days {
        let number = |number: u64| if day.meetings == 0 { String::new() } else { thousands(number) };
        let mut row = vec![day.meeting_date.clone()];
        row.push(if day.meetings == 0 { "none".to_owned() } else { thousands(day.meetings) });
        row.extend(COLUMNS.iter().map(|status| number(count(&day.by_status, status))));
        row.push(number(others.clone().map(|status| count(&day.by_status, status)).sum()));
        row.push(day.complete_pct.map_or_else(String::new, |share| format!("{share:.1} %")));
        rows.push(row);
    }
    let sides: Vec<Side> =
        (0..rows[0].len()).map(|column| if column == 0 { Side::Left } else { Side::Right }).collect();
    page.table(&sides, &rows);
    let sum = |status: &Status| coverage.days.iter().map(|day| count(&day.by_status, status)).sum::<u64>();
    let named: Vec<String> = others
        .map(|status| (status.name(), sum(status)))
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name} {}", thousands(count)))
        .collect();
    if !named.is_empty() {
        page.line(&format!("others: {}", named.join(", ")));
    }
}

fn pending(pending: &PendingView, page: &mut Page) {
    let later = &pending.price.later;
    match &pending.since_date {
        None => page.fact("  to ask", "nothing"),
        Some(_) if pending.price.meetings == 0 => page.fact("  to ask", "nothing now"),
        Some(date) => {
            page.fact("  to ask", &price_text(&pending.price));
            page.fact("", &format!("vcq-etl sync --since {date} asks for it"));
        }
    }
    open("participants", &pending.participants, page);
    open("lists", &pending.lists, page);
    if let (Some(settled), 1..) = (&later.settled_utc, later.settling_meetings) {
        let meetings = counted(later.settling_meetings, "meeting");
        page.fact("  settling", &format!("{meetings} may still grow, until {settled} at the latest"));
    }
    if later.fresh_meetings > 0 {
        let meetings = counted(later.fresh_meetings, "meeting");
        page.fact("  too fresh", &format!("{meetings} ended less than ten minutes ago"));
    }
    if !pending.unpublished_dates.is_empty() {
        let dates = date_range(&pending.unpublished_dates);
        page.fact("  unpublished", &format!("answers of {dates}; the next sync publishes them"));
    }
    if pending.refetch_meetings > 0 {
        let meetings = counted(pending.refetch_meetings, "meeting");
        let text = format!("{meetings} of a refetch that is not published yet; until then the earlier answers stay");
        page.fact("  refetch", &text);
    }
}

fn open(what: &str, view: &OpenView, page: &mut Page) {
    let kinds = [
        (view.not_asked, "not asked yet"),
        (view.requested_again, "asked too early or cut off"),
        (view.refetch, "to be asked again (refetch)"),
        (view.failed, "failed"),
    ];
    let texts: Vec<String> = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!("{} {why}", thousands(*count)))
        .collect();
    if !texts.is_empty() {
        page.fact(&format!("  {what}"), &texts.join(", "));
    }
}

/// `0 B`, `12.3 KiB`, `1.5 GiB`.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
