//! `vcq-etl report run`: one report on the published database, in the form and to the place that is wanted.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use duckdb::Connection;

use super::report::{WIDTH, catalogue, folded};
use super::{Context, now_us, output, window};
use crate::cli::console::counted;
use crate::commands;
use crate::config::Config;
use crate::error::{ExitCode, Failure};
use crate::load::{self, StorePaths};
use crate::report::{self, Answer, Arguments, Form, Format, Report};

/// Which report, with which values, in which form and where to.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The report
    #[arg(value_name = "NAME")]
    name: String,

    /// First day: 7d, yesterday, 2026-11-01
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,

    /// First day after it, in the same forms
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,

    /// Limits to judge by: cqd, strict, huawei-red or custom
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Shares of fewer judged minutes are left empty
    #[arg(long, value_name = "N")]
    min_n: Option<String>,

    /// Most rows
    #[arg(long, value_name = "N")]
    top: Option<String>,

    /// Any parameter's value; can be given several times
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,

    /// Form of the result [default: by the ending of --out, else table]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FormatArg>,

    /// File to write to, instead of stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    /// For a terminal
    Table,
    /// For a spreadsheet
    Csv,
    /// An array of objects
    Json,
    /// For a wiki or an issue
    Markdown,
    /// For data tools
    Parquet,
    /// One page for a browser or a mail
    Html,
}

impl From<FormatArg> for Form {
    fn from(format: FormatArg) -> Form {
        match format {
            FormatArg::Table => Form::Text(Format::Table),
            FormatArg::Csv => Form::Text(Format::Csv),
            FormatArg::Json => Form::Text(Format::Json),
            FormatArg::Markdown => Form::Text(Format::Markdown),
            FormatArg::Parquet => Form::Parquet,
            FormatArg::Html => Form::Text(Format::Html),
        }
    }
}

pub(super) fn answer(args: &RunArgs, context: &Context) -> Result<(), Failure> {
    let report = catalogue(&context.config)?.find(&args.name)?;
    let chosen = chosen(args, &context.config, now_us())?;
    let arguments = Arguments::choose(&report.name, &report.header, &chosen)?;
    let form = form(args)?;
    if let Some(path) = &args.out {
        output::outside_store(path, &context.config.store)?;
    }
    match form {
        Form::Parquet if args.out.is_none() && std::io::stdout().is_terminal() => {
            return Err(Failure::new(ExitCode::Usage, "Parquet is no text for a terminal")
                .hint("name a file with --out FILE.parquet, or redirect the output"));
        }
        _ => {}
    }
    let connection = open(&context.config)?;
    let asked = Asked { report: &report, arguments: &arguments, connection: &connection };
    note_other_definitions(&connection, context)?;
    match form {
        Form::Text(format) => asked.text(format, args, context),
        Form::Parquet => asked.parquet(args, context),
    }
}

/// The form: as asked for, else as the file's name says.
fn form(args: &RunArgs) -> Result<Form, Failure> {
    let named = args.format.map(Form::from);
    let Some(path) = &args.out else { return Ok(named.unwrap_or(Form::Text(Format::Table))) };
    named.or_else(|| Form::of_file(path)).ok_or_else(|| {
        let endings: Vec<String> =
            report::FORMS.iter().flat_map(|(_, endings, _)| *endings).map(|ending| format!(".{ending}")).collect();
        Failure::new(ExitCode::Usage, format!("the name of {} does not say which form is wanted", path.display()))
            .hint(format!("give --format, or one of the endings {}", endings.join(", ")))
    })
}

/// What was chosen, in whichever way.
fn chosen(args: &RunArgs, config: &Config, now_us: i64) -> Result<Vec<(String, String)>, Failure> {
    let days = window::days(args.since.as_deref(), args.until.as_deref(), &config.timezone, now_us)?;
    let shorthands = [
        ("since", days.since),
        ("until", days.until),
        ("profile", args.profile.clone()),
        ("min_n", args.min_n.clone()),
        ("top", args.top.clone()),
    ];
    let mut chosen: Vec<(String, String)> =
        shorthands.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    for text in &args.params {
        chosen.push(Arguments::assignment(text)?);
    }
    Ok(chosen)
}

fn open(config: &Config) -> Result<Connection, Failure> {
    Ok(load::open_published_with(&StorePaths::existing(&config.store)?, config.reading())?)
}

/// Says where what the store judges by is not what this program and these settings would install.
///
/// # Errors
/// Where the settings name a limit that there is not.
pub(super) fn note_other_definitions(connection: &Connection, context: &Context) -> Result<(), Failure> {
    let config = &context.config;
    if !commands::defines_the_same(connection, &StorePaths::existing(&config.store)?, &config.thresholds)? {
        context.console.warn(
            "the reports, limits or buildings in the store are of other settings or of another version of this program: \
             vcq-etl rebuild, or the next sync, installs these",
        );
    }
    Ok(())
}

/// A report with its values, on an open database.
struct Asked<'a> {
    report: &'a Report,
    arguments: &'a Arguments,
    connection: &'a Connection,
}

impl Asked<'_> {
    /// The answer as text, and how many rows it has; without rows, why.
    fn rendered(&self, format: Format) -> Result<(String, usize, String), Failure> {
        let result = report::run(self.connection, self.report, self.arguments)?;
        let why_no_rows = match result.rows.is_empty() {
            true => report::why_no_rows(self.connection, self.report, self.arguments)?,
            false => String::new(),
        };
        let width = comfy_table::Table::new().width().unwrap_or(WIDTH);
        let answer =
            Answer { report: self.report, arguments: self.arguments, result: &result, why_no_rows: &why_no_rows };
        Ok((format.render(&answer, width), result.rows.len(), why_no_rows))
    }

    fn text(&self, format: Format, args: &RunArgs, context: &Context) -> Result<(), Failure> {
        let (text, rows, why_no_rows) = self.rendered(format)?;
        if rows == 0 && (args.out.is_some() || !Form::Text(format).is_for_people()) {
            context.console.say(&no_rows(&why_no_rows));
        }
        match &args.out {
            None => context.output.print(&text),
            Some(path) => {
                output::write_file(path, &text)?;
                wrote(rows as u64, path, context);
                Ok(())
            }
        }
    }

    fn parquet(&self, args: &RunArgs, context: &Context) -> Result<(), Failure> {
        let write = |path: &Path| Ok(report::write_parquet(self.connection, self.report, self.arguments, path)?);
        let rows = match &args.out {
            Some(path) => {
                let rows = output::replace_file(path, write)?;
                wrote(rows, path, context);
                rows
            }
            None => {
                let (rows, bytes) = output::through_a_file(write)?;
                context.output.print_bytes(&bytes)?;
                rows
            }
        };
        if rows == 0 {
            let why = report::why_no_rows(self.connection, self.report, self.arguments)?;
            context.console.say(&no_rows(&why));
        }
        Ok(())
    }
}

fn wrote(rows: u64, path: &Path, context: &Context) {
    context.console.say(&format!("wrote {} to {}", counted(rows, "row"), path.display()));
}

fn no_rows(why: &str) -> String {
    folded(&format!("No rows. {why}"), 0)
}

/// A report of the program as a table: what `demo` ends with.
pub(super) fn first_look(name: &str, chosen: &[(String, String)], config: &Config) -> Result<String, Failure> {
    let report = Report::built_in(name)?;
    let arguments = Arguments::choose(&report.name, &report.header, chosen)?;
    let asked = Asked { report: &report, arguments: &arguments, connection: &open(config)? };
    Ok(asked.rendered(Format::Table)?.0)
}
