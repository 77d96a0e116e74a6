//! `vcq-etl plan`: the calls and the time that a sync would take.

use clap::{ArgMatches, Args, Command};

use super::command::{Context, Entry, Example, Run, TextOrJson, parsed};
use super::console::{about, time_text};
use super::output::json_line;
use super::runtime::{block_on, stop_on_signals};
use super::sync::{WindowArgs, window_setup};
use crate::commands::{self, CallEstimate, Plan, PlannedReach};
use crate::config::Group;
use crate::error::{ExitCode, Failure, StopReason};
use crate::text::{Align, Language, TextPage, counted, date_range, duration_text, thousands};

#[derive(Debug, Clone, Args)]
struct PlanArgs {
    #[command(flatten)]
    window: WindowArgs,

    /// Also show how far a sync limited to N calls would get. Does not limit plan's own calls.
    #[arg(long, value_name = "N")]
    max_calls: Option<u64>,

    /// Also show how far a sync that stops at this time would get (time zone of the tenant).
    #[arg(long, value_name = "HH:MM")]
    finish_by: Option<String>,

    /// Print the plan as a JSON object.
    #[arg(long)]
    json: bool,

    /// Accepted so that the arguments of `sync` work here too.
    #[arg(long, value_enum, value_name = "FORMAT", hide = true)]
    summary: Option<TextOrJson>,
}

const EXAMPLES: &[Example] = &[
    ("vcq-etl plan --since last", "cost of the next sync"),
    ("vcq-etl plan --since 30d --finish-by 06:30", "how far it would get"),
    ("vcq-etl plan --since 2d --json | jq .pending.total.calls", ""),
];

pub(super) const ENTRY: Entry =
    Entry { help_groups: &Group::ALL, command, examples: EXAMPLES, run: Run::Configured(run) };

fn command() -> Command {
    PlanArgs::augment_args(Command::new("plan"))
        .mut_arg("refetch", |arg| arg.help("Estimate a sync with --refetch"))
        .about("Estimate how many API calls a sync would make and how long it would take").long_about(
        "Estimate what a sync of the window would take: calls, minutes at the rate limit, finish time, and the dates it would \
         publish. Fetches the meeting list and any participant lists not yet in the store, and keeps them for the sync. Can \
         run during a sync.",
    )
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: PlanArgs = parsed(matches);
    let progress = context.start_progress(context.config.calls_per_minute);
    let finish_by = args.finish_by.as_deref();
    let setup = window_setup(&args.window, args.max_calls, finish_by, context, progress.clone())?;
    let planned = block_on(async {
        stop_on_signals(&setup, context);
        commands::plan(setup).await
    })?;
    progress.finish();
    let planned = planned?;
    context.output.print(&match args.json || args.summary == Some(TextOrJson::Json) {
        true => json_line(&planned.plan),
        false => {
            let can_start = planned.stop.as_ref().and_then(|stop| StopReason::of(stop, 0).next).is_none();
            text(&planned.plan, can_start, context.console.language)
        }
    })?;
    if let Some(stop) = &planned.stop {
        context.console.failure(&Failure::of_stop(stop, planned.exit));
    }
    Ok(planned.exit)
}

/// The plan for people. `can_start` is false if a sync would be stopped now as the plan was.
fn text(plan: &Plan, can_start: bool, language: Language) -> String {
    let pending = &plan.pending;
    let mut page = TextPage::new(16).in_language(language);
    if !plan.is_whole {
        page.field("Incomplete", "the plan was stopped early; this is what is known so far");
    }
    page.field("Window", &format!("{} to {}", plan.since_utc, plan.until_utc));
    page.field("Meetings", &format!("{}, {} of them to fetch", thousands(plan.meetings), thousands(pending.meetings)));
    let to_fetch = about(pending.unlisted > 0, thousands(pending.participants));
    page.field("Participants", &format!("{} known, {to_fetch} to fetch", thousands(plan.participants)));
    if pending.unlisted > 0 {
        let meetings = counted(pending.unlisted, "meeting");
        page.field("", &format!("estimated for {meetings} whose participants are not listed yet"));
    }
    page.line("");
    calls_table(plan, &mut page);
    page.line("");
    if can_start {
        page.field("Finish time", &format!("{}, if started now", plan.finish_local));
    }
    page.field("Publishes", &date_range(&plan.dates));
    let later = &pending.later;
    if let (Some(until), 1..) = (&later.fresh_until_utc, later.fresh_meetings) {
        let meetings = counted(later.fresh_meetings, "meeting");
        page.field("Later", &format!("{meetings} ended less than ten minutes ago and can be fetched from {until}"));
    }
    if let (Some(settled), 1..) = (&later.settled_utc, later.settling_meetings) {
        let participants = counted(later.settling_participants, "participant");
        let of = format!("{participants} of {}", counted(later.settling_meetings, "meeting"));
        page.field("Later", &format!("{of} may be fetched again until their data is stable, at the latest {settled}"));
    }
    if later.waiting > 0 {
        let units = thousands(later.waiting);
        page.field("Later", &format!("{units} participants and lists were requested recently and are not due yet"));
    }
    if !plan.also.is_empty() {
        let calls: Vec<String> =
            plan.also.iter().map(|(name, calls)| format!("{name} {}", thousands(*calls))).collect();
        page.field("Also", &format!("about {} more calls ({})", thousands(plan.also.values().sum()), calls.join(", ")));
    }
    if let Some(reach) = &plan.reach {
        page.field("Within limits", &limits(reach, pending.meetings));
    }
    let [meetings, participants] = [plan.used.meeting_list, plan.used.participant_list].map(thousands);
    let used = format!("{} (meetings {meetings}, participants {participants})", counted(plan.used.total(), "call"));
    page.field("This plan", &format!("{used}, {}", duration_text(plan.elapsed_s)));
    page.text()
}

fn calls_table(plan: &Plan, page: &mut TextPage) {
    let language = page.language();
    let row = |name: &str, calls: CallEstimate| {
        let number = about(calls.is_estimate, thousands(calls.calls));
        vec![name.to_owned(), language.say(&number).into_owned(), language.say(&time_text(calls)).into_owned()]
    };
    let time = format!("time at {} per minute", thousands(plan.pending.calls_per_minute));
    let mut rows = vec![["endpoint", "calls", &time].map(|text| language.say(text).into_owned()).to_vec()];
    rows.extend(plan.pending.by_endpoint().map(|(name, calls)| row(name, calls)));
    rows.push(row(&language.say("total"), plan.pending.total));
    page.table(&[Align::Left, Align::Right, Align::Right], &rows);
}

fn limits(reach: &PlannedReach, meetings: u64) -> String {
    if reach.is_whole {
        return "everything".to_owned();
    }
    let back_to = reach.back_to.as_ref().map(|date| format!("complete back to {date}"));
    let back_to = back_to.unwrap_or_else(|| "the newest day would be incomplete".to_owned());
    let (of, calls) = (counted(meetings, "meeting"), counted(reach.calls, "call"));
    format!("{} of {of} with {calls}, newest first; {back_to}", thousands(reach.meetings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::console::sample_price;
    use crate::commands::Calls;
    use crate::commands::estimate::LaterEstimate;
    use crate::text::WIDTH;

    fn plan() -> Plan {
        let later = LaterEstimate {
            fresh_meetings: 1,
            fresh_until_utc: Some("2026-11-23T02:00:00Z".to_owned()),
            settling_meetings: 4,
            settling_participants: 31,
            settled_utc: Some("2026-11-24T01:30:00Z".to_owned()),
            waiting: 2,
        };
        Plan {
            run_id: "r1".to_owned(),
            outcome: "complete",
            exit_code: 0,
            is_whole: true,
            since_utc: "2026-11-21T00:00:00Z".to_owned(),
            until_utc: "2026-11-23T00:00:00Z".to_owned(),
            refetch: false,
            meetings: 312,
            participants: 2_877,
            pending: crate::commands::CostEstimate { later, ..sample_price() },
            finish_utc: "2026-11-23T01:49:33Z".to_owned(),
            finish_local: "2026-11-23T09:49:33+08:00".to_owned(),
            dates: vec!["2026-11-21".to_owned(), "2026-11-22".to_owned()],
            reach: Some(PlannedReach {
                max_calls: Some(900),
                finish_by_utc: None,
                is_whole: false,
                meetings: 58,
                calls: 894,
                back_to: Some("2026-11-22".to_owned()),
            }),
            also: std::collections::BTreeMap::new(),
            used: Calls { meeting_list: 4, participant_list: 300, participant_quality_list: 0, ..Calls::default() },
            elapsed_s: 182.0,
            store: "./vcq-store".to_owned(),
        }
    }

    #[test]
    fn a_plan_says_what_is_estimated() {
        insta::assert_snapshot!(text(&plan(), true, Language::English), @r"
        Window          2026-11-21T00:00:00Z to 2026-11-23T00:00:00Z
        Meetings        312, 131 of them to fetch
        Participants    2,877 known, about 1,204 to fetch
                        estimated for 3 meetings whose participants are not listed yet

        endpoint                        calls  time at 100 per minute
        meeting_list                        2                     2 s
        participant_list             about 13                     8 s
        participant_quality_list  about 1,935                  19 min
        total                     about 1,950                  19 min

        Finish time     2026-11-23T09:49:33+08:00, if started now
        Publishes       2 dates from 2026-11-21 to 2026-11-22
        Later           1 meeting ended less than ten minutes ago and can be fetched
                        from 2026-11-23T02:00:00Z
        Later           31 participants of 4 meetings may be fetched again until their
                        data is stable, at the latest 2026-11-24T01:30:00Z
        Later           2 participants and lists were requested recently and are not due
                        yet
        Within limits   58 of 131 meetings with 894 calls, newest first; complete back
                        to 2026-11-22
        This plan       304 calls (meetings 4, participants 300), 3 min 2 s
        ");
    }

    #[test]
    fn a_stopped_plan_says_so_first_and_fits_the_screen() {
        let cut = Plan { is_whole: false, reach: None, dates: Vec::new(), ..plan() };
        assert!(
            text(&cut, true, Language::English).starts_with("Incomplete      the plan was stopped early"),
            "{}",
            text(&cut, true, Language::English)
        );
        assert!(text(&cut, true, Language::English).contains("Publishes       none\n"));
        assert!(text(&cut, true, Language::English).lines().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn a_plan_without_a_possible_sync_has_no_finish_time() {
        assert!(text(&plan(), true, Language::English).contains("if started now"));
        assert!(!text(&plan(), false, Language::English).contains("started now"));
    }

    #[test]
    fn limits_that_allow_everything_say_so() {
        let reach = PlannedReach { is_whole: true, ..plan().reach.expect("bounds") };
        assert_eq!(limits(&reach, 131), "everything");
        let none = PlannedReach { is_whole: false, back_to: None, ..reach };
        assert!(limits(&none, 131).ends_with("the newest day would be incomplete"));
    }
}
