//! `vcq-etl report html`: the report page of a day, week or month.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use jiff::civil::Date;

use super::store::{open, warn_of_missing_dates, warn_of_other_definitions};
use crate::cli::command::{Choice, Context, one_of};
use crate::cli::output;
use crate::cli::runtime::now_us;
use crate::commands;
use crate::config::{Config, Origin};
use crate::error::Failure;
use crate::load::StorePaths;
use crate::report::page::{self, Language, Page, PageRequest, Period};
use crate::schema::civil_date_text;
use crate::text::counted;

pub(super) const EXAMPLES: &str = "Examples:\n  vcq-etl report html\n  \
    vcq-etl report html --period month --date 2026-10-01 --language zh\n  \
    vcq-etl report html --period day --out - | gzip > day.html.gz";

#[derive(Debug, Args)]
pub(super) struct HtmlArgs {
    /// Length of the period
    #[arg(long, value_name = "PERIOD", default_value = "week", value_parser = one_of(PERIODS))]
    period: Period,

    /// A date in the period [default: the last complete period with meetings]
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: Option<Date>,

    /// Number of worst meetings to show minute by minute
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=100))]
    meetings: u32,

    /// Output file, or - for stdout [default: vcq-report-<period>-<first day>.html]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
}

const PERIODS: &[Choice<Period>] = &[
    ("day", "A calendar day, compared with the same weekday a week before", Period::Day),
    ("week", "Monday to Sunday, compared with the week before", Period::Week),
    ("month", "A calendar month, compared with the month before", Period::Month),
];

/// The language of the settings if it is given anywhere, otherwise that of the reader's browser. The page has a switch.
fn initial_language(config: &Config) -> Language {
    match (config.origin("language"), config.language) {
        (Origin::Default, _) => Language::Auto,
        (_, crate::text::Language::English) => Language::English,
        (_, crate::text::Language::Chinese) => Language::Chinese,
    }
}

fn date(text: &str) -> Result<Date, String> {
    let date = text.parse::<Date>().ok().filter(|_| text.len() == "2026-11-01".len());
    date.ok_or_else(|| "expected a date such as 2026-11-01".to_owned())
}

pub(super) fn run(args: &HtmlArgs, context: &Context) -> Result<(), Failure> {
    let request = PageRequest {
        period: args.period,
        date: args.date,
        today: civil_date_text(context.config.timezone.day_of(now_us())).parse().ok(),
        profile: context.config.profile.clone(),
        language: initial_language(&context.config),
        meetings: args.meetings,
    };
    let config = &context.config;
    let paths = StorePaths::existing(&config.store)?;
    let connection = open(config)?;
    if let Some(path) = args.out.as_deref().filter(|path| path.as_os_str() != "-") {
        output::check_outside_store(path, &config.store)?;
    }
    warn_of_other_definitions(&connection, context)?;
    let span = page::span(&connection, &request)?;
    let (since, until) = (span.since.to_string(), span.until.to_string());
    let first_shown = span.since.min(span.before_since).min(span.trend_since).to_string();
    warn_of_missing_dates(&connection, Some(&first_shown), context)?;
    commands::find_session_incidents(&connection, &paths, &request.profile, Some(&since), Some(&until))?;
    let request = PageRequest { date: Some(span.since), ..request };
    let page = page::build(&connection, &request)?;
    let path = match &args.out {
        Some(path) if path.as_os_str() == "-" => {
            context.output.print(&page.html)?;
            None
        }
        Some(path) => Some(path.clone()),
        None => Some(PathBuf::from(format!("vcq-report-{}-{}.html", request.period.name(), page.span.since))),
    };
    if let Some(path) = &path {
        output::write_file(path, &page.html)?;
    }
    let place = path.map_or_else(|| "stdout".to_owned(), |path| path.display().to_string());
    let megabytes = page.html.len() as f64 / 1_000_000.0;
    context.console.info(&format!("wrote {} to {place} ({megabytes:.1} MB)", contents(&page)));
    Ok(())
}

/// What is on the page.
fn contents(page: &Page) -> String {
    let last = page.span.until.yesterday().unwrap_or(page.span.since);
    let days = match page.span.since == last {
        true => last.to_string(),
        false => format!("{} through {last}", page.span.since),
    };
    if page.empty_reason.is_some() {
        return format!("a page for {days} without quality data");
    }
    let (with_data, meetings) = (page.days_with_minutes as u64, page.meetings as u64);
    let (with_data, meetings) = (counted(with_data, "day"), counted(meetings, "meeting"));
    format!("{days}: {with_data} with quality data, {meetings} minute by minute")
}

#[cfg(test)]
mod tests {
    use feishu_vc::error_codes::{Action, ERROR_CODES};

    use super::*;

    /// Both languages of a page name why data is missing. Errors of the network and of other programs have one form.
    #[test]
    fn every_coverage_reason_has_a_chinese_form() {
        let is_skipped = |action: &Action| matches!(action, Action::Skip(_));
        let refusals = ERROR_CODES
            .iter()
            .filter(|row| is_skipped(&row.action) || row.on_meeting_list.as_ref().is_some_and(is_skipped))
            .map(|row| format!("{} (code {})", row.meaning, row.code));
        let refusals: Vec<String> = refusals.collect();
        assert!(refusals.len() >= 8, "{refusals:?}");
        let clamped = refusals.iter().map(|reason| format!("longer than a day; in a one-day window: {reason}"));
        let counts = [1, 12].map(|people| crate::extract::list_short_reason(people, 0));
        let counts: Vec<String> = counts.to_vec();
        let again = counts.iter().map(|reason| format!("{reason}; the list will be requested again"));
        let counts = again.chain(counts.iter().cloned());
        let fixed = crate::transform::REASONS.into_iter().chain(crate::extract::REASONS).map(str::to_owned);
        for reason in clamped.chain(refusals.iter().cloned()).chain(counts).chain(fixed) {
            let chinese = page::chinese(&reason).unwrap_or_else(|| panic!("no Chinese form of {reason:?}"));
            let words = chinese.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1);
            let foreign: Vec<&str> = words.filter(|word| *word != "ID").collect();
            assert!(foreign.is_empty(), "{chinese}");
        }
    }

    #[test]
    fn a_date_is_a_day_and_nothing_else() {
        assert_eq!(date("2026-11-01").map(|date| date.to_string()).as_deref(), Ok("2026-11-01"));
        for text in ["2026-11-31", "20261101", "2026-11-01T10:00", "yesterday", ""] {
            assert!(date(text).is_err(), "{text}");
        }
    }
}
