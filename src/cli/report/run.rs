//! `vcq-etl report run`: one report on the published database, in the given format and to the given place.

use clap::Args;
use duckdb::Connection;
use jiff::ToSpan;
use jiff::civil::Date;

use super::next::{self, Carried};
use super::store::{catalogue, open, warn_of_missing_dates, warn_of_other_definitions};
use super::window::WindowArgs;
use crate::cli::command::Context;
use crate::cli::result_args::ResultArgs;
use crate::cli::runtime::now_us;
use crate::cli::window::Days;
use crate::commands::{self, Tokens};
use crate::config::{Config, Origin};
use crate::error::{Failure, replaced_hint};
use crate::load::{self, REACH_DAYS, StorePaths};
use crate::report::{self, Answer, Arguments, OutputFormat, Report, ReportWindow, ResultSet, TextFormat, XlsxWriter};
use crate::text::{Language, WIDTH, say_indented};

pub(super) const EXAMPLES: &str = "Examples:\n  vcq-etl report run worst-meetings --since yesterday --top 5\n  \
    vcq-etl report run by-site --since 28d --param dimension=floor --out site.xlsx\n  \
    vcq-etl report run coverage --format json | jq '.[0]'";

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Name of the report
    #[arg(value_name = "REPORT")]
    name: String,

    #[command(flatten)]
    window: WindowArgs,

    /// Hide percentages based on fewer than this many judged minutes
    #[arg(long, value_name = "N")]
    min_n: Option<String>,

    /// Maximum number of rows
    #[arg(long, value_name = "N")]
    top: Option<String>,

    /// Set a report parameter; repeatable
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,

    #[command(flatten)]
    result: ResultArgs,
}

pub(super) fn run(args: &RunArgs, context: &Context) -> Result<(), Failure> {
    let report = catalogue(&context.config)?.find(&args.name)?;
    let days = args.window.days(&context.config, now_us())?;
    let given = Given { days, min_n: args.min_n.as_ref(), top: args.top.as_ref(), params: &args.params };
    let mut parameters = given.parameters(&report, &context.config)?;
    // Wrong parameters are reported whether or not there is a store.
    Arguments::resolve(&report.name, &report.header, &parameters)?;
    let format = args.result.format(&context.config.store)?;
    let connection = open(&context.config)?;
    let window = window_of(&report, args, &mut parameters, context.console.language, &connection)?;
    // Without a profile, stored incidents are shown: the heading names the profile that they are judged by.
    if report.sql.contains("incident_profile(")
        && !parameters.iter().any(|(name, _)| name == "profile")
        && let Some(profile) = load::stored_profile(&connection)
    {
        parameters.push(("profile".to_owned(), profile));
    }
    let arguments = Arguments::resolve(&report.name, &report.header, &parameters)?;
    let paths = StorePaths::existing(&context.config.store)?;
    let tokens_of = |typed: &str| Tokens::read(&paths).of_typed(typed);
    let (arguments, is_known) = report::with_stored_person(&connection, &report, arguments, &tokens_of)?;
    if !is_known && let Some(hint) = token_hint(&connection, tokens_of("").is_some())? {
        context.console.info(&say_indented(context.console.language, hint, 0, WIDTH));
    }
    let report = report.in_language(context.console.language);
    let query = Query { report: &report, arguments: &arguments, connection: &connection, window };
    warn_of_other_definitions(&connection, context)?;
    warn_of_dates(&query, context)?;
    commands::find_report_incidents(&connection, &paths, &report, &arguments)?;
    match format {
        OutputFormat::Text(format) => query.text(format, args, context),
        OutputFormat::Parquet => query.parquet(args, context),
        OutputFormat::Xlsx => query.workbook(args, context),
    }
}

/// Says so if the report reads dates before the first one that the database holds.
fn warn_of_dates(query: &Query<'_>, context: &Context) -> Result<(), Failure> {
    let Query { report, arguments, connection, .. } = query;
    let days_before = |date: &str, days: i64| -> Option<String> {
        Some(date.parse::<Date>().ok()?.checked_sub(days.days()).ok()?.to_string())
    };
    let since = match (report.header.parameter("since"), arguments.get("until")) {
        (Some(_), _) => arguments.get("since").map(str::to_owned),
        (None, Some(until)) => days_before(until, 1),
        (None, None) => return Ok(()),
    };
    // The incidents of another profile are searched for in what the database holds.
    let is_searched = arguments.get("profile").is_some_and(|profile| {
        report.sql.contains("incidents") && load::stored_profile(connection).is_some_and(|stored| stored != profile)
    });
    let since = since.and_then(|since| days_before(&since, if is_searched { REACH_DAYS.into() } else { 0 }));
    warn_of_missing_dates(connection, since.as_deref(), context)
}

/// How a person is found in a store with tokens.
fn token_hint(connection: &Connection, has_key: bool) -> Result<Option<&'static str>, Failure> {
    let source = report::card::Source::new(connection, None)?;
    Ok(report::card::replaced(&source, has_key)?.map(replaced_hint))
}

/// The values given for a report's parameters.
pub(super) struct Given<'a> {
    pub(super) days: Days,
    pub(super) min_n: Option<&'a String>,
    pub(super) top: Option<&'a String>,
    /// `name=value`.
    pub(super) params: &'a [String],
}

impl Given<'_> {
    /// The parameters from their own flags and from `--param`. The profile is a setting, for reports that have one.
    pub(super) fn parameters(&self, report: &Report, config: &Config) -> Result<Vec<(String, String)>, Failure> {
        // The report of the thresholds shows every profile unless one is named.
        let has_profile = report.header.parameter("profile").is_some_and(|profile| profile.default.is_some());
        let is_profile_given = *config.origin("profile") == Origin::Flag;
        let flags = [
            ("since", self.days.since.clone()),
            ("until", self.days.until.clone()),
            ("profile", (has_profile || is_profile_given).then(|| config.profile.clone())),
            ("min_n", self.min_n.cloned()),
            ("top", self.top.cloned()),
        ];
        let mut parameters: Vec<(String, String)> =
            flags.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        for text in self.params {
            let (name, value) = Arguments::parse_assignment(text)?;
            // Only the flag and --param together are given twice.
            if name == "profile" && !is_profile_given {
                parameters.retain(|(name, _)| name != "profile");
            }
            parameters.push((name, value));
        }
        Ok(parameters)
    }
}

/// The window of a report, whose default is added to the parameters; empty if it has none.
fn window_of(
    report: &Report,
    args: &RunArgs,
    parameters: &mut Vec<(String, String)>,
    language: Language,
    connection: &Connection,
) -> Result<ReportWindow, Failure> {
    let Some(since) = report.header.parameter("since") else { return Ok(ReportWindow::default()) };
    let is_utc = since.doc.contains("(UTC");
    let given = |name: &str| parameters.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone());
    let (since, until) = (given("since"), given("until").filter(|until| !until.is_empty()));
    // An empty value removes the default.
    let is_all = args.window.is_all() || since.as_deref() == Some("");
    let window =
        args.window.resolve((since.filter(|since| !since.is_empty()), until), is_all, is_utc, language, connection)?;
    if let Some(since) = window.since.as_ref().filter(|_| given("since").is_none()) {
        parameters.push(("since".to_owned(), since.clone()));
    }
    Ok(window)
}

/// A report with its arguments on an open database.
struct Query<'a> {
    report: &'a Report,
    arguments: &'a Arguments,
    connection: &'a Connection,
    window: ReportWindow,
}

/// More rows than a report has, to count those that a table folds.
const ALL_ROWS: &str = "1000000";

impl Query<'_> {
    /// The result, and the reason if it has no rows. `folds` includes the rows beyond the limit, which a table counts.
    fn result(&self, folds: bool) -> Result<(ResultSet, String), Failure> {
        let folds = folds && self.report.header.presentation.fold.is_some();
        let result = match self.arguments.get("top").filter(|_| folds) {
            Some(_) => report::run(self.connection, self.report, &self.arguments.with("top", ALL_ROWS))?,
            None => report::run(self.connection, self.report, self.arguments)?,
        };
        let why = match result.rows.is_empty() {
            true => report::explain_empty(self.connection, self.report, self.arguments)?,
            false => String::new(),
        };
        Ok((result, why))
    }

    fn answer<'r>(&'r self, result: &'r ResultSet, empty_reason: &'r str, next: &'r str) -> Answer<'r> {
        let (report, arguments, window) = (self.report, self.arguments, self.window.text.as_str());
        Answer { report, arguments, result, empty_reason, window, next }
    }

    /// The command to type next.
    fn next(&self, result: &ResultSet, carried: &Carried) -> String {
        let next = self.report.header.presentation.next.as_ref().and_then(|next| next.words(result));
        next.map(|words| next::command(words, carried)).unwrap_or_default()
    }

    fn text(&self, format: TextFormat, args: &RunArgs, context: &Context) -> Result<(), Failure> {
        let (result, why_no_rows) = self.result(format == TextFormat::Table)?;
        let next = self.next(&result, &Carried::new(&args.window, &context.config));
        let is_for_people = OutputFormat::Text(format).is_human_readable();
        let language = if is_for_people { self.report.language } else { Language::English };
        let said = report::in_words(&result, language);
        let text = format.render(&self.answer(&said, &why_no_rows, &next), args.result.columns());
        if result.rows.is_empty() && !(args.result.out.is_none() && is_for_people) {
            context.console.info(&no_rows(&why_no_rows, context));
        }
        if !is_for_people {
            self.state_default_window(args, context);
        }
        args.result.write_text(format, &text, result.rows.len() as u64, context)
    }

    /// A format for programs has the rows only, so the default window is stated on stderr.
    fn state_default_window(&self, args: &RunArgs, context: &Context) {
        if !args.window.is_given() && !self.window.text.is_empty() {
            let text = format!("window: {}", self.window.text);
            context.console.info(&say_indented(context.console.language, &text, 0, WIDTH));
        }
    }

    fn parquet(&self, args: &RunArgs, context: &Context) -> Result<(), Failure> {
        let rows = args.result.write_file(context, |path| {
            Ok(report::write_parquet(self.connection, self.report, self.arguments, path)?)
        })?;
        if rows == 0 {
            let why = report::explain_empty(self.connection, self.report, self.arguments)?;
            context.console.info(&no_rows(&why, context));
        }
        self.state_default_window(args, context);
        Ok(())
    }

    fn workbook(&self, args: &RunArgs, context: &Context) -> Result<(), Failure> {
        let (result, why_no_rows) = self.result(false)?;
        args.result.write_file(context, |path| {
            let said = report::in_words(&result, self.report.language);
            let mut writer = XlsxWriter::new(&said.columns)?;
            writer.rows(&said.rows)?;
            writer.finish(&self.answer(&said, &why_no_rows, ""), path)?;
            Ok(result.rows.len() as u64)
        })?;
        if result.rows.is_empty() {
            context.console.info(&no_rows(&why_no_rows, context));
        }
        self.state_default_window(args, context);
        Ok(())
    }
}

fn no_rows(why: &str, context: &Context) -> String {
    say_indented(context.console.language, &format!("No rows. {why}"), 0, WIDTH)
}
