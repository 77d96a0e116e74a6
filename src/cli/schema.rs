//! `vcq-etl schema`: the data dictionary.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};

use super::command::{Entry, Run};
use super::output::Output;
use crate::error::{ExitCode, Failure};
use crate::report::{ReportError, dictionary as views};
use crate::schema::dictionary as tables;
use crate::text::Language;

pub(super) const ENTRY: Entry = Entry {
    help_groups: &[],
    command: || {
        Command::new("schema").about("Print the data dictionary: every table, view and macro").arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(FORMATS.iter().map(|(name, _)| *name)))
                .default_value(FORMATS[0].0)
                .help("Output format"),
        )
    },
    examples: &[("vcq-etl schema", "every table, view and macro")],
    run: Run::Plain(print_schema),
};

type Renderer = fn(Language) -> Result<String, ReportError>;

/// The formats of the data dictionary.
const FORMATS: &[(&str, Renderer)] = &[("markdown", markdown), ("json", json), ("sql", sql)];

pub(super) fn markdown(language: Language) -> Result<String, ReportError> {
    Ok(tables::markdown(language) + &views::markdown(&views::entries(language)?, language))
}

/// What programs read is in English.
fn json(_: Language) -> Result<String, ReportError> {
    let mut all = tables::json();
    (all["views"], all["macros"]) = views::json(&views::entries(Language::English)?);
    Ok(format!("{all:#}\n"))
}

fn sql(_: Language) -> Result<String, ReportError> {
    views::sql(&views::entries(Language::English)?)
}

fn print_schema(matches: &ArgMatches, _: Command, output: &Output, language: Language) -> Result<ExitCode, Failure> {
    let name = matches.get_one::<String>("format").map(String::as_str);
    let (_, render) = FORMATS.iter().find(|(format, _)| Some(*format) == name).unwrap_or(&FORMATS[0]);
    output.print(&render(language)?)?;
    Ok(ExitCode::Complete)
}
