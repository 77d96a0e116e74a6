//! `vcq-etl report export`: a script for each report, the declarations of the tables, and a README.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::script::{ENGINES, ScriptArgs};
use super::store::catalogue;
use crate::cli::command::{Context, one_of};
use crate::cli::output;
use crate::error::{ExitCode, Failure};
use crate::files;
use crate::remote::{RemoteError, Target};
use crate::report::engine::{self, Engine, Files, Scripts};
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

    /// Where the engine finds the files (those of publish_tenant, if set) [default: the directory parquet of the store]
    #[arg(long, value_name = "URL")]
    location: Option<String>,

    /// Declare Delta tables, on a copy with publish_format = delta; needs --location
    #[arg(long, requires = "location")]
    delta: bool,

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
    let tenant = args.location.as_ref().and_then(|_| config.publish.tenant.clone());
    if let Some(tenant) = &tenant {
        Target::check_tenant(tenant).map_err(RemoteError::from)?;
    }
    let engine_files = Files { location, are_delta: args.delta, tenant };
    if let Some(declarations) = scripts.declarations(&places, &engine_files) {
        files.push(("ddl.sql".to_owned(), declarations));
    }
    files.push(("README.md".to_owned(), scripts.readme(&places, &engine_files, &left_out)));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::cli::tests::{path, run_with};
    use crate::error::ExitCode;
    use crate::report::Catalogue;

    #[test]
    fn every_report_becomes_a_script_beside_the_declarations() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("new/spark");
        let written = |more: &[&str]| {
            let common = ["report", "export", "--engine", "spark", "--tables", "lake.vcq.{table}", "--scratch", "tmp"];
            let out = ["--location", "s3a://bucket/vcq", "--out", out.to_str().expect("text")];
            run_with(&[&common, &out[..], more].concat(), &[])
        };
        let files = || -> BTreeSet<String> {
            let entries = std::fs::read_dir(&out).expect("the directory");
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
        };
        let ended = written(&["--since", "2026-11-01", "--min-n", "5"]);
        assert_eq!((ended.exit, ended.stdout.as_str()), (ExitCode::Complete, ""), "{}", ended.stderr);
        assert!(ended.stderr.contains("left out, because a parameter has no value: incident (incident_id), "));
        let known: Vec<String> =
            Catalogue::built_in().expect("reports").reports().iter().map(|report| report.name.clone()).collect();
        assert_eq!(files().len(), known.len() - 3 + 2);
        let read = |name: &str| std::fs::read_to_string(out.join(name)).expect("a file");
        assert!(read("sla.sql").starts_with("-- sla: since=2026-11-01, until=any, profile=cqd, min_n=5\nset "));
        assert!(read("sla.sql").contains("create table tmp.sla_limits using parquet as\nselect\n"));
        assert!(read("ddl.sql").contains("location 's3a://bucket/vcq/reference/runs';"));
        assert!(read("README.md").contains("- `user-timeline`: `who`\n"));
        // Again, with all values.
        let params = ["--param", "who=O'Neil", "--param", "meeting_no=1", "--param", "incident_id=x"];
        assert_eq!(written(&params).exit, ExitCode::Complete);
        assert_eq!(
            files(),
            known.iter().map(|name| format!("{name}.sql")).chain(["ddl.sql".into(), "README.md".into()]).collect()
        );
        assert!(read("user-timeline.sql").contains(r"'O\'Neil'"));
        assert_eq!(written(&["--publish-tenant", "acme"]).exit, ExitCode::Complete);
        assert!(read("ddl.sql").contains("location 's3a://bucket/vcq/meetings/tenant=acme';\nmsck repair"));
        assert!(read("ddl.sql").contains("location 's3a://bucket/vcq/reference/runs/tenant=acme';"));
        assert!(read("README.md").contains("on the Parquet files of the tenant `acme` below `s3a://bucket/vcq`."));
        assert_eq!(written(&["--publish-tenant", "acme", "--delta"]).exit, ExitCode::Complete);
        let declared = "tenant=acme';\n\ncreate table if not exists lake.vcq.participants\nusing delta\nlocation 's3a://bucket/vcq/p";
        assert!(read("ddl.sql").contains(declared), "{}", read("ddl.sql"));
        assert!(read("README.md").contains("on the Delta tables of the tenant `acme` below `s3a://bucket/vcq`."));
        assert!(written(&["--publish-tenant", "a/b"]).stderr.contains("cannot be the tenant of a copy"));
    }

    #[test]
    fn a_report_is_printed_for_an_engine() {
        let show = |more: &[&str]| run_with(&[&["report", "show", "freshness", "--sql"], more].concat(), &[]);
        let script = show(&["--engine", "duckdb", "--until", "2026-11-02", "--tables", "x.{table}"]).stdout;
        assert!(script.starts_with("-- freshness: since=any, until=2026-11-02\nselect\n"), "{script}");
        assert!(script.contains("from x.meetings as k\n") && script.ends_with(";\n"), "{script}");
    }

    #[test]
    fn wrong_flags_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = |more: &[&str]| {
            let ended =
                run_with(&[&["report", "export", "--engine", "spark", "--out", path(&folder)], more].concat(), &[]);
            assert_eq!(ended.exit, ExitCode::Usage, "{}", ended.stderr);
            ended.stderr
        };
        assert!(refused(&["--param", "whom=x"]).contains("no report has the parameter \"whom\""));
        assert!(refused(&["--param", "who"]).contains("does not have the form name=value"));
        assert!(refused(&["--min-n", "0"]).contains("is not a whole number from 1"));
        for tables in ["lake.vcq", "{table}; drop table x", "{table} -- "] {
            assert!(refused(&["--tables", tables]).contains("is not a name of the engine"), "{tables}");
        }
        assert!(refused(&["--scratch", "a b"]).contains("--scratch \"a b\" is not a name of the engine"));
        let without_engine = run_with(&["report", "show", "sla", "--sql", "--since", "2026-11-01"], &[]);
        assert_eq!(without_engine.exit, ExitCode::Usage);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
