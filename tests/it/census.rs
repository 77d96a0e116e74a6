//! The report `reconcile` against losses that the simulator plants: it names every one of them, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vcq_simulator::{Loss, LossKind, LossShares, TenantSpec};

use crate::support::clock::{ahead_of_machine_s, move_clock};
use crate::support::test_env::{RunOutput, TestEnv, unlimited};

const KINDS: [LossKind; 3] = [LossKind::Meeting, LossKind::Participant, LossKind::Minutes];

/// What a report made of the planted losses; by kind in the order of [`KINDS`].
#[derive(Debug, Default)]
struct Outcome {
    planted: [usize; 3],
    found: [usize; 3],
    missed: Vec<String>,
    false_alarms: Vec<String>,
}

/// What the rows of the report should say.
#[derive(Debug, Default)]
struct Expected {
    /// Meetings and participants by date.
    days: BTreeMap<String, (i64, i64)>,
    /// Meetings by date and user.
    users: BTreeMap<(String, String), i64>,
    /// Participants and webinar viewers by meeting key.
    meetings: BTreeMap<String, (i64, i64)>,
    /// Minutes by participant key.
    minutes: BTreeMap<String, i64>,
}

fn meeting_key(loss: &Loss) -> String {
    format!("{}-{}", loss.meeting_no, loss.start_time)
}

/// Without the number of a duplicate, whose data is the same.
fn participant_key(loss: &Loss) -> String {
    let id = if loss.user.is_empty() { &loss.room } else { &loss.user };
    format!("{}/{id}/{}", meeting_key(loss), loss.join_time.unwrap_or_default())
}

impl Expected {
    fn of(losses: &[Loss]) -> Expected {
        let mut expected = Expected::default();
        for loss in losses {
            let participants = loss.participants as i64;
            let day = expected.days.entry(loss.day.clone()).or_default();
            day.1 += participants;
            match loss.kind {
                LossKind::Meeting => day.0 += 1,
                LossKind::Participant => {
                    let list = expected.meetings.entry(meeting_key(loss)).or_default();
                    list.0 += participants;
                    list.1 += 1 - participants;
                }
                LossKind::Minutes => {
                    expected.minutes.insert(participant_key(loss), loss.minutes);
                }
            }
            for user in &loss.users {
                *expected.users.entry((loss.day.clone(), user.clone())).or_default() += 1;
            }
        }
        expected.days.retain(|_, short| *short != (0, 0));
        expected
    }

    /// Whether a row of the report says what was planted; the row's place is marked as named.
    fn matches(&self, row: &Value, named: &mut BTreeSet<String>) -> bool {
        let text = |column: &str| row[column].as_str().unwrap_or_default().to_owned();
        let short = |what: &str| {
            let held = row[format!("held_{what}").as_str()].as_i64();
            row[format!("feishu_{what}").as_str()].as_i64().zip(held).map_or(0, |(feishu, held)| feishu - held)
        };
        let (date, key) = (text("date"), text("key"));
        match text("what").as_str() {
            "day" => {
                named.insert(format!("day {date}"));
                self.days.get(&date) == Some(&(short("meetings"), short("participants")))
            }
            "user" => {
                named.insert(format!("user {date} {key}"));
                self.users.get(&(date, key)) == Some(&short("meetings"))
            }
            "meeting" => {
                named.insert(format!("meeting {key}"));
                let counted = |words: &str| {
                    let text = text("short");
                    let part = text.split(", ").find_map(|part| part.strip_prefix(words).map(str::to_owned));
                    part.map_or(0, |count| count.parse().unwrap_or(-1))
                };
                self.meetings.get(&key) == Some(&(counted("participants: "), counted("webinar viewers: ")))
            }
            "participant" => {
                let key = key.split('#').next().unwrap_or_default().to_owned();
                named.insert(format!("participant {key}"));
                let lost = self.minutes.get(&key).copied().unwrap_or(0);
                // A minute is taken for the absence of a participant who was away.
                lost > 0 && (lost - 1..=lost).contains(&short("min"))
            }
            _ => false,
        }
    }
}

/// Compares a report with the losses.
fn compare(losses: &[Loss], report: &Value) -> Outcome {
    let expected = Expected::of(losses);
    let mut named = BTreeSet::new();
    let mut outcome = Outcome::default();
    for row in report.as_array().expect("rows") {
        if !expected.matches(row, &mut named) {
            outcome.false_alarms.push(row.to_string());
        }
    }
    for loss in losses {
        let at = KINDS.iter().position(|kind| *kind == loss.kind).expect("a kind");
        outcome.planted[at] += 1;
        let mut places = match loss.kind {
            LossKind::Meeting => vec![format!("day {}", loss.day)],
            LossKind::Participant => vec![format!("meeting {}", meeting_key(loss))],
            LossKind::Minutes => vec![format!("participant {}", participant_key(loss))],
        };
        places.extend(loss.users.iter().map(|user| format!("user {} {user}", loss.day)));
        match places.iter().find(|place| !named.contains(*place)) {
            None => outcome.found[at] += 1,
            Some(place) => outcome.missed.push(format!("{place}: {loss:?}")),
        }
    }
    outcome
}

/// Syncs a tenant that loses these shares, with Feishu's own counts, at noon of every n-th day and of the second day
/// after the last one; then compares the report with the losses.
fn reconcile(spec: &TenantSpec, losses: LossShares, every_days: u32) -> Outcome {
    let env = TestEnv::with(spec, vcq_simulator::Options { losses, ..unlimited() });
    let last = spec.days + 1;
    let mut since = 0;
    for day in (every_days..last).step_by(every_days as usize).chain([last]) {
        let ahead_s = ahead_of_machine_s(spec.midnight(day) + 12 * 3600);
        env.change(|options| options.clock_ahead_s = ahead_s);
        let from = spec.first_day.checked_add(jiff::Span::new().days(i64::from(since))).expect("a date").to_string();
        let mut sync = env.vcq(&["sync", "--since", &from, "--also", "census,rooms", "--summary", "json"]);
        move_clock(&mut sync, ahead_s);
        RunOutput::new(sync.output().expect("the binary runs")).expect_exit(0);
        // The answers of the last two days are requested again.
        since = day - 2;
    }
    let mut report = env.vcq(&["report", "run", "reconcile", "--since", "all", "--format", "json"]);
    let report = RunOutput::new(report.output().expect("the binary runs")).expect_exit(0).summary();
    compare(&env.simulator().tenant().losses(&losses), &report)
}

#[track_caller]
fn assert_exact(outcome: &Outcome) {
    assert_eq!(outcome.missed, Vec::<String>::new(), "losses that the report does not name");
    assert_eq!(outcome.false_alarms, Vec::<String>::new(), "rows that no loss explains");
    assert_eq!(outcome.found, outcome.planted);
}

fn two_weeks(seed: u64) -> TenantSpec {
    TenantSpec { seed, days: 14, people: 20, meetings_per_day: 8, ..TenantSpec::default() }
}

#[test]
fn reconcile_names_every_planted_loss_and_nothing_else() {
    for seed in [7, 11] {
        let outcome =
            reconcile(&two_weeks(seed), "meetings=20%,participants=8%,minutes=6%".parse().expect("shares"), 8);
        assert!(outcome.planted.iter().all(|planted| *planted > 2), "{:?}", outcome.planted);
        assert_exact(&outcome);
    }
}

#[test]
fn reconcile_names_nothing_where_nothing_is_lost() {
    let outcome = reconcile(&two_weeks(7), LossShares::default(), 8);
    assert_eq!(outcome.planted, [0; 3]);
    assert_exact(&outcome);
}

/// Compares the report with a loss of 0.1 % of everything and with none, and prints a table.
#[expect(clippy::print_stdout, reason = "the table is what this test is run for")]
fn reconcile_ninety_days(tenants: impl Iterator<Item = TenantSpec>) {
    let share: LossShares = "0.1%".parse().expect("a share");
    let mut failed = false;
    println!("| seed | meetings a day | lost of each | meetings | participants | minutes | false alarms |");
    println!("|---|---|---|---|---|---|---|");
    for spec in tenants {
        for losses in [share, LossShares::default()] {
            let outcome = reconcile(&spec, losses, 15);
            let [meetings, participants, minutes] =
                [0, 1, 2].map(|at| format!("{} of {}", outcome.found[at], outcome.planted[at]));
            println!(
                "| {} | {} | {} % | {meetings} | {participants} | {minutes} | {} |",
                spec.seed,
                spec.meetings_per_day,
                losses.meetings * 100.0,
                outcome.false_alarms.len()
            );
            for line in outcome.missed.iter().chain(&outcome.false_alarms) {
                println!("{line}");
            }
            failed |= !outcome.missed.is_empty() || !outcome.false_alarms.is_empty();
        }
    }
    assert!(!failed, "see the lines above");
}

fn ninety_days(seed: u64) -> TenantSpec {
    TenantSpec { seed, days: 90, people: 20, meetings_per_day: 6, ..TenantSpec::default() }
}

#[test]
#[ignore = "many minutes: make test-census"]
fn ninety_days_of_small_tenants_are_reconciled_exactly() {
    reconcile_ninety_days((1..=10).map(ninety_days));
}

#[test]
#[ignore = "many minutes: make test-census"]
fn ninety_days_of_a_large_tenant_are_reconciled_exactly() {
    reconcile_ninety_days([TenantSpec { people: 120, meetings_per_day: 40, ..ninety_days(11) }].into_iter());
}
