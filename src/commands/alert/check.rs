//! Checks every rule against the published database, and delivers what is new and what is pending.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use duckdb::Connection;

use super::deliver::{Delivered, Outcome, deliver_pending};
use super::prepare::prepare;
use super::setup::AlertSetup;
use crate::alerts::{Match, Message, MessageContext, NewRow, PreparedRule, compose, evaluate};
use crate::commands::error::SyncError;
use crate::commands::incidents::{find_report_incidents, forget_session_incidents};
use crate::commands::tokens::Tokens;
use crate::error::{ExitCode, Failure};
use crate::ledger::{AlertRow, Ledger, NewAlertRow, NewMessage};
use crate::load::{LoadError, StorePaths, open_published_with};
use crate::report::with_stored_person;

/// The part of the time limit that is kept for deliveries, at least.
const FOR_DELIVERY: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct RuleResult {
    pub rule: String,
    pub report: String,
    pub to: Vec<String>,
    /// Rows that match, and those of them that are not within their quiet time.
    pub matched: usize,
    pub new: usize,
    /// What was composed for the new rows.
    pub message: Option<Message>,
}

#[derive(Debug, Default)]
pub(crate) struct AlertCheck {
    pub rules: Vec<RuleResult>,
    pub delivered: Vec<Delivered>,
    /// Rules that could not be checked.
    pub problems: Vec<Arc<Failure>>,
    /// Messages that became too old to be sent.
    pub given_up: u64,
}

impl AlertCheck {
    pub(crate) fn matched(&self) -> bool {
        self.rules.iter().any(|rule| rule.matched > 0)
    }

    /// By channel and rule, the number of messages for which no attempt was made.
    fn waiting(&self) -> BTreeMap<&str, BTreeMap<&str, usize>> {
        let mut waiting: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for Delivered { rule, channel, .. } in self.delivered.iter().filter(|one| one.outcome == Outcome::Waiting) {
            *waiting.entry(channel).or_default().entry(rule).or_default() += 1;
        }
        waiting
    }

    /// Notes of a sync.
    pub(crate) fn notes(&self) -> Vec<String> {
        let problems = self.problems.iter().map(|failure| {
            let hint = failure.hints.first().map(|hint| format!("; {hint}")).unwrap_or_default();
            format!("alerts: {}{hint}", failure.chain())
        });
        let delivered = self.delivered.iter().filter_map(|delivered| {
            let Delivered { rule, channel, outcome } = delivered;
            Some(match outcome {
                Outcome::Sent => format!("alerts: rule {rule} sent a message to {channel}"),
                Outcome::Failed { why, hint: "" } => {
                    format!("alerts: rule {rule}, channel {channel}: {why}; the next run tries again")
                }
                Outcome::Failed { why, hint } => {
                    format!("alerts: rule {rule}, channel {channel}: {why}; the next run tries again ({hint})")
                }
                Outcome::Waiting => return None,
            })
        });
        // A channel that is down for days has many of them.
        let waiting = self.waiting().into_iter().map(|(channel, rules)| {
            let all: usize = rules.values().sum();
            let rules: Vec<String> = rules.iter().map(|(rule, count)| format!("{rule} ({count})")).collect();
            let messages = crate::text::counted(all as u64, "more message");
            format!("alerts: channel {channel}: {messages} not sent yet, of the rules {}", rules.join(", "))
        });
        let given_up = (self.given_up > 0).then(|| {
            format!("alerts: gave up {} not delivered within 7 days", crate::text::counted(self.given_up, "message"))
        });
        problems.chain(delivered).chain(waiting).chain(given_up).collect()
    }
}

/// Checks and delivers within the limit of the setup. `dry_run` records and sends nothing.
pub(crate) async fn check(setup: AlertSetup, dry_run: bool) -> Result<AlertCheck, SyncError> {
    let deadline = Instant::now() + setup.limit;
    let paths = StorePaths::existing(&setup.store)?;
    let (rules, problems) = prepare(&setup);
    let (found, problems) = find(&setup, &paths, rules, problems).await?;
    if dry_run {
        let ledger = paths.ledger().exists().then(|| Ledger::open_read_only(&paths.ledger())).transpose()?;
        let rules = found.into_iter().map(|found| found.look(&setup, ledger.as_ref()));
        return Ok(AlertCheck { rules: rules.collect::<Result<_, _>>()?, problems, ..AlertCheck::default() });
    }
    let ledger = Ledger::open(&paths.ledger())?;
    let given_up = ledger.give_up_old_messages((setup.now_us)())?;
    let rules = found.into_iter().map(|found| found.announce(&setup, &ledger)).collect::<Result<_, _>>()?;
    let delivered = deliver_pending(&setup, &ledger, deadline).await?;
    Ok(AlertCheck { rules, delivered, problems, given_up })
}

/// A rule with the rows that match it.
struct Found {
    prepared: PreparedRule,
    rows: Vec<Match>,
}

/// Runs the reports, in a thread of its own. A report that takes too long is stopped.
async fn find(
    setup: &AlertSetup,
    paths: &StorePaths,
    rules: Vec<PreparedRule>,
    mut problems: Vec<Arc<Failure>>,
) -> Result<(Vec<Found>, Vec<Arc<Failure>>), SyncError> {
    if rules.is_empty() {
        return Ok((Vec::new(), problems));
    }
    let connection = match open_published_with(paths, setup.database) {
        // What is pending can be sent all the same.
        Err(error @ (LoadError::NoDatabase { .. } | LoadError::DatabaseOff { .. })) => {
            problems.push(Arc::new(Failure::from(error)));
            return Ok((Vec::new(), problems));
        }
        opened => opened?,
    };
    let interrupt = connection.interrupt_handle();
    let limit = setup.limit.saturating_sub(FOR_DELIVERY);
    let is_over = Arc::new(AtomicBool::new(false));
    let is_late = Arc::clone(&is_over);
    let paths = paths.clone();
    let mut running = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        for mut prepared in rules {
            let rows = (!is_late.load(Ordering::Relaxed)).then(|| rows_of(&connection, &paths, &mut prepared));
            let is_late = is_late.load(Ordering::Relaxed);
            match rows {
                Some(Ok(rows)) => found.push(Found { prepared, rows }),
                Some(Err(failure)) if !is_late => problems.push(Arc::new(failure)),
                _ => problems.push(Arc::new(too_slow(&prepared, limit))),
            }
        }
        (found, problems)
    });
    let ended = tokio::select! {
        ended = &mut running => ended,
        () = tokio::time::sleep(limit) => {
            is_over.store(true, Ordering::Relaxed);
            interrupt.interrupt();
            running.await
        }
    };
    ended.map_err(|_| SyncError::Panicked)
}

/// The rows that match a rule, with the incidents of its profile.
fn rows_of(connection: &Connection, paths: &StorePaths, prepared: &mut PreparedRule) -> Result<Vec<Match>, Failure> {
    let name = prepared.rule.name.clone();
    let named = |failure: Failure| Failure { message: format!("rule {name}: {}", failure.message), ..failure };
    let tokens_of = |typed: &str| Tokens::read(paths).of_typed(typed);
    let arguments = std::mem::take(&mut prepared.arguments);
    let found = with_stored_person(connection, &prepared.report, arguments, &tokens_of);
    prepared.arguments = found.map_err(|error| named(error.into()))?.0;
    let found = find_report_incidents(connection, paths, &prepared.report, &prepared.arguments);
    let rows = found.map_err(|error| named(error.into())).and_then(|()| Ok(evaluate(connection, prepared)?));
    forget_session_incidents(connection).map_err(|error| {
        named(Failure::new(ExitCode::Unexpected, "could not remove the incidents of its profile").cause(&error))
    })?;
    rows
}

/// A rule whose report was stopped, or not begun in time.
fn too_slow(prepared: &PreparedRule, limit: Duration) -> Failure {
    let message = format!("rule {}: its report did not finish within {} s", prepared.rule.name, limit.as_secs());
    Failure::new(ExitCode::Incomplete, message).hint("give the rule a shorter window (since), or raise --threads")
}

impl Found {
    fn result(&self, new: usize, message: Option<Message>) -> RuleResult {
        let rule = &self.prepared.rule;
        RuleResult {
            rule: rule.name.clone(),
            report: rule.report.clone(),
            to: rule.to.clone(),
            matched: self.rows.len(),
            new,
            message,
        }
    }

    fn keys(&self) -> Vec<AlertRow> {
        let key = |row: &Match| {
            let (start, end) = row.span.clone();
            AlertRow { key: row.key.clone(), start, end, rank: row.rank }
        };
        self.rows.iter().map(key).collect()
    }

    /// Now, and the quiet time, microseconds.
    fn times(&self, setup: &AlertSetup) -> (i64, i64) {
        let quiet_us = i64::try_from(self.prepared.rule.quiet_for.as_micros()).unwrap_or(i64::MAX);
        ((setup.now_us)(), quiet_us)
    }

    fn message(&self, setup: &AlertSetup, new: &[NewAlertRow]) -> Message {
        let row = |new: &NewAlertRow| NewRow { row: self.rows[new.at].clone(), grew_from: new.grew_from };
        let rows: Vec<NewRow> = new.iter().map(row).collect();
        compose(&self.prepared, &rows, MessageContext { language: setup.language })
    }

    /// What would be sent.
    fn look(&self, setup: &AlertSetup, ledger: Option<&Ledger>) -> Result<RuleResult, SyncError> {
        let keys = self.keys();
        let new = match ledger {
            Some(ledger) => ledger.not_announced(&self.prepared.rule.name, &keys, self.times(setup))?,
            None => (0..keys.len()).map(|at| NewAlertRow { at, grew_from: None }).collect(),
        };
        let message = (!new.is_empty()).then(|| self.message(setup, &new));
        Ok(self.result(new.len(), message))
    }

    /// Records the new rows and their messages, one for each channel.
    fn announce(&self, setup: &AlertSetup, ledger: &Ledger) -> Result<RuleResult, SyncError> {
        let rule = &self.prepared.rule;
        let mut composed = None;
        let new = ledger.announce(&rule.name, &self.keys(), self.times(setup), |new| {
            let message = self.message(setup, new);
            // Texts and lists, which always serialise.
            let json = serde_json::to_string(&message).expect("plain values");
            let to = rule.to.iter().map(|channel| NewMessage {
                channel: channel.clone(),
                title: message.title.clone(),
                rows: new.len() as u64,
                message: json.clone(),
            });
            let messages = to.collect();
            composed = Some(message);
            messages
        })?;
        Ok(self.result(new.len(), composed))
    }
}
