//! `vcq-etl doctor`: checks whether a run would work.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Command};
use feishu_vc::Region;

use super::alert;
use super::command::{Context, Entry, Example, Run, parsed};
use super::copy_settings::copy_setup;
use super::output::json_line;
use super::runtime::{block_on, now_us};
use super::sync;
use super::tenants::{self, TenantsArgs};
use crate::commands::doctor::{self, Check, DoctorSetup, Examined, State, UnusableSettings};
use crate::config::{Config, Group, Origin, Setting};
use crate::error::{ExitCode, Failure};
use crate::text::{Language, WIDTH, on_one_line, padded, say_indented, wrap_in};

/// Column of the text behind the state.
const INDENT: usize = 9;

const EXAMPLES: &[Example] = &[("vcq-etl doctor", "before the first run")];

#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct DoctorArgs {
    /// Print the result as a JSON object; with --tenants, as a line for each tenant.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    tenants: TenantsArgs,
}

pub(super) const ENTRY: Entry =
    Entry { help_groups: &Group::ALL, command, examples: EXAMPLES, run: Run::Configured(run) };

fn command() -> Command {
    let checks: Vec<String> = doctor::CHECKS.iter().map(|(name, what)| format!("  {name:25} {what}")).collect();
    DoctorArgs::augment_args(Command::new("doctor"))
        .about("Check credentials, permissions, clock, disk and store")
        .long_about(format!(
            "Check everything that a run needs, and explain how to fix what is wrong. Makes one call to each of the three \
             lists and to each endpoint that --also names, never waits for the rate limit and writes nothing to the store, so it can run during a sync. Exits with 0 \
             if a run would work, else with the exit code of the most severe failure.\n\nChecks:\n{}",
            checks.join("\n")
        ))
}

fn run(matches: &clap::ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: DoctorArgs = parsed(matches);
    if args.tenants.tenants.is_some() {
        return tenants::for_tenants(&args.tenants, args.json, tenants::DOCTOR, context);
    }
    let examined = examined(context, true)?;
    context.output.print(&if args.json { json_line(&examined) } else { text(&examined, context.console.language) })?;
    Ok(examined.exit)
}

/// Prints the checks for people. Without `is_online`, those that call Feishu are skipped.
pub(super) fn check(context: &Context, is_online: bool) -> Result<ExitCode, Failure> {
    let examined = examined(context, is_online)?;
    context.output.print(&text(&examined, context.console.language))?;
    Ok(examined.exit)
}

fn examined(context: &Context, is_online: bool) -> Result<Examined, Failure> {
    let config = &context.config;
    let unusable = |failure: Failure| {
        let found = failure.chain();
        UnusableSettings { found, next: failure.hints, exit: failure.exit }
    };
    block_on(doctor::examine(DoctorSetup {
        is_online,
        client: sync::client(context, config).map_err(unusable),
        credentials: credentials(config),
        other_region: other_region(config),
        store: config.store.clone(),
        state_folder: config.state_folder.clone(),
        zone: config.timezone.clone(),
        user_id_type: config.user_id_type,
        also: config.also.clone(),
        database: config.database(),
        views_dir: config.views_dir.clone(),
        alerts: alert::setup(context),
        profile: config.profile.clone(),
        copy: copy_setup(context, None).map_err(unusable).transpose(),
        // Of all calls together.
        deadline: Duration::from_secs(25),
        now_us: Arc::new(now_us),
    }))
}

/// The settings of the credentials, and their names in messages.
const CREDENTIALS: &[(&str, &str)] = &[
    ("app_id", "app ID"),
    ("app_secret", "app secret"),
    ("app_secret_file", "app secret"),
    ("access_token", "access token"),
    ("access_token_file", "access token"),
    ("tenant_key", "tenant key"),
    ("app_ticket_file", "app ticket"),
    ("app_ticket_command", "app ticket"),
    ("refresh_token_file", "refresh token"),
];

/// Where the credentials come from: `app ID from VCQ_APP_ID, app secret from VCQ_APP_SECRET`.
fn credentials(config: &Config) -> String {
    let given = CREDENTIALS.iter().filter(|(key, _)| *config.origin(key) != Origin::Default);
    let place = |key: &str| Setting::find(key).map(|setting| config.origin(key).place(setting)).unwrap_or_default();
    given.map(|(key, what)| format!("{what} from {}", place(key))).collect::<Vec<_>>().join(", ")
}

/// The flag for the other region; `None` if a base URL is configured.
fn other_region(config: &Config) -> Option<String> {
    let other = if config.region == Region::Feishu { Region::Lark } else { Region::Feishu };
    config.base_url.is_none().then(|| format!("--region {}", other.as_str()))
}

fn text(examined: &Examined, language: Language) -> String {
    let mut text = String::new();
    for check in &examined.checks {
        let found = format!("{}{}{}", check.name, language.pick(": ", "："), language.say(&check.found));
        let found = wrap_in(language, &found, WIDTH - INDENT).join(&format!("\n{:INDENT$}", ""));
        text.push_str(&format!("{} {found}\n", padded(&language.say(check.state.as_str()), INDENT - 1)));
        for next in &check.next {
            text.push_str(&format!("{:INDENT$}-> {}\n", "", say_indented(language, next, INDENT + 3, WIDTH)));
        }
    }
    text + &verdict(&examined.checks, language)
}

fn verdict(checks: &[Check], language: Language) -> String {
    let count = |state: State| checks.iter().filter(|check| check.state == state).count();
    let counts = [State::Ok, State::Warning, State::Failed, State::Skipped].map(|state| (count(state), state));
    let counts =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, state)| format!("{count} {}", state.as_str()));
    let once: Vec<String> = checks.iter().filter_map(|check| check.once.clone()).collect();
    let failed = checks.iter().filter(|check| check.state == State::Failed);
    // `None` if the meetings could not be fetched either.
    let missing: Option<Vec<&str>> = failed.map(|check| check.optional).collect();
    let once = if once.is_empty() { String::new() } else { format!(" once {}", on_one_line(&once.join(" and "))) };
    let verdict = match missing {
        None => "A run would not work".to_owned(),
        Some(missing) if missing.is_empty() && is_offline(checks) => {
            format!("A run would work if Feishu accepts the credentials{once}")
        }
        Some(missing) if missing.is_empty() => format!("A run would work{once}"),
        Some(missing) if missing == [doctor::ALERTS] => format!("A run would work without alerts{once}"),
        Some(missing) => format!("A run would fetch the meetings but not {}{once}", missing.join(", ")),
    };
    say_indented(language, &format!("{verdict}: {}.", counts.collect::<Vec<_>>().join(", ")), 0, WIDTH) + "\n"
}

fn is_offline(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.name == "host" && check.state == State::Skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_without_colour_and_fits() {
        let check = |name, state, found: &str, next: &[&str]| Check {
            name,
            state,
            found: found.to_owned(),
            next: next.iter().map(|next| (*next).to_owned()).collect(),
            code: None,
            log_id: None,
            scopes: Vec::new(),
            help_url: None,
            optional: None,
            exit: None,
            once: None,
        };
        let checks = vec![
            check("settings", State::Ok, "app ID from VCQ_APP_ID, app secret from VCQ_APP_SECRET", &[]),
            check(
                "meeting_list",
                State::Failed,
                "code 99991672, the app lacks a scope; HTTP 400; log ID L1",
                &[
                    "Add the scope on the developer console's page \"Permissions & Scopes\", publish a new version.",
                    "short",
                ],
            ),
            check("lock", State::Skipped, "there is no store yet", &[]),
        ];
        let examined = Examined { ok: false, exit_code: 3, checks, exit: ExitCode::Credentials };
        insta::assert_snapshot!(text(&examined, Language::English), @r#"
        ok       settings: app ID from VCQ_APP_ID, app secret from VCQ_APP_SECRET
        failed   meeting_list: code 99991672, the app lacks a scope; HTTP 400; log ID L1
                 -> Add the scope on the developer console's page "Permissions &
                    Scopes", publish a new version.
                 -> short
        skipped  lock: there is no store yet
        A run would not work: 1 ok, 1 failed, 1 skipped.
        "#);
        assert!(text(&examined, Language::English).lines().all(|line| line.chars().count() <= 80));

        let lock = Check {
            once: Some("process 4711 on etl-1 has ended".to_owned()),
            ..check("lock", State::Warning, "held", &[])
        };
        let settings = check("settings", State::Ok, "fine", &[]);
        assert_eq!(verdict(std::slice::from_ref(&settings), Language::Chinese), "运行可以成功：正常 1。\n");
        assert_eq!(
            verdict(&[settings.clone(), lock.clone()], Language::Chinese),
            "etl-1 上的进程 4711 结束后，运行可以成功：正常 1、警告 1。\n"
        );
        assert_eq!(
            verdict(&[settings, lock.clone()], Language::English),
            "A run would work once process 4711 on etl-1 has ended: 1 ok, 1 warning.\n"
        );
        let refused =
            |optional| Check { optional: Some(optional), ..check("get_daily", State::Failed, "refused", &[]) };
        assert_eq!(
            verdict(
                &[check("host", State::Ok, "fine", &[]), refused("census_daily"), refused("census_users")],
                Language::English
            ),
            "A run would fetch the meetings but not census_daily, census_users: 1 ok, 2\nfailed.\n"
        );
        let alerts =
            Check { optional: Some(doctor::ALERTS), ..check(doctor::ALERTS, State::Failed, "no channel", &[]) };
        assert_eq!(verdict(&[alerts], Language::English), "A run would work without alerts: 1 failed.\n");
        let throttled = check("meeting_list", State::Failed, "throttled", &[]);
        assert!(
            verdict(&[throttled.clone(), refused("rooms")], Language::English)
                .starts_with("A run would not work: 2 failed")
        );
        assert_eq!(verdict(&[throttled, lock], Language::English), "A run would not work: 1 warning, 1 failed.\n");
    }
}
