//! Runs a command for every tenant, a few at a time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::args::{TenantsArgs, child_args};
use super::child::{ChildEnd, Running};
use crate::cli::command::Context;
use crate::cli::failed_summary::failure_text;
use crate::cli::output::json_line;
use crate::cli::runtime::on_signals;
use crate::commands::FailureText;
use crate::error::{ExitCode, Failure};
use crate::text::{counted, duration_text, in_json};

/// What the processes have in common.
pub(in crate::cli) struct Each<'a> {
    pub args: &'a TenantsArgs,
    /// Flags of every process, for a result that can be read.
    pub flags: &'a [&'a str],
    /// The object of a tenant without a result, such as [`lost`].
    pub lost: fn(ExitCode, FailureText) -> Value,
}

/// The result of a tenant.
pub(in crate::cli) struct Ended {
    pub tenant: String,
    pub exit: ExitCode,
    /// What its process printed.
    pub stdout: String,
    /// Why there is no result, or the error of the process.
    pub error: Option<FailureText>,
    /// The object that its process printed, else that of its failure, with its name in front.
    pub object: Map<String, Value>,
    /// Its place in the order of the names.
    pub(super) place: usize,
    elapsed: Duration,
}

impl Ended {
    /// Its line of JSON.
    pub(in crate::cli) fn line(&self) -> String {
        in_json(&json_line(&self.object))
    }
}

impl Each<'_> {
    /// Runs all processes, calls `on_end` as each ends, and returns the worst exit code. Signals are passed on.
    pub(in crate::cli) fn run(
        &self,
        context: &Context,
        mut on_end: impl FnMut(Ended) -> Result<(), Failure>,
    ) -> Result<ExitCode, Failure> {
        let names = self.args.names(&context.config)?;
        let program = std::env::current_exe()
            .map_err(|error| Failure::new(ExitCode::Unexpected, "the path of this program is unknown").cause(&error))?;
        let running = Arc::new(Running::default());
        let signalled = Arc::clone(&running);
        on_signals(move |signal| signalled.signal(signal));
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        let (mut counts, began) = (BTreeMap::<u8, (ExitCode, u64)>::new(), Instant::now());
        let mut printed = Ok(());
        std::thread::scope(|scope| {
            for _ in 0..self.args.jobs().min(names.len()) {
                let (sender, names, next, running, program) = (sender.clone(), &names, &next, &running, &program);
                scope.spawn(move || {
                    while let Some((at, name)) = names.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
                        let args = child_args(&context.args, name, self.flags);
                        let started = Instant::now();
                        let on_line = |line: &str| context.console.line_of(name, line);
                        let end = running.run(program, &args, name, on_line);
                        // Fails only if nobody reads the results any more.
                        let _ = sender.send((at, end, started.elapsed()));
                    }
                });
            }
            drop(sender);
            for (at, end, elapsed) in receiver {
                let ended = self.ended(&names[at], at, end, elapsed, context);
                counts.entry(ended.exit.number()).or_insert((ended.exit, 0)).1 += 1;
                let done: u64 = counts.values().map(|(_, count)| count).sum();
                let took = duration_text(ended.elapsed.as_secs_f64());
                context.console.info(&format!(
                    "tenant {} ({done} of {}): {} after {took}",
                    ended.tenant,
                    names.len(),
                    ended.exit.name()
                ));
                if printed.is_ok() {
                    printed = on_end(ended);
                }
            }
        });
        printed?;
        let outcomes = counts.values().map(|(exit, count)| format!("{} {count}", exit.name()));
        let outcomes = outcomes.collect::<Vec<_>>().join(", ");
        let tenants = counted(names.len() as u64, "tenant");
        context.console.info(&format!("{tenants} in {}: {outcomes}", duration_text(began.elapsed().as_secs_f64())));
        Ok(ExitCode::worst(counts.values().map(|(exit, _)| *exit)))
    }

    fn ended(&self, tenant: &str, at: usize, end: ChildEnd, elapsed: Duration, context: &Context) -> Ended {
        let ChildEnd { exit, stdout, error, failure } = end;
        if let Some(failure) = &failure {
            context.console.failure(failure);
        }
        let mut object = Map::from_iter([("tenant".to_owned(), Value::from(tenant))]);
        let result = stdout.lines().rev().find_map(|line| serde_json::from_str::<Map<String, Value>>(line).ok());
        let result = result.filter(|_| failure.is_none());
        let has_result = result.is_some();
        let error = match (failure, error) {
            (Some(failure), _) => Some(failure_text(&failure, context.console.redactor())),
            (None, Some(message)) => Some(FailureText { message, hint: None }),
            (None, None) if !has_result && exit != ExitCode::Complete => {
                let message = format!("its process ended with exit code {} and printed nothing", exit.number());
                Some(FailureText { message, hint: None })
            }
            (None, None) => None,
        };
        match (result, &error) {
            (Some(result), _) => object.extend(result),
            (None, Some(text)) => {
                if let Value::Object(lost) = (self.lost)(exit, text.clone()) {
                    object.extend(lost);
                }
            }
            (None, None) => {}
        }
        Ended { tenant: tenant.to_owned(), exit, stdout, error, object, place: at, elapsed }
    }
}

/// The object of a tenant without a result.
pub(in crate::cli) fn lost(exit: ExitCode, error: FailureText) -> Value {
    serde_json::json!({ "outcome": exit.name(), "exit_code": exit.number(), "error": error })
}
