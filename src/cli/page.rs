//! `vcq-etl report html`: a period as one page.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use jiff::civil::Date;

use super::{Context, now_us, output};
use crate::cli::console::counted;
use crate::error::{ExitCode, Failure, nearest};
use crate::load::{self, StorePaths};
use crate::report::page::{self, Language, Page, PageError, PageRequest, Period};
use crate::schema::civil_date_text;

/// What stands below the help of `report html`.
pub(super) const EXAMPLES: &str = "Examples:\n  vcq-etl report html\n  \
    vcq-etl report html --period month --date 2026-10-01 --language zh\n  \
    vcq-etl report html --period day --out - | gzip > day.html.gz";

/// The profile that is judged by where none is named.
const PROFILE: &str = "cqd";

#[derive(Debug, Args)]
pub(super) struct PageArgs {
    /// How long the period is
    #[arg(long, value_enum, value_name = "PERIOD", default_value = "week")]
    period: PeriodArg,

    /// A day in the period [default: one of the last period that is over and has meetings]
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: Option<Date>,

    /// Limits to judge by; `report run threshold-sheet` lists them
    #[arg(long, value_name = "PROFILE", default_value = PROFILE)]
    profile: String,

    /// Language in which the page opens; it can be switched in the page
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value = "auto")]
    language: LanguageArg,

    /// How many of the worst meetings are shown minute by minute
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=100))]
    meetings: u32,

    /// File to write to; - for stdout [default: vcq-report-<period>-<first day>.html]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PeriodArg {
    /// A calendar day, compared with the same weekday a week before
    Day,
    /// Monday to Sunday, compared with the week before
    Week,
    /// A calendar month, compared with the month before
    Month,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LanguageArg {
    /// The reader's
    Auto,
    /// English
    En,
    /// Chinese
    Zh,
}

fn date(text: &str) -> Result<Date, String> {
    let date = text.parse::<Date>().ok().filter(|_| text.len() == "2026-11-01".len());
    date.ok_or_else(|| "a date looks like 2026-11-01".to_owned())
}

/// Makes the page and writes it.
pub(super) fn run(args: &PageArgs, context: &Context) -> Result<ExitCode, Failure> {
    let request = PageRequest {
        period: match args.period {
            PeriodArg::Day => Period::Day,
            PeriodArg::Week => Period::Week,
            PeriodArg::Month => Period::Month,
        },
        date: args.date,
        today: civil_date_text(context.config.timezone.day_of(now_us())).parse().ok(),
        profile: args.profile.clone(),
        language: match args.language {
            LanguageArg::Auto => Language::Auto,
            LanguageArg::En => Language::English,
            LanguageArg::Zh => Language::Chinese,
        },
        meetings: args.meetings,
    };
    let config = &context.config;
    let options = config.reading();
    let connection = load::open_published_with(&StorePaths::existing(&config.store)?, options)?;
    if let Some(path) = args.out.as_deref().filter(|path| path.as_os_str() != "-") {
        output::outside_store(path, &config.store)?;
    }
    super::report_run::note_other_definitions(&connection, context)?;
    let page = page::page(&connection, &request)?;
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
    context.console.say(&format!("wrote {} to {place} ({})", covered(&page), size(page.html.len())));
    Ok(ExitCode::Complete)
}

/// What is on the page, in words.
fn covered(page: &Page) -> String {
    let last = page.span.until.yesterday().unwrap_or(page.span.since);
    let days = match page.span.since == last {
        true => last.to_string(),
        false => format!("{} to {last}", page.span.since),
    };
    match &page.why_empty {
        Some(_) => format!("a page about {days} without any quality minutes"),
        None => format!(
            "{days}: {} with quality minutes, {} minute by minute",
            counted(page.days_with_minutes as u64, "day"),
            counted(page.meetings as u64, "meeting")
        ),
    }
}

fn size(bytes: usize) -> String {
    format!("{:.1} MB", bytes as f64 / 1_000_000.0)
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Failure {
        let of = |exit| Failure::of(exit, &error);
        match &error {
            PageError::EmptyStore => of(ExitCode::Usage)
                .hint("vcq-etl sync --since 2d brings meetings; vcq-etl demo makes some up")
                .hint("with --date the page is written anyway and says that it is empty"),
            PageError::NoDefinitions => of(ExitCode::Storage)
                .hint("it was published by an older program: vcq-etl rebuild publishes it again, without a call"),
            PageError::UnknownProfile { profile, known } => {
                let failure = match nearest(profile, known.iter().map(String::as_str)) {
                    Some(name) => of(ExitCode::Usage).hint(format!("did you mean {name}?")),
                    None => of(ExitCode::Usage),
                };
                failure.hint(format!("the profiles are {}", known.join(", ")))
            }
            PageError::OffCalendar { .. } => of(ExitCode::Usage),
            PageError::Query { .. } => of(ExitCode::Storage)
                .hint("the database may have been written by another version: vcq-etl rebuild publishes it again"),
            PageError::NotScalar { .. } => of(ExitCode::Unexpected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Redactor;

    #[test]
    fn a_date_is_a_day_and_nothing_else() {
        assert_eq!(date("2026-11-01").map(|date| date.to_string()).as_deref(), Ok("2026-11-01"));
        for text in ["2026-11-31", "20261101", "2026-11-01T10:00", "yesterday", ""] {
            assert!(date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        let text = |error: PageError| Failure::from(error).text(&Redactor::default());
        let known = vec!["cqd".to_owned(), "strict".to_owned()];
        insta::assert_snapshot!(text(PageError::UnknownProfile { profile: "strikt".to_owned(), known }), @r#"
        error: there is no profile "strikt" in the store
        hint: did you mean strict?
        hint: the profiles are cqd, strict
        "#);
        assert!(text(PageError::NoDefinitions).contains("vcq-etl rebuild"));
        assert!(text(PageError::EmptyStore).contains("vcq-etl sync"));
    }
}
