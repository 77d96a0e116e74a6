//! `vcq-etl doctor`: whether a run would work, and if not, why not.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Command, FromArgMatches};

use super::{Context, Entry, Example, Run, block_on, now_us, report, sync};
use crate::commands::doctor::{self, Check, DoctorSetup, Examined, State, Unusable};
use crate::config::{Config, Group, Origin, Setting};
use crate::error::{ExitCode, Failure};
use crate::text::on_one_line;
use feishu_vc::Region;

/// The vendor is given so long for everything together.
const DEADLINE: Duration = Duration::from_secs(25);

/// Where the text begins, behind the state's word.
const INDENT: usize = 9;

const EXAMPLES: &[Example] = &[("vcq-etl doctor", "before the first run, and when one fails")];

/// How to show it.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct DoctorArgs {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) const ENTRY: Entry = Entry { shown: &Group::ALL, command, examples: EXAMPLES, run: Run::Configured(run) };

fn command() -> Command {
    let checks: Vec<String> = doctor::CHECKS.iter().map(|(name, what)| format!("  {name:25} {what}")).collect();
    DoctorArgs::augment_args(Command::new("doctor"))
        .about("Check credentials, permissions, clock, disk and store")
        .long_about(format!(
            "Check everything that a run needs, and say what to do about what is wrong. Makes one call to each of the \
             three lists, waits for no limit, and writes nothing into the store; works while a sync runs. Ends with 0 \
             where a run would work, else with the code of the gravest failure.\n\nThe checks:\n{}",
            checks.join("\n")
        ))
}

fn run(matches: &clap::ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args =
        DoctorArgs::from_arg_matches(matches).expect("clap has checked these matches against the same arguments");
    let examined = block_on(doctor::examine(setup(context)))?;
    context.output.print(&if args.json { json(&examined) } else { text(&examined) })?;
    Ok(examined.exit)
}

fn setup(context: &Context) -> DoctorSetup {
    let config = &context.config;
    DoctorSetup {
        client: sync::client(context, config).map_err(unusable),
        credentials: credentials(config),
        other_region: other_region(config),
        store: config.store.clone(),
        state_folder: config.state_folder.clone(),
        zone: config.timezone.clone(),
        user_id_type: config.user_id_type,
        database: config.database(),
        deadline: DEADLINE,
        now_us: Arc::new(now_us),
    }
}

fn unusable(failure: Failure) -> Unusable {
    let found = std::iter::once(&failure.message).chain(&failure.causes).cloned().collect::<Vec<_>>().join(": ");
    Unusable { found, next: failure.hints, exit: failure.exit }
}

/// The settings that say who we are, and what to call them.
const CREDENTIALS: &[(&str, &str)] = &[
    ("app_id", "app id"),
    ("app_secret", "app secret"),
    ("app_secret_file", "app secret"),
    ("access_token", "access token"),
    ("access_token_file", "access token"),
];

fn credentials(config: &Config) -> String {
    let given = CREDENTIALS.iter().filter(|(key, _)| *config.origin(key) != Origin::Default);
    let place = |key: &str| Setting::find(key).map(|setting| config.origin(key).place(setting)).unwrap_or_default();
    given.map(|(key, what)| format!("{what} from {}", place(key))).collect::<Vec<_>>().join(", ")
}

/// The region that was not asked; none where a base URL is given.
fn other_region(config: &Config) -> Option<String> {
    let other = match (&config.base_url, config.region) {
        (Some(_), _) => return None,
        (None, Region::Feishu) => "lark",
        (None, Region::Lark) => "feishu",
    };
    Some(format!("--region {other}"))
}

fn json(examined: &Examined) -> String {
    // Texts and numbers always have a JSON form.
    serde_json::to_string(examined).expect("what was found is plain values") + "\n"
}

fn text(examined: &Examined) -> String {
    let mut text = String::new();
    for check in &examined.checks {
        let found = report::folded(&format!("{}: {}", check.name, check.found), INDENT);
        text.push_str(&format!("{:8} {found}\n", check.state.as_str()));
        for next in &check.next {
            text.push_str(&format!("{:INDENT$}-> {}\n", "", report::folded(next, INDENT + 3)));
        }
    }
    text + &closing(&examined.checks)
}

fn closing(checks: &[Check]) -> String {
    let count = |state: State| checks.iter().filter(|check| check.state == state).count();
    let counted = |state: State| match count(state) {
        0 => None,
        number => Some(format!("{number} {}", state.as_str())),
    };
    let counts: Vec<String> =
        [State::Ok, State::Warning, State::Failed, State::Skipped].into_iter().filter_map(counted).collect();
    let once: Vec<String> = checks.iter().filter_map(|check| check.once.clone()).collect();
    let verdict = match (count(State::Failed), once.is_empty()) {
        (1.., _) => "A run would not work".to_owned(),
        (0, true) => "A run would work".to_owned(),
        (0, false) => format!("A run would work once {}", on_one_line(&once.join(" and "))),
    };
    report::folded(&format!("{verdict}: {}.", counts.join(", ")), 0) + "\n"
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
            exit: None,
            once: None,
        };
        let checks = vec![
            check("settings", State::Ok, "app id from VCQ_APP_ID, app secret from VCQ_APP_SECRET", &[]),
            check(
                "meeting_list",
                State::Failed,
                "code 99991672, the app lacks a scope; HTTP 400; log id L1",
                &[
                    "Add the scope on the developer console's page \"Permissions & Scopes\", publish a new version.",
                    "short",
                ],
            ),
            check("lock", State::Skipped, "there is no store yet", &[]),
        ];
        let examined = Examined { ok: false, exit_code: 3, checks, exit: ExitCode::Credentials };
        insta::assert_snapshot!(text(&examined), @r#"
        ok       settings: app id from VCQ_APP_ID, app secret from VCQ_APP_SECRET
        failed   meeting_list: code 99991672, the app lacks a scope; HTTP 400; log id L1
                 -> Add the scope on the developer console's page "Permissions &
                    Scopes", publish a new version.
                 -> short
        skipped  lock: there is no store yet
        A run would not work: 1 ok, 1 failed, 1 skipped.
        "#);
        assert!(text(&examined).lines().all(|line| line.chars().count() <= 80));

        let lock = Check {
            once: Some("process 4711 on etl-1 has ended".to_owned()),
            ..check("lock", State::Warning, "held", &[])
        };
        let settings = check("settings", State::Ok, "fine", &[]);
        assert_eq!(
            closing(&[settings, lock.clone()]),
            "A run would work once process 4711 on etl-1 has ended: 1 ok, 1 warning.\n"
        );
        let throttled = check("meeting_list", State::Failed, "throttled", &[]);
        assert_eq!(closing(&[throttled, lock]), "A run would not work: 1 warning, 1 failed.\n");
    }
}
