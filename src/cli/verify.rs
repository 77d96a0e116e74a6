//! `vcq-etl verify`: checks the integrity of the store.

use clap::{Args, Command};
use serde_json::{Value, json};

use super::command::{Context, Entry, Example, LOCAL, Run, parsed};
use super::copy_settings::needed_copy_setup;
use super::runtime::{block_on, now_us};
use super::settings::definitions;
use crate::checks::{Finding, Outcome};
use crate::commands::copies::compare_copy;
use crate::commands::verify::{PUBLISH_TIMEOUT, VerifyError, VerifyReport, VerifySetup, verify};
use crate::error::{ExitCode, Failure};
use crate::report::{self, Cell, ResultSet};
use crate::text::{Language, WIDTH, counted, on_one_line, padded, say_indented, terminal_width};

const EXAMPLES: &[Example] = &[
    ("vcq-etl verify", "check all files and rows"),
    ("vcq-etl verify --deep", "also compare with the raw log"),
    ("vcq-etl verify --published", "also compare the copy"),
    ("vcq-etl verify --json | jq .findings", "for monitoring"),
];

pub(super) const ENTRY: Entry = Entry { help_groups: LOCAL, command, examples: EXAMPLES, run: Run::Configured(run) };

#[derive(Debug, Args)]
struct VerifyArgs {
    /// Also rebuild every date from the raw log and compare
    #[arg(long)]
    deep: bool,

    /// Also compare the copy at publish_to; with --deep every byte of it
    #[arg(long)]
    published: bool,

    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,

    /// Maximum number of findings to show per check; all are counted
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
}

fn command() -> Command {
    let about = "Check the integrity of the store";
    VerifyArgs::augment_args(Command::new("verify")).about(about).long_about(format!(
        "{about}: raw log, files, rows, keys, ranges and coverage. Takes no lock and changes nothing, so it can run during \
         a sync. Exits with 0 if there are no findings, with 9 if there are, and with 5 if the store cannot be read."
    ))
}

fn run(matches: &clap::ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: VerifyArgs = parsed(matches);
    let config = &context.config;
    let copy = args.published.then(|| needed_copy_setup(context, None)).transpose()?;
    let mut report = verify(&VerifySetup {
        store: config.store.clone(),
        deep: args.deep,
        limit: args.limit,
        max_wait: PUBLISH_TIMEOUT,
        definitions: definitions(config),
        database: config.checking(),
        now_us: now_us(),
    })?;
    if let Some(copy) = copy {
        block_on(compare_copy(&config.store, &copy, args.deep, &mut report.findings))?
            .map_err(|error| VerifyError::Copy(Box::new(error)))?;
    }
    let exit = if report.findings.total() > 0 { ExitCode::Difference } else { ExitCode::Complete };
    context.output.print(&match args.json {
        true => format!("{:#}\n", object(&report, exit)),
        false => page(&report, terminal_width(std::io::stdout()), context.console.language),
    })?;
    Ok(exit)
}

/// For people: the table of checks, then each finding and its advice.
fn page(report: &VerifyReport, width: u16, language: Language) -> String {
    let say = |text: &str| language.say(text).into_owned();
    let said = |text: &str| say_indented(language, text, 2, WIDTH);
    let store = on_one_line(&report.store.display().to_string());
    let mut text = say(&format!("Store {store}")) + "\n";
    if let Some((generation, created)) = &report.generation {
        text.push_str(&(say(&format!("Generation {generation}, published {}", on_one_line(created))) + "\n"));
    }
    let outcomes = &report.findings.outcomes;
    let rows = outcomes.iter().map(|outcome| {
        let examined = if outcome.examined == 0 { String::new() } else { outcome.examined.to_string() };
        let unit = if outcome.examined == 0 { "" } else { outcome.check.of };
        [outcome.check.name.to_owned(), examined, say(unit), say(&verdict(outcome))].map(Cell::Text).to_vec()
    });
    let columns = ["check", "examined", "of", "result"].map(say).to_vec();
    text.push_str(&format!("\n{}\n", report::table(&ResultSet { columns, rows: rows.collect() }, width, language)));
    for outcome in outcomes.iter().filter(|outcome| outcome.found > 0) {
        let found = say(&counted(outcome.found, "finding"));
        text.push_str(&format!("{}{}{found}\n", outcome.check.name, language.pick(": ", "：")));
        text.push_str(&format!("  {}\n", said(&format!("Expected: {}.", outcome.check.means))));
        for Finding { place, expected, found } in &outcome.first {
            let [place, expected, found] = [place, expected, found].map(|text| on_one_line(text));
            let (expected, found) = (say(&expected), say(&found));
            let [expected_label, found_label] = ["expected", "found"].map(|label| padded(&say(label), 8));
            text.push_str(&format!("  - {place}\n      {expected_label}  {expected}\n      {found_label}  {found}\n"));
        }
        let more = outcome.found - outcome.first.len() as u64;
        if more > 0 {
            text.push_str(&format!("  {}\n", say(&format!("- and {more} more; raise --limit to show them"))));
        }
        text.push_str(&format!("  {}\n\n", said(&format!("What to do: {}.", outcome.check.advice))));
    }
    for note in &report.findings.notes {
        let note = on_one_line(note);
        let note = language.pick(format!("Note: {note}."), format!("说明：{}。", language.say(&note)));
        text.push_str(&(say_indented(language, &note, 0, WIDTH) + "\n"));
    }
    let skipped = outcomes.iter().filter(|outcome| outcome.skipped.is_some()).count() as u64;
    let total = match (report.findings.total(), skipped) {
        (0, 0) => "No findings.".to_owned(),
        (0, skipped) => format!("No findings, but {} did not cover everything.", counted(skipped, "check")),
        (total, _) => format!("{} in total.", counted(total, "finding")),
    };
    text + &say(&total) + "\n"
}

fn verdict(outcome: &Outcome) -> String {
    let found = counted(outcome.found, "finding");
    match (&outcome.skipped, outcome.found, outcome.examined) {
        (None, 0, _) => "ok".to_owned(),
        (None, _, _) => found,
        (Some(why), 0, 0) => format!("not checked: {why}"),
        (Some(why), 0, _) => format!("ok, partially checked: {why}"),
        (Some(why), _, _) => format!("{found}, partially checked: {why}"),
    }
}

fn object(report: &VerifyReport, exit: ExitCode) -> Value {
    let findings = &report.findings;
    let checks = findings.outcomes.iter().map(|outcome| {
        json!({
            "check": outcome.check.name,
            "means": outcome.check.means,
            "examined": outcome.examined,
            "of": outcome.check.of,
            "findings": outcome.found,
            "first": outcome.first,
            "not_checked": outcome.skipped,
            "advice": outcome.check.advice,
        })
    });
    let (generation, created) = report.generation.clone().unzip();
    json!({
        "outcome": exit.name(),
        "exit_code": exit.number(),
        "store": report.store.display().to_string(),
        "generation": generation,
        "created_utc": created,
        "findings": findings.total(),
        "checks": checks.collect::<Vec<_>>(),
        "notes": findings.notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Findings;
    use crate::commands::verify::checks;

    fn report() -> VerifyReport {
        let all: Vec<_> = checks(false).collect();
        let mut findings = Findings::new(1, [all[0], all[2], all[5]].into_iter());
        findings.examined(all[0], 3);
        findings.examined(all[2], 2);
        findings.found(all[2], "parquet/a\u{1b}[31m\nb", "sha256 00", "sha256 01");
        findings.found(all[2], "parquet/c", "a file of 3 bytes", "no file");
        findings.skip(all[5], "a run holds the store: its parts may be on their way");
        findings.note("1 record is cut off");
        findings
            .note("dates with answers that the next sync publishes: 2026-11-01, 2026-11-02, 2026-11-03, 2026-11-04");
        VerifyReport { store: "store".into(), generation: Some((7, "2026-11-02T03:04:05Z".to_owned())), findings }
    }

    #[test]
    fn the_page_is_a_table_and_the_advice() {
        insta::assert_snapshot!(page(&report(), 80, Language::English), @r"
        Store store
        Generation 7, published 2026-11-02T03:04:05Z

        check     examined  of       result
        --------------------------------------------------------------------------------
        manifest  3         entries  ok
        files     2         files    2 findings
        orphans                      not checked: a run holds the store: its parts may
                                     be on their way

        files: 2 findings
          Expected: every published file exists with the published size and checksum.
          - parquet/a�[31m b
              expected  sha256 00
              found     sha256 01
          - and 1 more; raise --limit to show them
          What to do: run vcq-etl rebuild: it builds Parquet, manifest and database
          again from raw/, without API calls.

        Note: 1 record is cut off.
        Note: dates with answers that the next sync publishes: 2026-11-01, 2026-11-02,
        2026-11-03, 2026-11-04.
        2 findings in total.
        ");
    }

    #[test]
    fn the_json_object_has_the_same_content() {
        let value = object(&report(), ExitCode::Difference);
        assert_eq!(value["findings"], 2);
        assert_eq!(value["exit_code"], 9);
        assert_eq!(value["generation"], 7);
        assert_eq!(value["checks"][1]["first"][0]["place"], "parquet/a\u{1b}[31m\nb", "JSON escapes by itself");
        assert_eq!(value["checks"][2]["not_checked"], "a run holds the store: its parts may be on their way");
    }
}
