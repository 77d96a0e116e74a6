//! Checks the rules against the reports and channels that they name.

use std::sync::Arc;

use super::setup::AlertSetup;
use crate::alerts::PreparedRule;
use crate::error::Failure;

/// The rules that can be used, and why the others cannot.
pub(crate) fn prepare(setup: &AlertSetup) -> (Vec<PreparedRule>, Vec<Arc<Failure>>) {
    let mut problems = setup.problems.clone();
    let mut prepared = Vec::new();
    let now_us = (setup.now_us)();
    for rule in &setup.rules {
        let ready = (setup.parameters)(rule, now_us).and_then(|parameters| {
            let reports_dir = setup.reports_dir.as_deref();
            PreparedRule::new(rule.clone(), parameters, reports_dir, &setup.channel_names).map_err(Failure::from)
        });
        match ready {
            Ok(rule) => prepared.push(PreparedRule { store_flag: setup.store_flag.clone(), ..rule }),
            Err(failure) => problems.push(Arc::new(failure)),
        }
    }
    (prepared, problems)
}
