//! How the store identifies people, and whether the identity key is there and private. Read-only.

use std::os::unix::fs::MetadataExt;

use super::check::Check;
use crate::commands::identity::{IDENTITY, KEY_ID, TOPICS};
use crate::error::ExitCode;
use crate::error::causes::with_causes;
use crate::ledger::{Ledger, LedgerError};
use crate::load::StorePaths;
use crate::personal_data::{Identity, Topics, read_key};
use crate::text::shell_word;

/// The check's name in the table of checks.
const NAME: &str = "identity";
const RESTORE: &str = "restore state/identity.key from a backup, or set identity = \"none\" and run vcq-etl rebuild";

/// What the ledger records.
struct Recorded {
    identity: Identity,
    topics: Topics,
    /// Of the identity key.
    key_id: Option<String>,
    has_replaced: bool,
}

pub(super) fn check(paths: Option<&StorePaths>) -> Check {
    let Some(paths) = paths else { return Check::ok(NAME, "there is no store yet") };
    if !paths.ledger().exists() {
        return Check::ok(NAME, "the store has no ledger yet");
    }
    match Ledger::open_read_only(&paths.ledger()).and_then(|ledger| recorded(&ledger)) {
        Ok(recorded) => judged(paths, &recorded),
        // What is wrong with it is the finding of another check.
        Err(_) => Check::ok(NAME, "not known, because the ledger cannot be read"),
    }
}

fn recorded(ledger: &Ledger) -> Result<Recorded, LedgerError> {
    Ok(Recorded {
        identity: ledger.setting(IDENTITY)?.and_then(|text| Identity::parse(&text)).unwrap_or_default(),
        topics: ledger.setting(TOPICS)?.and_then(|text| Topics::parse(&text)).unwrap_or_default(),
        key_id: ledger.setting(KEY_ID)?,
        has_replaced: !ledger.expired_dates()?.is_empty() || !ledger.forgotten()?.is_empty(),
    })
}

fn judged(paths: &StorePaths, recorded: &Recorded) -> Check {
    let kept = match recorded.identity {
        Identity::Full if recorded.has_replaced => {
            "identities are kept, except those of dates or people that were replaced"
        }
        Identity::Full => "names, IDs and addresses are kept as Feishu sends them",
        Identity::Pseudonym => "names and IDs are kept as tokens",
        Identity::None => "IDs are kept as tokens, and names are not kept",
    };
    let topics = if recorded.topics == Topics::Drop { "; topics are not kept" } else { "" };
    let found = format!("{kept}{topics}; {}", readers(paths));
    let needs_key = recorded.identity == Identity::Pseudonym || recorded.has_replaced;
    let path = paths.identity_key();
    let failed = |what: String| Check::failed(NAME, ExitCode::Storage, what).next(RESTORE);
    match (read_key(&path), &recorded.key_id) {
        (Ok(None), Some(_)) if needs_key => failed(format!("the identity key is missing: {}", path.display())),
        (Ok(Some(key)), Some(id)) if needs_key && key.id() != *id => {
            failed(format!("{} is not the identity key of this store", path.display()))
        }
        (Err(error), _) if needs_key => failed(with_causes(&error)),
        (Ok(Some(_)), _) => {
            let mode = path.metadata().map_or(0, |metadata| metadata.mode() & 0o7777);
            if mode & 0o077 == 0 {
                return Check::ok(NAME, found + "; only its owner can read the identity key");
            }
            let path = shell_word(&path.to_string_lossy());
            Check::warning(NAME, found + &format!("; others can read the identity key (mode {mode:04o})"))
                .next(format!("run chmod 600 {path}"))
        }
        _ => Check::ok(NAME, found),
    }
}

/// Who can read the store, by the modes of its directory.
fn readers(paths: &StorePaths) -> &'static str {
    match paths.root().metadata().map(|metadata| metadata.mode()) {
        Ok(mode) if mode & 0o005 != 0 => "every user can read the store",
        Ok(mode) if mode & 0o050 != 0 => "its owner and its group can read the store",
        Ok(_) => "only its owner can read the store",
        Err(_) => "who can read the store is unknown",
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::commands::doctor::check::State;
    use crate::personal_data::create_key;

    struct Store {
        _folder: tempfile::TempDir,
        paths: StorePaths,
        ledger: Ledger,
    }

    fn store() -> Store {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = StorePaths::open(folder.path()).expect("a store");
        fs::set_permissions(paths.root(), Permissions::from_mode(0o700)).expect("set");
        let ledger = Ledger::open(&paths.ledger()).expect("a ledger");
        Store { _folder: folder, paths, ledger }
    }

    #[test]
    fn a_store_with_identities_says_who_can_read_it() {
        let store = store();
        assert_eq!(check(None).found, "there is no store yet");
        let found = check(Some(&store.paths));
        assert_eq!(found.state, State::Ok, "{found:?}");
        assert!(found.found.starts_with("names, IDs") && found.found.ends_with("only its owner can read the store"));
        fs::set_permissions(store.paths.root(), Permissions::from_mode(0o750)).expect("set");
        assert!(check(Some(&store.paths)).found.ends_with("its owner and its group can read the store"));
    }

    #[test]
    fn the_key_must_be_there_be_the_right_one_and_be_private() {
        let store = store();
        let key = create_key(&store.paths.identity_key(), &[4; 32]).expect("a key");
        store.ledger.set_setting(IDENTITY, "pseudonym").expect("recorded");
        store.ledger.set_setting(TOPICS, "drop").expect("recorded");
        store.ledger.set_setting(KEY_ID, &key.id()).expect("recorded");
        let found = check(Some(&store.paths));
        assert!(found.state == State::Ok && found.found.contains("topics are not kept"), "{found:?}");
        fs::set_permissions(store.paths.identity_key(), Permissions::from_mode(0o640)).expect("set");
        let found = check(Some(&store.paths));
        assert!(found.state == State::Warning && found.found.contains("(mode 0640)"), "{found:?}");
        assert!(found.next[0].starts_with("run chmod 600 "), "{found:?}");
        store.ledger.set_setting(KEY_ID, "00000000").expect("recorded");
        assert!(check(Some(&store.paths)).found.contains("is not the identity key"));
        fs::remove_file(store.paths.identity_key()).expect("removed");
        let found = check(Some(&store.paths));
        assert!(found.state == State::Failed && found.found.contains("is missing"), "{found:?}");
        store.ledger.set_setting(IDENTITY, "none").expect("recorded");
        assert_eq!(check(Some(&store.paths)).state, State::Ok, "it may be lost on purpose");
    }
}
