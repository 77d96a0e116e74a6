//! The flags of this command that the next one takes over.

use std::path::Path;

use super::window::WindowArgs;
use crate::config::{Config, Origin};
pub(super) use crate::report::next::{Carried, command};

impl Carried {
    pub(super) fn new(window: &WindowArgs, config: &Config) -> Carried {
        let flags = [("--since", &window.since), ("--until", &window.until)];
        let window = flags.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value.clone()?]));
        Carried {
            window: window.flatten().collect(),
            profile: (*config.origin("profile") == Origin::Flag).then(|| config.profile.clone()),
            store: (*config.origin("store") == Origin::Flag).then(|| config.store.display().to_string()),
        }
    }

    /// For a command about another store than the one that a command without flags would read.
    pub(super) fn of_store(store: &Path, config: &Config) -> Carried {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let shown = match real(&config.store) == real(store) {
            true => (*config.origin("store") == Origin::Flag).then(|| config.store.display().to_string()),
            false => Some(store.display().to_string()),
        };
        Carried { store: shown, ..Carried::default() }
    }
}
