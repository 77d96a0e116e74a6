//! `vcq-etl plan`: what a sync would ask, in calls and minutes.

use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::aligned::{Page, Side, date_range};
use super::sync::{self, SummaryForm, WindowArgs};
use super::{Context, Entry, Example, Run, now_us, runtime, window};
use crate::cli::console::{Form, Progress, about, counted, length, thousands, time_text};
use crate::commands::{self, Plan, PlannedReach, PricedCalls, SyncSetup};
use crate::config::Group;
use crate::error::{ExitCode, Failure, StopReason};
use crate::event::Listener;

#[derive(Debug, Clone, Args)]
struct PlanArgs {
    #[command(flatten)]
    window: WindowArgs,

    /// Also say how far a sync with this budget of calls would get; the plan itself is not bounded.
    #[arg(long, value_name = "N")]
    max_calls: Option<u64>,

    /// Also say how far a sync that stops at this time on the tenant's clock would get.
    #[arg(long, value_name = "HH:MM")]
    finish_by: Option<String>,

    /// Print the plan as one JSON object.
    #[arg(long)]
    json: bool,

    /// Taken so that sync's command line can be planned by changing one word.
    #[arg(long, value_enum, value_name = "FORM", hide = true)]
    summary: Option<SummaryForm>,
}

const EXAMPLES: &[Example] = &[
    ("vcq-etl plan --since 2d", "calls and minutes of a sync"),
    ("vcq-etl plan --since 30d --finish-by 06:30", "how far it would get"),
    ("vcq-etl plan --since 2d --json | jq .pending.total.calls", ""),
];

pub(super) const ENTRY: Entry = Entry { shown: &Group::ALL, command, examples: EXAMPLES, run: Run::Configured(run) };

fn command() -> Command {
    PlanArgs::augment_args(Command::new("plan"))
        .about("Ask only the lists, and say what a sync of the window would take")
        .long_about(
            "Ask the meeting list, and the participants of meetings that nobody has a list of yet, and say what a sync of \
             the window would ask: calls, minutes at the quota, when it would be done, which dates it would publish. What \
             the plan is told is kept, so the sync does not ask for it again. It works while a sync runs.",
        )
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args = PlanArgs::from_arg_matches(matches).expect("clap has checked these matches against the same arguments");
    let now_us = now_us();
    let zone = &context.config.timezone;
    let asked = args.window.window(zone, now_us)?;
    let finish_by_us = args.finish_by.as_deref().map(|text| window::finish_by(text, zone, now_us)).transpose()?;
    let progress = Arc::new(Progress::start(
        &context.console,
        Form::suitable(&context.console, context.terminal.as_deref()),
        context.config.calls_per_minute,
    ));
    let events: Arc<dyn Listener> = Arc::clone(&progress) as Arc<dyn Listener>;
    let setup = SyncSetup {
        meeting_nos: args.window.meeting_no.clone(),
        refetch: args.window.refetch,
        max_calls: args.max_calls,
        finish_by_us,
        ..sync::setup(context, &context.config, (asked.since_us, asked.until_us), events)?
    };
    let planned = runtime()?.block_on(async {
        sync::interrupt_on_signals(&setup, context);
        commands::plan(setup).await
    });
    progress.finish();
    let planned = planned?;
    let text = match args.json || args.summary == Some(SummaryForm::Json) {
        // Numbers, texts and lists of them always have a JSON form.
        true => serde_json::to_string(&planned.plan).expect("a plan is plain values") + "\n",
        false => text(&planned.plan, planned.stop.as_ref().and_then(|stop| StopReason::of(stop, 0).next).is_none()),
    };
    context.output.print(&text)?;
    if let Some(stop) = &planned.stop {
        context.console.failure(&Failure::of_stop(stop, planned.exit));
    }
    Ok(planned.exit)
}

/// The plan for people. `is_open`: a sync could begin now; else it would be stopped as the plan was.
fn text(plan: &Plan, is_open: bool) -> String {
    let pending = &plan.pending;
    let mut page = Page::default();
    if !plan.is_whole {
        page.fact("Incomplete", "the plan did not come to its end; this is what is known so far");
    }
    page.fact("Window", &format!("{} to {}", plan.since_utc, plan.until_utc));
    page.fact(
        "Meetings",
        &format!("{}; {} with something to ask", thousands(plan.meetings), thousands(pending.meetings)),
    );
    let to_ask = about(pending.unlisted > 0, thousands(pending.participants));
    page.fact("Participants", &format!("{} known; {to_ask} to ask for", thousands(plan.participants)));
    if pending.unlisted > 0 {
        let meetings = counted(pending.unlisted, "meeting");
        page.fact("", &format!("nobody has a list of {meetings} yet: their participants are guessed"));
    }
    page.line("");
    table(plan, &mut page);
    page.line("");
    if is_open {
        page.fact("Done", &format!("{}, if a sync began now", plan.finish_local));
    }
    page.fact("Republished", &date_range(&plan.dates));
    for text in later(plan) {
        page.fact("Later", &text);
    }
    if let Some(reach) = &plan.reach {
        page.fact("Within bounds", &bounds(reach, pending.meetings));
    }
    let used = &plan.used;
    page.fact(
        "This plan",
        &format!(
            "{} (meetings {}, participants {}), {}",
            counted(used.total(), "call"),
            thousands(used.meeting_list),
            thousands(used.participant_list),
            length(Duration::from_secs_f64(plan.elapsed_s.max(0.0)))
        ),
    );
    page.text()
}

fn table(plan: &Plan, page: &mut Page) {
    let row = |name: &str, calls: PricedCalls| {
        vec![name.to_owned(), about(calls.is_estimate, thousands(calls.calls)), time_text(calls)]
    };
    let heading =
        ["calls still to make", "calls", &format!("time at {} a minute", thousands(plan.pending.calls_per_minute))];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(plan.pending.by_list().map(|(name, calls)| row(name, calls)));
    rows.push(row("together", plan.pending.total));
    page.table(&[Side::Left, Side::Right, Side::Right], &rows);
}

fn later(plan: &Plan) -> Vec<String> {
    let later = &plan.pending.later;
    let mut texts = Vec::new();
    if let (Some(until), 1..) = (&later.fresh_until_utc, later.fresh_meetings) {
        let meetings = counted(later.fresh_meetings, "meeting");
        texts.push(format!("{meetings} ended less than ten minutes ago; to be asked from {until} on"));
    }
    if let (Some(settled), 1..) = (&later.settled_utc, later.settling_meetings) {
        texts.push(format!(
            "{} of {} ended so recently that they may be asked again, until {settled} at the latest",
            counted(later.settling_participants, "participant"),
            counted(later.settling_meetings, "meeting"),
        ));
    }
    texts
}

fn bounds(reach: &PlannedReach, meetings: u64) -> String {
    if reach.is_whole {
        return "everything fits".to_owned();
    }
    let back_to = match &reach.back_to {
        Some(date) => format!("complete back to {date}"),
        None => "the newest day is not finished".to_owned(),
    };
    format!(
        "{} of {} with {}, newest first: {back_to}",
        thousands(reach.meetings),
        counted(meetings, "meeting"),
        counted(reach.calls, "call"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::aligned::WIDTH;
    use super::*;
    use crate::cli::console::sample_price;
    use crate::commands::Calls;
    use crate::commands::price::PricedLater;

    fn plan() -> Plan {
        let later = PricedLater {
            fresh_meetings: 1,
            fresh_until_utc: Some("2026-11-23T02:00:00Z".to_owned()),
            settling_meetings: 4,
            settling_participants: 31,
            settled_utc: Some("2026-11-24T01:30:00Z".to_owned()),
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
            pending: crate::commands::Price { later, ..sample_price() },
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
            used: Calls { meeting_list: 4, participant_list: 300, participant_quality_list: 0 },
            elapsed_s: 182.0,
            store: "./vcq-store".to_owned(),
        }
    }

    #[test]
    fn a_plan_is_a_table_that_says_what_is_guessed() {
        insta::assert_snapshot!(text(&plan(), true), @r"
        Window          2026-11-21T00:00:00Z to 2026-11-23T00:00:00Z
        Meetings        312; 131 with something to ask
        Participants    2,877 known; about 1,204 to ask for
                        nobody has a list of 3 meetings yet: their participants are
                        guessed

        calls still to make             calls  time at 100 a minute
        meeting_list                        2                   2 s
        participant_list             about 13                   8 s
        participant_quality_list  about 1,935                19 min
        together                  about 1,950                19 min

        Done            2026-11-23T09:49:33+08:00, if a sync began now
        Republished     2 dates from 2026-11-21 to 2026-11-22
        Later           1 meeting ended less than ten minutes ago; to be asked from
                        2026-11-23T02:00:00Z on
        Later           31 participants of 4 meetings ended so recently that they may be
                        asked again, until 2026-11-24T01:30:00Z at the latest
        Within bounds   58 of 131 meetings with 894 calls, newest first: complete back
                        to 2026-11-22
        This plan       304 calls (meetings 4, participants 300), 3 min 2 s
        ");
    }

    #[test]
    fn a_plan_that_was_cut_short_says_so_first_and_nothing_is_wider_than_the_screen() {
        let cut = Plan { is_whole: false, reach: None, dates: Vec::new(), ..plan() };
        assert!(
            text(&cut, true).starts_with("Incomplete      the plan did not come to its end"),
            "{}",
            text(&cut, true)
        );
        assert!(text(&cut, true).contains("Republished     nothing\n"));
        assert!(text(&cut, true).lines().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn a_plan_that_a_sync_could_not_follow_promises_no_end() {
        assert!(text(&plan(), true).contains("if a sync began now"));
        assert!(!text(&plan(), false).contains("began now"));
    }

    #[test]
    fn bounds_that_hold_everything_say_so() {
        let reach = PlannedReach { is_whole: true, ..plan().reach.expect("bounds") };
        assert_eq!(bounds(&reach, 131), "everything fits");
        let none = PlannedReach { is_whole: false, back_to: None, ..reach };
        assert!(bounds(&none, 131).ends_with("the newest day is not finished"));
    }
}
