//! The modes of files and directories.

use super::context::{Result, VerifyContext};
use super::findings::Findings;
use super::registry::MODES;
use crate::load::StorePaths;

pub(super) fn check(paths: &StorePaths, context: &VerifyContext<'_>, findings: &mut Findings) -> Result {
    let modes = paths.modes(context.access)?;
    findings.examined(&MODES, modes.examined);
    for wrong in &modes.wrong {
        let [expected, found] = [wrong.expected, wrong.found].map(|mode| format!("mode {mode:04o}"));
        findings.found(&MODES, paths.shown(&wrong.path), expected, found);
    }
    if let Some(link) = modes.links.first() {
        findings.skip(&MODES, format!("symbolic links are not followed: {}", paths.shown(link)));
    }
    Ok(())
}
