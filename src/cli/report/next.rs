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
            store: flag(config),
        }
    }

    /// For a command about another store than the one that a command without flags would read.
    pub(super) fn of_store(store: &Path, config: &Config) -> Carried {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let shown = match real(&config.store) == real(store) {
            true => flag(config),
            false => Some(["--store".to_owned(), store.display().to_string()]),
        };
        Carried { store: shown, ..Carried::default() }
    }
}

/// The flag that chose the store of this command.
fn flag(config: &Config) -> Option<[String; 2]> {
    let is_flag = |key| *config.origin(key) == Origin::Flag;
    match config.origin("store") {
        Origin::Flag => Some(["--store".to_owned(), config.store.display().to_string()]),
        Origin::Tenant(_, name) if is_flag("tenant") => Some(["--tenant".to_owned(), name.clone()]),
        _ => None,
    }
}
