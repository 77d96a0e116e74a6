//! `vcq-etl report export`: a script for each report, the declarations of the tables, and a README.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::script::{ENGINES, ScriptArgs};
use super::store::catalogue;
use crate::cli::command::{Context, one_of};
use crate::cli::output;
use crate::error::{ExitCode, Failure};
use crate::files;
use crate::report::engine::{self, Engine, Scripts};
use crate::report::{Arguments, Catalogue, ReportError};
use crate::text::counted;

pub(super) const EXAMPLES: &str = "Examples:\n  vcq-etl report export --engine spark --out spark\n  \
    vcq-etl report export --engine spark --tables 'lake.vcq.{table}' --scratch tmp --since 7d --out spark";

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Engine that runs the scripts
    #[arg(long, value_name = "ENGINE", value_parser = one_of(ENGINES))]
    engine: &'static Engine,

    #[command(flatten)]
    values: ScriptArgs,

    /// Where the engine finds the files [default: the directory parquet of the store]
    #[arg(long, value_name = "URL")]
    location: Option<String>,

    /// Output directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
}

pub(super) fn run(args: &ExportArgs, context: &Context) -> Result<(), Failure> {
    let config = &context.config;
    let reports = catalogue(config)?;
    let places = args.values.places()?;
    let given = args.values.given(config)?;
    check_names(&reports, &given.params.iter().map(String::as_str).collect::<Vec<_>>())?;
    let scripts = Scripts::new(args.engine)?;
    let mut files = Vec::new();
    let mut left_out = Vec::new();
    for report in reports.reports() {
        let mut values = given.parameters(report, config)?;
        // A value is for the reports that have the parameter.
        values.retain(|(name, _)| report.header.parameter(name).is_some());
        match Arguments::resolve(&report.name, &report.header, &values) {
            Ok(arguments) => {
                files.push((engine::file_name(&report.name), scripts.script(report, &arguments, &places)?));
            }
            Err(ReportError::MissingParameter { name, .. }) => left_out.push((report.name.clone(), name)),
            Err(error) => return Err(error.into()),
        }
    }
    let scripts_written = files.len() as u64;
    let location = args.location.clone().unwrap_or_else(|| {
        let parquet = config.store.join("parquet");
        parquet.canonicalize().unwrap_or(parquet).display().to_string()
    });
    if let Some(declarations) = scripts.declarations(&places, &location) {
        files.push(("ddl.sql".to_owned(), declarations));
    }
    files.push(("README.md".to_owned(), scripts.readme(&places, &location, &left_out)));
    write(&args.out, &config.store, &files)?;
    let shown = args.out.display();
    context.console.info(&format!("wrote {} to {shown}", counted(scripts_written, "script")));
    if !left_out.is_empty() {
        let list: Vec<String> = left_out.iter().map(|(report, parameter)| format!("{report} ({parameter})")).collect();
        context.console.info(&format!("left out, because a parameter has no value: {}", list.join(", ")));
    }
    Ok(())
}

/// Refuses a parameter that no report has.
fn check_names(reports: &Catalogue, params: &[&str]) -> Result<(), Failure> {
    for param in params {
        let (name, _) = Arguments::parse_assignment(param)?;
        let is_known = |report: &crate::report::Report| report.header.parameter(&name).is_some();
        if !reports.reports().iter().any(is_known) {
            let message = format!("no report has the parameter {name:?}");
            return Err(
                Failure::new(ExitCode::Usage, message).hint("vcq-etl report show REPORT explains the parameters")
            );
        }
    }
    Ok(())
}

fn write(folder: &Path, store: &Path, files: &[(String, String)]) -> Result<(), Failure> {
    output::check_outside_store(folder, store)?;
    files::create_public_folders(folder).map_err(|error| {
        Failure::new(ExitCode::Storage, format!("could not create the directory {}", folder.display())).cause(&error)
    })?;
    files.iter().try_for_each(|(name, text)| output::write_file(&folder.join(name), text))
}
