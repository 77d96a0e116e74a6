//! `vcq-etl alert`: checks the rules, tests a channel, and lists what was sent.

use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Args, Command, Subcommand};
use serde_json::json;

use super::command::{Choice, Context, Entry, Example, LOCAL, Run, one_of, parsed};
use super::output::json_line;
use super::runtime::{block_on, exit_on_signals, now_us};
use super::tenants::{Each, TenantsArgs, lost};
use super::window;
use crate::alerts::{AlertError, Channel, FailedRun, Rule, plain_text};
use crate::commands::alert::{self, AlertCheck, AlertSetup, Outcome};
use crate::config::{ConfigError, DEFAULT_SINCE};
use crate::error::{EXIT_CODES, ExitCode, Failure};
use crate::ledger::AlertRecord;
use crate::report::{self, Cell, ResultSet};
use crate::schema::utc_text;
use crate::text::{Language, in_json, on_lines, on_one_line, terminal_width};

/// The longest time of a check at the end of a sync, with its deliveries.
const SYNC_LIMIT: Duration = Duration::from_secs(30);
/// Of `alert check`.
const CHECK_LIMIT: Duration = Duration::from_secs(120);
/// Of the attempts of `alert failed` for each channel.
const FAILED_LIMIT: Duration = Duration::from_secs(30);
/// Of the one attempt of `alert test`.
const TEST_LIMIT: Duration = Duration::from_secs(15);

const EXAMPLES: &[Example] = &[
    ("vcq-etl alert check --dry-run", "what would be sent"),
    ("vcq-etl alert test it-ops", "a test message"),
    ("vcq-etl alert failed --status 4", "a message if a run fails"),
    ("vcq-etl alert history", "what was sent"),
];

pub(super) const ENTRY: Entry = Entry { help_groups: LOCAL, command, examples: EXAMPLES, run: Run::Configured(run) };

#[derive(Debug, Subcommand)]
enum AlertCommand {
    /// Check the rules and send messages about new matches
    #[command(
        long_about = "Check the alert rules of vcq.toml against the published data, send messages about rows that are new, and \
        try again to send what could not be delivered before. Makes no API calls. A sync does the same at its end.\n\n\
        Exits with 0, with 2 if a rule or channel is not usable, with 7 if a message could not be delivered (the next run \
        tries again), and with --exit-code with 10 if a rule matches."
    )]
    Check(CheckArgs),
    /// Send a test message
    #[command(
        long_about = "Send a test message to a channel, with one attempt. Exits with 7 if it could not be delivered."
    )]
    Test(TestArgs),
    /// Send a message that a run failed
    #[command(
        long_about = "Send the given channels, or every channel, a message that a run failed. For OnFailure= of \
        systemd, which vcq-etl init --timer sets up, and for cron. Does nothing if no channel is configured, or if the \
        next run completes the failed one (exit codes 7, 8, 130 and 143). Exits with 7 if a message could not be \
        delivered."
    )]
    Failed(FailedArgs),
    /// List the messages of the last 400 days
    History(HistoryArgs),
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// Print the messages; send and record nothing
    #[arg(long)]
    dry_run: bool,

    /// Exit with 10 if a rule matches, whether or not its rows were sent before
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    tenants: TenantsArgs,
}

#[derive(Debug, Args)]
struct TestArgs {
    /// Name of the channel
    #[arg(value_name = "CHANNEL")]
    channel: String,
}

#[derive(Debug, Args)]
struct FailedArgs {
    /// Names of channels; by default all
    #[arg(value_name = "CHANNEL")]
    channels: Vec<String>,

    /// Exit code of the run, or the signal that ended it
    #[arg(long, value_name = "STATUS", default_value = "", hide_default_value = true)]
    status: String,
}

/// The output formats; true for JSON.
const IS_JSON: &[Choice<bool>] = &[("table", "", false), ("json", "", true)];

#[derive(Debug, Args)]
struct HistoryArgs {
    /// Output format
    #[arg(long = "format", value_name = "FORMAT", default_value = "table", action = clap::ArgAction::Set, value_parser = one_of(IS_JSON))]
    json: bool,

    /// Maximum number of messages, newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

fn command() -> Command {
    let command = Command::new("alert")
        .about("Check alert rules and send messages about what they find")
        .subcommand_required(true)
        .arg_required_else_help(true);
    AlertCommand::augment_subcommands(command)
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    match parsed(matches) {
        AlertCommand::Check(args) => check(&args, context),
        AlertCommand::Test(args) => test(&args, context),
        AlertCommand::Failed(args) => failed(&args, context),
        AlertCommand::History(args) => history(&args, context).map(|()| ExitCode::Complete),
    }
}

/// The rules and channels of the settings. Their secrets are redacted from now on.
pub(super) fn setup(context: &Context) -> AlertSetup {
    let config = &context.config;
    let settings = config.alerts.settings();
    let secrets = settings.channels.iter().flat_map(|channel| channel.target.secrets());
    secrets.for_each(|secret| context.console.redactor().add_secret(secret));
    let (zone, profile) = (config.timezone.clone(), config.profile.clone());
    AlertSetup {
        rules: settings.rules,
        channels: settings.channels,
        channel_names: settings.channel_names,
        problems: settings.problems.into_iter().map(|problem: ConfigError| Arc::new(problem.into())).collect(),
        store: config.store.clone(),
        store_flag: config.store_flag(),
        reports_dir: config.reports_dir.clone(),
        language: config.language,
        database: config.reading(),
        parameters: Arc::new(move |rule: &Rule, now_us| {
            let since = rule.since.as_deref().unwrap_or(DEFAULT_SINCE);
            let named =
                |failure: Failure| Failure { message: format!("rule {}: {}", rule.name, failure.message), ..failure };
            let days = window::days(Some(since), rule.until.as_deref(), &zone, now_us).map_err(|e| named(e.into()))?;
            let given = [("since", days.since), ("until", days.until), ("profile", Some(profile.clone()))];
            Ok(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
        }),
        limit: SYNC_LIMIT,
        redactor: context.console.redactor().clone(),
        now_us: Arc::new(now_us),
    }
}

/// Shows all problems but the first, which is returned to be the failure of the command.
fn first_problem(problems: &[Arc<Failure>], context: &Context) -> Option<Failure> {
    let (first, others) = problems.split_first()?;
    others.iter().for_each(|failure| context.console.failure(failure));
    let exit = ExitCode::worst(problems.iter().map(|failure| failure.exit));
    let first =
        Failure { exit, message: first.message.clone(), causes: first.causes.clone(), hints: first.hints.clone() };
    Some(first)
}

fn check(args: &CheckArgs, context: &Context) -> Result<ExitCode, Failure> {
    if args.tenants.tenants.is_some() {
        let each = Each { args: &args.tenants, flags: &[], lost };
        return each
            .run(context, |ended| context.output.print(&on_lines(&format!("{}\n{}\n", ended.tenant, ended.stdout))));
    }
    let setup = AlertSetup { limit: CHECK_LIMIT, ..setup(context) };
    // Whatever is wrong with a rule is reported before anything is sent.
    let (prepared, problems) = alert::prepare(&setup);
    if let Some(failure) = first_problem(&problems, context) {
        return Err(failure);
    }
    if prepared.is_empty() {
        return Err(Failure::new(ExitCode::Usage, "no alert rule is configured")
            .hint("add [[alerts]] and [channels.NAME] to vcq.toml; docs/ALERTS.md has an example"));
    }
    let checked = block_on(async {
        exit_on_signals();
        alert::check(setup, args.dry_run).await
    })??;
    let text = check_text(&checked, args.dry_run, context.console.language);
    context.output.print(&context.console.redactor().redact(&text))?;
    if let Some(failure) = first_problem(&checked.problems, context) {
        return Err(failure);
    }
    Ok(match () {
        () if args.exit_code && checked.matched() => ExitCode::Matched,
        () if checked.delivered.iter().any(|delivered| delivered.outcome != Outcome::Sent) => ExitCode::Incomplete,
        () => ExitCode::Complete,
    })
}

fn check_text(checked: &AlertCheck, dry_run: bool, language: Language) -> String {
    let say = |text: &str| language.say(text).into_owned();
    let text = |text: &str| Cell::Text(text.to_owned());
    let number = |count: usize| Cell::Integer(count as i128);
    let columns = ["rule", "report", "rows", "new", "to"].map(say).to_vec();
    let rows = checked.rules.iter().map(|rule| {
        vec![text(&rule.rule), text(&rule.report), number(rule.matched), number(rule.new), text(&rule.to.join(", "))]
    });
    let mut page =
        report::table(&ResultSet { columns, rows: rows.collect() }, terminal_width(std::io::stdout()), language);
    if dry_run {
        let messages: Vec<String> =
            checked.rules.iter().filter_map(|rule| rule.message.as_ref()).map(plain_text).collect();
        page.push_str(&if messages.is_empty() {
            format!("\n{}\n", say("Nothing would be sent."))
        } else {
            format!("\n{}\n\n{}", say("These messages would be sent:"), messages.join("\n"))
        });
        return on_lines(&page);
    }
    if checked.delivered.is_empty() {
        page.push_str(&format!("\n{}\n", say("Nothing to send.")));
    }
    for delivered in &checked.delivered {
        let (rule, channel) = (&delivered.rule, &delivered.channel);
        let (happened, next) = match &delivered.outcome {
            Outcome::Sent => (format!("sent: rule {rule} to {channel}"), Vec::new()),
            Outcome::Failed { why, hint } => {
                let hint = (!hint.is_empty()).then_some(&**hint);
                let next = hint.into_iter().chain(["the next run tries again"]).collect();
                (format!("not delivered: rule {rule} to {channel}: {why}"), next)
            }
            Outcome::Waiting => {
                let why = "an earlier message to this channel could not be delivered, or no time was left";
                (format!("not sent yet: rule {rule} to {channel}: {why}"), vec!["the next run sends it"])
            }
        };
        page.push_str(&format!("\n{}\n", say(&happened)));
        next.iter().for_each(|next| page.push_str(&format!("  -> {}\n", say(next))));
    }
    on_lines(&page)
}

fn test(args: &TestArgs, context: &Context) -> Result<ExitCode, Failure> {
    let setup = AlertSetup { limit: TEST_LIMIT, ..setup(context) };
    let channel = channel(&setup, &args.channel, context)?;
    let delivered = block_on(async {
        exit_on_signals();
        alert::test_channel(&setup, channel).await
    })?;
    match delivered.outcome {
        Outcome::Sent | Outcome::Waiting => {
            let sent = format!("sent a test message to {} ({})", channel.name, channel.target.kind());
            context.output.print(&format!("{}\n", context.console.language.say(&sent)))?
        }
        Outcome::Failed { why, hint } => return Err(undelivered(channel, &why, hint)),
    }
    Ok(ExitCode::Complete)
}

fn failed(args: &FailedArgs, context: &Context) -> Result<ExitCode, Failure> {
    let setup = AlertSetup { limit: FAILED_LIMIT, ..setup(context) };
    let channels: Vec<&Channel> = match args.channels.as_slice() {
        [] => setup.channels.iter().collect(),
        names => names.iter().map(|name| channel(&setup, name, context)).collect::<Result<_, _>>()?,
    };
    if setup.channel_names.is_empty() {
        let nobody = context.console.language.say("no channel is configured, and nothing was sent");
        context.output.print(&format!("{nobody}\n"))?;
        return Ok(ExitCode::Complete);
    }
    let status = args.status.as_str();
    let info = EXIT_CODES.iter().find(|info| info.code.number().to_string() == status);
    if info.is_some_and(|info| !info.is_fault()) {
        let text = format!("exit code {status} is not a fault, and nothing was sent");
        context.output.print(&format!("{}\n", context.console.language.say(&text)))?;
        return Ok(ExitCode::Complete);
    }
    let run = info.map_or(FailedRun { status, ..FailedRun::default() }, |info| FailedRun {
        status,
        name: info.name,
        meaning: info.meaning,
    });
    let mut problems = Vec::new();
    if args.channels.is_empty() && channels.len() < setup.channel_names.len() {
        problems.extend(setup.problems.iter().cloned());
    }
    for channel in channels {
        let delivered = block_on(async {
            exit_on_signals();
            alert::send_failure(&setup, channel, &run).await
        })?;
        match delivered.outcome {
            Outcome::Failed { why, hint } => problems.push(Arc::new(undelivered(channel, &why, hint))),
            Outcome::Sent | Outcome::Waiting => {
                let sent = format!("sent a message to {} ({})", channel.name, channel.target.kind());
                context.output.print(&format!("{}\n", context.console.language.say(&sent)))?
            }
        }
    }
    first_problem(&problems, context).map_or(Ok(ExitCode::Complete), Err)
}

fn undelivered(channel: &Channel, why: &str, hint: &str) -> Failure {
    let failure = Failure::new(ExitCode::Incomplete, format!("channel {}: {why}", channel.name));
    if hint.is_empty() { failure } else { failure.hint(hint) }
}

/// The channel of this name, or what is wrong with it.
fn channel<'a>(setup: &'a AlertSetup, name: &str, context: &Context) -> Result<&'a Channel, Failure> {
    if let Some(channel) = setup.channels.iter().find(|channel| channel.name == name) {
        return Ok(channel);
    }
    let of_channel = format!("channel {name} ");
    let broken = setup.problems.iter().find(|failure| failure.message.contains(&of_channel));
    let broken = broken.filter(|_| setup.channel_names.iter().any(|known| known == name));
    Err(broken.and_then(|failure| first_problem(std::slice::from_ref(failure), context)).unwrap_or_else(|| {
        Failure::from(AlertError::NoChannel { channel: name.to_owned(), known: setup.channel_names.clone() })
    }))
}

fn history(args: &HistoryArgs, context: &Context) -> Result<(), Failure> {
    let records = alert::history(&context.config.store, args.limit)?;
    let text = if args.json {
        in_json(&history_json(&records))
    } else {
        on_lines(&history_table(&records, context.console.language))
    };
    context.output.print(&context.console.redactor().redact(&text))
}

/// `sent`, `pending` or `given up`.
fn state(record: &AlertRecord) -> &'static str {
    match record {
        AlertRecord { sent_us: Some(_), .. } => "sent",
        AlertRecord { gave_up_us: Some(_), .. } => "given up",
        _ => "pending",
    }
}

fn history_table(records: &[AlertRecord], language: Language) -> String {
    let say = |text: &str| language.say(text).into_owned();
    if records.is_empty() {
        return say("No messages.") + "\n";
    }
    let columns = ["created_utc", "rule", "channel", "state", "rows", "message", "error"].map(say).to_vec();
    let rows = records.iter().map(|record| {
        let text = |text: &str| Cell::Text(on_one_line(text));
        vec![
            Cell::Time(utc_text(record.created_us)),
            text(&record.rule),
            text(&record.channel),
            text(state(record)),
            Cell::Integer(record.rows.into()),
            text(&record.title),
            text(&say(record.error.as_deref().unwrap_or_default())),
        ]
    });
    report::table(&ResultSet { columns, rows: rows.collect() }, terminal_width(std::io::stdout()), language)
}

fn history_json(records: &[AlertRecord]) -> String {
    let object = |record: &AlertRecord| {
        json!({
            "created_utc": utc_text(record.created_us),
            "rule": record.rule,
            "channel": record.channel,
            "state": state(record),
            "rows": record.rows,
            "title": record.title,
            "attempts": record.attempts,
            "sent_utc": record.sent_us.map(utc_text),
            "error": record.error,
        })
    };
    json_line(&records.iter().map(object).collect::<Vec<_>>())
}

/// The check at the end of a sync, as notes. Whatever happens, the sync has ended as it has.
pub(super) async fn notes_after_sync(setup: AlertSetup) -> Vec<String> {
    if setup.is_empty() {
        return Vec::new();
    }
    match alert::check(setup, false).await {
        Ok(checked) => checked.notes(),
        Err(error) => vec![format!("alerts: {}", Failure::from(error).chain())],
    }
}
