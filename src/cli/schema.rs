//! `vcq-etl schema`: the data dictionary.

use clap::{Arg, ArgMatches, Command};

use super::command::{Entry, Example, Run};
use super::output::Output;
use crate::error::{ExitCode, Failure};
use crate::schema::{ddl, dictionary};

const FORMAT: &str = "format";

/// The name and the renderer of each format.
const FORMATS: &[(&str, fn() -> String)] =
    &[("markdown", dictionary::markdown), ("json", || format!("{:#}\n", dictionary::json())), ("sql", ddl::script)];

const EXAMPLES: &[Example] = &[("vcq-etl schema", "every table and column")];

pub(super) const ENTRY: Entry = Entry { shown: &[], command, examples: EXAMPLES, run: Run::Plain(run) };

fn command() -> Command {
    Command::new("schema").about("Print the data dictionary: every table and column").arg(
        Arg::new(FORMAT)
            .long(FORMAT)
            .value_name("FORMAT")
            .value_parser(clap::builder::PossibleValuesParser::new(FORMATS.iter().map(|(name, _)| *name)))
            .default_value(FORMATS[0].0)
            .help("Output format"),
    )
}

fn run(matches: &ArgMatches, _: Command, output: &Output) -> Result<ExitCode, Failure> {
    let name = matches.get_one::<String>(FORMAT).map(String::as_str);
    let (_, render) = FORMATS.iter().find(|(format, _)| Some(*format) == name).unwrap_or(&FORMATS[0]);
    output.print(&render())?;
    Ok(ExitCode::Complete)
}
