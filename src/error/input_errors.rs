//! From errors in what the user gave (settings, windows, reports, building files) to failures.

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::nearest::nearest;
use crate::buildings::BuildingsError;
use crate::cli::window::{self, EventsError, WindowError};
use crate::config::{ConfigError, SETTINGS, TABLE_KEYS, TENANTS};
use crate::load::DuckdbErrorKind;
use crate::report::card::{CardError, Choice, Replaced};
use crate::report::page::PageError;
use crate::report::{ReportError, SqlError, WorkbookError};
use crate::text::shell_word;

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        let failure = Failure::of(ExitCode::Usage, &error);
        match &error {
            ConfigError::UnknownKey { key, .. } => {
                let tables = TABLE_KEYS.iter().copied().chain([TENANTS]);
                let keys = SETTINGS.iter().map(|setting| setting.key).chain(tables);
                // Behind the table that it is in.
                let key = key.rsplit('.').next().unwrap_or(key);
                did_you_mean(failure, key, keys).hint(LIST_SETTINGS)
            }
            ConfigError::Tenants { .. } => failure.hint("docs/SCALE.md describes the tables of tenants"),
            ConfigError::UnknownTenant { known, .. } if known.is_empty() => {
                failure.hint("the configuration file has no tables [tenants.NAME]; docs/SCALE.md describes them")
            }
            ConfigError::UnknownTenant { name, known, .. } => {
                did_you_mean(failure, name, known.iter().map(String::as_str))
                    .hint(format!("the tenants are {}", known.join(", ")))
            }
            ConfigError::UnknownTableKey { key, known, .. } => {
                did_you_mean(failure, key, known.iter().copied()).hint(format!("the keys are {}", known.join(", ")))
            }
            ConfigError::UnknownKind { word, known, .. } => did_you_mean(failure, word, known.iter().copied())
                .hint(format!("the kinds are {}", known.join(", "))),
            ConfigError::Table { .. } => failure.hint("docs/ALERTS.md describes the tables of alert rules and channels"),
            ConfigError::UnknownWord { word, known, .. } => {
                did_you_mean(failure, word, known.iter().copied()).hint("separate values with commas")
            }
            ConfigError::Conflict { .. } => {
                failure.hint("give only one of the two; a flag or variable does not override the other setting")
            }
            ConfigError::BaseUrl { .. } => failure.hint(GIVE_ORIGIN),
            ConfigError::NoCredentials => failure
                .hint("set VCQ_APP_ID and VCQ_APP_SECRET (or --app-secret-file FILE) to those of a self-built app")
                .hint("or set VCQ_ACCESS_TOKEN to a tenant or user access token")
                .hint("docs/OPERATIONS.md describes store apps and refresh tokens")
                .hint("vcq-etl init asks for the first two and writes vcq.toml"),
            ConfigError::HalfCredentials { .. } => {
                failure.hint("an app needs both VCQ_APP_ID and VCQ_APP_SECRET (or --app-secret-file FILE)")
            }
            ConfigError::HalfStoreApp { .. } => failure.hint(STORE_APP),
            ConfigError::HalfKey { missing, .. } => failure.hint(format!(
                "set {missing} too, or neither: then the credentials are those of the object store's own tools"
            )),
            ConfigError::SecretReadableByOthers { path, .. } => {
                failure.hint(format!("run: chmod 600 {}", shell_word(&path.to_string_lossy()))).hint(
                    "in a container: mount it owned by root with mode 440 or 444, or put it in a directory with mode 700",
                )
            }
            ConfigError::ReadSecret { .. } => failure.hint("check the path, and that this user may read it"),
            ConfigError::SecretForPath { .. } => failure.hint(
                "write the secret to a file that only its owner can read (chmod 600), and give the path of that file",
            ),
            ConfigError::EmptySecretFile { .. } => {
                failure.hint("write the secret into it, as Feishu's developer console shows it")
            }
            ConfigError::UnusableSecret { .. } => failure.hint(
                "give the secret exactly as Feishu's developer console shows it: UTF-8 without a byte order mark, quotation \
                 marks, prefix or whitespace",
            ),
            _ => failure.hint(LIST_SETTINGS),
        }
    }
}

impl From<WindowError> for Failure {
    fn from(error: WindowError) -> Failure {
        let failure = Failure::of(ExitCode::Usage, &error);
        let forms = format!("accepted forms: {}", window::FORMS);
        failure.hint(match error {
            WindowError::NotATime { .. } => &forms,
            WindowError::Future { .. } => "only meetings that have ended can be fetched",
            WindowError::Empty { .. } => "--until is exclusive and must be after --since",
            WindowError::NotATimeOfDay { .. } => "the time is on the tenant's clock (--timezone)",
        })
    }
}

impl From<EventsError> for Failure {
    fn from(error: EventsError) -> Failure {
        Failure::of(ExitCode::Usage, &error)
            .hint("give a file with one event per line as JSON, or - for standard input")
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Failure {
        let of = |exit| Failure::of(exit, &error);
        let usage = |hint: &str| of(ExitCode::Usage).hint(hint);
        match &error {
            ReportError::Unknown { name, known } => {
                did_you_mean(of(ExitCode::Usage), name, known).hint(format!("the reports are {}", known.join(", ")))
            }
            ReportError::UnknownParameter { report, name, known } => {
                let failure = did_you_mean(of(ExitCode::Usage), name, known);
                match known.is_empty() {
                    true => failure.hint(format!("{report} has no parameters")),
                    false => failure.hint(format!("the parameters are {}", known.join(", "))),
                }
            }
            ReportError::UnknownProfile { profile, known } => did_you_mean(of(ExitCode::Usage), profile, known).hint(
                format!("the profiles are {}; the report threshold-sheet lists their thresholds", known.join(", ")),
            ),
            ReportError::InvalidAssignment { .. } => usage("for example: --param since=2026-11-01"),
            ReportError::MissingParameter { report, name, doc } => of(ExitCode::Usage)
                .hint(format!("{name}: {doc}"))
                .hint(format!("for example: vcq-etl report run {report} --param {name}=VALUE")),
            ReportError::InvalidParameter { report, name, .. } => {
                let is_time = matches!(name.as_str(), "since" | "until");
                let forms = is_time.then(|| format!("--{name} takes a time: {}", window::FORMS));
                let explains = format!("vcq-etl report show {report} explains the parameters");
                forms.into_iter().chain([explains]).fold(of(ExitCode::Usage), Failure::hint)
            }
            ReportError::NotACondition { .. } => {
                usage("compare a column with a value, for example: severity <> 'minor'")
            }
            ReportError::DuplicateParameter { .. } => usage("give it once: --param or its own flag"),
            ReportError::NotInstalled { .. } => of(ExitCode::Storage)
                .hint("run vcq-etl rebuild; it makes no API calls")
                .hint("the next vcq-etl sync that publishes anything installs it too"),
            ReportError::Folder { .. } => {
                usage("--reports-dir is a directory of custom reports, one NAME.sql file per report")
            }
            ReportError::Run { source, .. } | ReportError::RunCustom { source, .. } if is_out_of_resources(source) => {
                of(ExitCode::Storage).hint(RAISE_REPORT_MEMORY)
            }
            ReportError::RunCustom { .. } => usage("fix its SQL; it runs on the read-only database"),
            ReportError::ColumnMismatch { .. } => usage("name the columns of the result in its header"),
            ReportError::InvalidFile { .. }
            | ReportError::InvalidName { .. }
            | ReportError::Read { .. }
            | ReportError::Header { .. }
            | ReportError::Sql { .. } => usage(
                "vcq-etl report show coverage --sql prints an example of such a file; without --reports-dir only the \
                 built-in reports run",
            ),
            ReportError::Run { .. } => {
                of(ExitCode::Storage).hint("the database may come from another version: vcq-etl rebuild rebuilds it")
            }
            ReportError::Parquet { .. } => of(ExitCode::Storage),
            ReportError::Expand { .. } => {
                usage("call macros after FROM or JOIN, with := for each value, and use one WITH")
            }
            ReportError::NotScalar { .. } | ReportError::Define { .. } => of(ExitCode::Unexpected),
        }
    }
}

/// How somebody is found where identities are replaced.
pub(crate) fn replaced_hint(replaced: Replaced) -> &'static str {
    match replaced {
        Replaced { has_key: false, .. } => {
            "identities in this store are replaced by tokens: type the token that a report shows, or run this as a user \
             who may read the identity key, state/identity.key"
        }
        Replaced { has_names: true, .. } => {
            "identities in this store are replaced by tokens of the exact text: type the complete ID, name or e-mail \
             address as Feishu shows it, or the token that a report shows"
        }
        Replaced { has_names: false, .. } => {
            "this store has tokens of IDs, and no names and e-mail addresses: type the user ID, or the token that a \
             report shows"
        }
    }
}

/// Choices that a failure lists.
const MAX_CHOICES: usize = 20;

impl From<CardError> for Failure {
    fn from(error: CardError) -> Failure {
        let usage = || Failure::of(ExitCode::Usage, &error);
        match &error {
            CardError::Empty { list, .. } => usage().hint(*list),
            CardError::UnknownUser { text, known, replaced } => {
                let failure = did_you_mean(usage(), text, known);
                let failure = replaced.iter().fold(failure, |failure, one| failure.hint(replaced_hint(*one)));
                let part = text.to_lowercase();
                let similar = known.iter().filter(|name| name.to_lowercase().contains(part.trim()));
                let similar: Vec<&str> = similar.take(MAX_CHOICES).map(String::as_str).collect();
                match similar.is_empty() {
                    true => failure,
                    false => failure.hint(format!("names and addresses that contain it: {}", similar.join(", "))),
                }
            }
            CardError::SeveralUsers { choices, .. } => {
                let listed = choices.iter().take(MAX_CHOICES).map(choice_text);
                let more = choices.len().saturating_sub(MAX_CHOICES);
                let more = (more > 0).then(|| format!("and {more} more"));
                let choose = "choose one of them by ID:".to_owned();
                std::iter::once(choose).chain(listed).chain(more).fold(usage(), Failure::hint)
            }
            CardError::UnknownMeeting { text, known, within } if within.is_empty() => {
                did_you_mean(usage(), text, known).hint("vcq-etl report run worst-meetings lists meetings")
            }
            CardError::UnknownMeeting { .. } => usage().hint("leave out --since and --until for the latest one"),
            CardError::UnknownIncident { text, known } => {
                did_you_mean(usage(), text, known).hint("vcq-etl report run incidents --since all lists them")
            }
            CardError::UnknownProfile { profile, known } => {
                did_you_mean(usage(), profile, known).hint(format!("the profiles are {}", known.join(", ")))
            }
            CardError::OutdatedStore => {
                Failure::of(ExitCode::Storage, &error).hint("run vcq-etl rebuild; it makes no API calls")
            }
            CardError::Query { .. } => Failure::of(ExitCode::Storage, &error)
                .hint("the database may come from another version: vcq-etl rebuild rebuilds it"),
            CardError::NotScalar { .. } => Failure::of(ExitCode::Unexpected, &error),
        }
    }
}

/// `vcq-etl report user ou_5f3a  (Ann Lee, person, Sales, ann@example.com; 12 meetings, last 2026-11-18)`.
fn choice_text(choice: &Choice) -> String {
    let about = [&choice.name, &choice.kind, &choice.department, &choice.email];
    let about: Vec<&str> = about.into_iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    let meetings = crate::text::counted(choice.meetings.max(0) as u64, "meeting");
    format!("vcq-etl report user '{}'  ({}; {meetings}, last {})", choice.who, about.join(", "), choice.last_date)
}

fn is_out_of_resources(error: &duckdb::Error) -> bool {
    DuckdbErrorKind::classify(&error.to_string()) == DuckdbErrorKind::OutOfResources
}

impl From<BuildingsError> for Failure {
    fn from(error: BuildingsError) -> Failure {
        let failure = Failure::of(ExitCode::Usage, &error);
        match &error {
            BuildingsError::Read { .. } => failure.hint("check the path, and that this user may read it"),
            BuildingsError::TooLarge { .. } | BuildingsError::Empty { .. } | BuildingsError::MissingColumn { .. } => {
                failure.hint(BUILDING_FORMS)
            }
            BuildingsError::Encoding { .. } => {
                failure.hint("save it as UTF-8 text (in Excel: CSV UTF-8) or as Unicode text").hint(BUILDING_FORMS)
            }
            BuildingsError::NoByteOrderMark { .. } | BuildingsError::Workbook { .. } => {
                failure.hint("save it as UTF-8 text (in Excel: CSV UTF-8)")
            }
            BuildingsError::OpenQuote { .. } => failure.hint("close the quotation mark, or double it inside the text"),
            BuildingsError::UnknownColumn { name, known, .. } => did_you_mean(failure, name, known)
                .hint(format!("the columns are {}", known.join(", ")))
                .hint(BUILDING_FORMS),
            BuildingsError::RepeatedColumn { .. } => failure.hint("name each column once"),
            BuildingsError::InvalidLines { .. } => failure.hint("fix these lines and try again; nothing was imported"),
            BuildingsError::NoneImported { .. } => failure
                .hint("import one with vcq-etl buildings import FILE; vcq-etl buildings --help describes the format"),
            BuildingsError::Stored { .. } => Failure::of(ExitCode::Storage, &error)
                .hint("import the building file again: vcq-etl buildings import FILE (without --from)"),
        }
    }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Failure {
        let of = |exit| Failure::of(exit, &error);
        match &error {
            PageError::EmptyStore => of(ExitCode::Usage)
                .hint("run vcq-etl sync --since 2d to fetch meetings, or vcq-etl demo to generate some")
                .hint("with --date an empty page is written"),
            PageError::OutdatedStore => of(ExitCode::Storage)
                .hint("it was published by an older version; vcq-etl rebuild publishes it again without API calls"),
            PageError::UnknownProfile { profile, known } => {
                did_you_mean(of(ExitCode::Usage), profile, known).hint(format!("the profiles are {}", known.join(", ")))
            }
            PageError::OutOfCalendar { .. } => of(ExitCode::Usage),
            PageError::Query { .. } => of(ExitCode::Storage)
                .hint("the database may be from another version; vcq-etl rebuild publishes it again"),
            PageError::NotScalar { .. } => of(ExitCode::Unexpected),
        }
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Failure {
        let usage = || Failure::of(ExitCode::Usage, &error);
        match &error {
            SqlError::Empty => usage().hint("for example: vcq-etl query \"from meetings limit 5\""),
            SqlError::Token { .. } | SqlError::Parquet { .. } => usage(),
            SqlError::SecondQuery { .. } => usage().hint(
                "statements before the last may prepare it: create temp table, create temp macro, set variable, ...",
            ),
            SqlError::NoText { .. } => usage().hint("cast it to text: cast(x as varchar)"),
            SqlError::NotATable { .. } => usage().hint("for example: --table people=people.csv"),
            SqlError::TakenName { .. } => usage().hint("choose another name for the file's table"),
            SqlError::Table { .. } => usage().hint("a file is CSV, JSON or Parquet, by its extension; * reads several"),
            SqlError::Run { source, .. } if is_out_of_resources(source) => {
                Failure::of(ExitCode::Storage, &error).hint(RAISE_REPORT_MEMORY)
            }
            SqlError::Run { missing: None, source } => {
                let text = source.to_string();
                let hint = [
                    ("disabled by configuration", NO_FILES),
                    ("disabled through configuration", NO_FILES),
                    ("configuration has been locked", "settings of the session: --report-memory-limit, --threads"),
                    (
                        "read-only mode",
                        "the published database is read-only; create temp table makes one for this query",
                    ),
                ];
                let hint = hint.into_iter().find(|(words, _)| text.contains(words)).map(|(_, hint)| hint);
                hint.into_iter().fold(usage(), Failure::hint)
            }
            SqlError::Run { missing: Some(missing), .. } => {
                let known = || missing.relations.iter().chain(&missing.macros).map(String::as_str);
                let near = nearest(&missing.name, known()).map(|name| match missing.macros.iter().any(|m| m == name) {
                    true => format!("{name}(...), a macro"),
                    false => name.to_owned(),
                });
                let mut failure = usage();
                if let Some(near) = near {
                    // DuckDB's own suggestion does not know the macros.
                    for cause in &mut failure.causes {
                        let lines = cause.lines().filter(|line| !line.starts_with("Did you mean"));
                        *cause = lines.collect::<Vec<_>>().join("\n");
                    }
                    failure = failure.hint(format!("did you mean {near}?"));
                }
                let is_file = missing.name.contains(['/', '.']);
                failure.hint(if is_file { NO_FILES } else { "vcq-etl schema lists the tables, views and macros" })
            }
        }
    }
}

impl From<WorkbookError> for Failure {
    fn from(error: WorkbookError) -> Failure {
        match error {
            WorkbookError::TooManyRows | WorkbookError::TooManyColumns { .. } => {
                Failure::of(ExitCode::Usage, &error).hint("write CSV or Parquet, which have no limit, or select less")
            }
            WorkbookError::Write(_) => {
                Failure::of(ExitCode::Storage, &error).hint("free space, also in the directory of TMPDIR")
            }
        }
    }
}

const NO_FILES: &str = "a query reads the published database only; --table NAME=FILE adds a file as a table, and \
                        --out FILE writes the result";
const RAISE_REPORT_MEMORY: &str = "raise --report-memory-limit, or free space where queries spill: in the store, or in \
                                   the directory of TMPDIR if the store is not writable";
const STORE_APP: &str =
    "a store app needs app_id, app_secret_file, tenant_key, and app_ticket_file or app_ticket_command";
const LIST_SETTINGS: &str = "run vcq-etl --help for a list of the settings";
pub(super) const GIVE_ORIGIN: &str = "give an origin such as https://open.feishu.cn, without a path";
const BUILDING_FORMS: &str = "a building file is that of the Call Quality Dashboard (14 or 15 columns, no header), or a CSV \
                              file whose header names at least cidr and building";

pub(super) fn did_you_mean(failure: Failure, given: &str, known: impl IntoIterator<Item = impl AsRef<str>>) -> Failure {
    let known: Vec<_> = known.into_iter().collect();
    let meant = nearest(given, known.iter().map(AsRef::as_ref));
    meant.map(|name| format!("did you mean {name}?")).into_iter().fold(failure, Failure::hint)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use feishu_vc::Redactor;

    fn text(failure: impl Into<Failure>) -> String {
        failure.into().text(&Redactor::default())
    }

    #[test]
    fn an_unknown_report_names_the_nearest_and_the_list() {
        let known = ["worst-meetings", "coverage", "unread-values"].map(str::to_owned).to_vec();
        let error = ReportError::Unknown { name: "worst-meeting".to_owned(), known };
        insta::assert_snapshot!(text(error), @r#"
        error: there is no report "worst-meeting"
        hint: did you mean worst-meetings?
        hint: the reports are worst-meetings, coverage, unread-values
        "#);
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let error = ConfigError::UnknownKey { path: PathBuf::from("vcq.toml"), key: "calls_per_min".to_owned() };
        assert!(text(error).contains("hint: did you mean calls_per_minute?\n"));
    }

    #[test]
    fn a_readable_secret_comes_with_the_chmod_command() {
        let error = ConfigError::SecretReadableByOthers { path: PathBuf::from("my secret"), mode: 0o644 };
        insta::assert_snapshot!(text(error), @r"
        error: my secret contains a secret, but other users can access it (mode 644)
        hint: run: chmod 600 'my secret'
        hint: in a container: mount it owned by root with mode 440 or 444, or put it in a directory with mode 700
        ");
    }

    #[test]
    fn every_usage_failure_says_what_to_do() {
        let path = || PathBuf::from("f");
        let place = || "VCQ_X".to_owned();
        let io = || std::io::Error::other("why");
        let errors = [
            ConfigError::NotAValue { place: place(), text: "x".to_owned(), wants: "y".to_owned() },
            ConfigError::Empty { place: place() },
            ConfigError::SecretForPath { place: place() },
            ConfigError::UnknownKey { path: path(), key: "qqqqqqq".to_owned() },
            ConfigError::WrongType { path: path(), key: "k".to_owned(), found: "table" },
            ConfigError::ReadFile { path: path(), source: io() },
            ConfigError::Syntax { path: path(), line: 1, problem: "p".to_owned() },
            ConfigError::Conflict { first: place(), second: place() },
            ConfigError::BaseUrl { place: place(), source: feishu_vc::BaseUrlError::UserInfo },
            ConfigError::NoCredentials,
            ConfigError::HalfCredentials { given: place(), missing: "m" },
            ConfigError::SecretReadableByOthers { path: path(), mode: 0o644 },
            ConfigError::ReadSecret { path: path(), source: io() },
            ConfigError::EmptySecretFile { path: path() },
            ConfigError::SecretNoFile { path: path() },
            ConfigError::SecretTooLarge { path: path(), limit_bytes: 1 },
        ];
        for error in errors {
            let failure = Failure::from(error);
            assert_eq!(failure.exit, ExitCode::Usage);
            assert!(!failure.hints.is_empty(), "{}", failure.message);
        }
    }

    #[test]
    fn a_typo_in_the_header_of_a_building_file_names_the_nearest_column() {
        let error = BuildingsError::UnknownColumn {
            path: "offices.csv".into(),
            name: "bulding".to_owned(),
            known: vec!["cidr", "building", "floor"],
        };
        insta::assert_snapshot!(text(error), @r#"
        error: the heading of offices.csv has the unknown column "bulding"
        hint: did you mean building?
        hint: the columns are cidr, building, floor
        hint: a building file is that of the Call Quality Dashboard (14 or 15 columns, no header), or a CSV file whose header names at least cidr and building
        "#);
    }

    #[test]
    fn a_wrong_time_lists_the_forms() {
        let error = WindowError::NotATime { flag: "--since", text: "soon".to_owned() };
        let failure = Failure::from(error);
        assert_eq!(failure.exit, ExitCode::Usage);
        assert!(failure.message.contains("\"soon\"") && failure.hints[0].contains("yesterday"));
    }

    #[test]
    fn page_errors_have_hints() {
        let text = |error: PageError| Failure::from(error).text(&feishu_vc::Redactor::default());
        let known = vec!["cqd".to_owned(), "strict".to_owned()];
        insta::assert_snapshot!(text(PageError::UnknownProfile { profile: "strikt".to_owned(), known }), @r#"
        error: there is no profile "strikt" in the store
        hint: did you mean strict?
        hint: the profiles are cqd, strict
        "#);
        assert!(text(PageError::OutdatedStore).contains("vcq-etl rebuild"));
        assert!(text(PageError::EmptyStore).contains("vcq-etl sync"));
    }
}
