//! Reads secrets from files that only their owner can access, or that a container's runtime has mounted.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use feishu_vc::Secret;

use super::error::ConfigError;

/// Maximum size of a secret file. The longest Feishu token has 4 KB.
const MAX_BYTES: u64 = 64 << 10;

/// Reads a secret as Feishu issues it, and trims surrounding whitespace. Symbolic links are followed. `place` names the
/// setting.
pub(super) fn read(place: &str, path: &Path) -> Result<Secret, ConfigError> {
    let secret = read_text(place, path)?;
    check_text(&format!("{place} ({})", path.display()), secret.expose())?;
    Ok(secret)
}

/// Reads a secret of any text on one line, such as a password.
pub(super) fn read_text(place: &str, path: &Path) -> Result<Secret, ConfigError> {
    let unreadable = |source| ConfigError::ReadSecret { path: path.to_owned(), source };
    // Checked before opening, because opening a pipe blocks; and again on the open file, because the path may have been
    // replaced in between.
    let metadata = fs::metadata(path).map_err(|source| match is_secret_for_path(path) {
        true => ConfigError::SecretForPath { place: place.to_owned() },
        false => unreadable(source),
    })?;
    check_file(path, &metadata)?;
    let file = fs::File::open(path).map_err(unreadable)?;
    check_file(path, &file.metadata().map_err(unreadable)?)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ConfigError::SecretTooLarge { path: path.to_owned(), limit_bytes: MAX_BYTES });
    }
    let place = format!("{place} ({})", path.display());
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(ConfigError::UnusableSecret { place, problem: "is not UTF-8 text" });
    };
    match text.trim() {
        "" => Err(ConfigError::EmptySecretFile { path: path.to_owned() }),
        text => Ok(Secret::new(text)),
    }
}

/// The shortest run of letters and digits that is taken for a secret. Feishu's have 22 characters or more.
const MIN_RANDOM_CHARS: usize = 16;

/// Whether the text looks like a secret, so that an error must not repeat it. A name with a date or a version does not.
pub(crate) fn looks_like_secret(text: &str) -> bool {
    let is_random = |run: &str| {
        let count = |of: fn(&char) -> bool| run.chars().filter(of).count();
        run.len() >= MIN_RANDOM_CHARS && count(char::is_ascii_digit) >= 2 && count(char::is_ascii_alphabetic) >= 2
    };
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).any(is_random)
}

/// Whether a path that does not exist is rather a secret, or the address of a bot.
fn is_secret_for_path(path: &Path) -> bool {
    let is_address = path.iter().any(|part| part == "https:" || part == "http:");
    is_address || path.file_name().and_then(|name| name.to_str()).is_some_and(looks_like_secret)
}

/// Returns an error if the text can't be a secret as Feishu issues it, because of what an editor or a copy has added.
/// Nothing is removed silently: what is sent is what is configured.
pub(crate) fn check_text(place: &str, text: &str) -> Result<(), ConfigError> {
    const QUOTES: &[(char, char)] =
        &[('"', '"'), ('\'', '\''), ('`', '`'), ('\u{201c}', '\u{201d}'), ('\u{2018}', '\u{2019}')];
    let is_quoted = |(open, close): &(char, char)| text.starts_with(*open) && text.ends_with(*close);
    let begins_with = |word: &str| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    let problem = if text.starts_with('\u{feff}') {
        "begins with a byte order mark (U+FEFF)"
    } else if QUOTES.iter().any(is_quoted) {
        "is enclosed in quotation marks"
    } else if begins_with("bearer ") {
        "begins with \"Bearer \""
    } else if begins_with("VCQ_") && text.contains('=') {
        "is an assignment (VCQ_...=)"
    } else if text.contains(char::is_whitespace) {
        "contains whitespace"
    } else if text.contains(|letter: char| !letter.is_ascii_graphic()) {
        "contains characters that are not printable ASCII"
    } else {
        return Ok(());
    };
    Err(ConfigError::UnusableSecret { place: place.to_owned(), problem })
}

fn check_file(path: &Path, metadata: &fs::Metadata) -> Result<(), ConfigError> {
    if !metadata.is_file() {
        return Err(ConfigError::SecretNoFile { path: path.to_owned() });
    }
    check_mode(path, metadata)
}

/// Returns an error if anyone but the owner may access the file, unless it is mounted or its folder is private.
pub(super) fn check_private(path: &Path) -> Result<(), ConfigError> {
    let metadata = fs::metadata(path).map_err(|source| ConfigError::ReadSecret { path: path.to_owned(), source })?;
    check_mode(path, &metadata)
}

fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), ConfigError> {
    let mode = metadata.mode() & 0o777;
    let is_private = mode & 0o077 == 0;
    // Others may read it at most, never change it.
    let is_read_only = mode & 0o033 == 0;
    if is_private || (is_read_only && (is_mounted(path, metadata) || folder_is_private(path))) {
        return Ok(());
    }
    Err(ConfigError::SecretReadableByOthers { path: path.to_owned(), mode })
}

/// Whether it looks like what Docker and Kubernetes mount: it is root's, and nobody can write it. Inside the container
/// its mode cannot be changed.
fn is_mounted(path: &Path, metadata: &fs::Metadata) -> bool {
    let is_read_only_mount =
        || rustix::fs::statvfs(path).is_ok_and(|of| of.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
    metadata.uid() == 0 && (metadata.mode() & 0o222 == 0 || is_read_only_mount())
}

/// Whether only the owner can reach the file, whatever its mode.
fn folder_is_private(path: &Path) -> bool {
    let folder = fs::canonicalize(path).ok().and_then(|real| real.parent().map(Path::to_owned));
    folder.and_then(|folder| fs::metadata(folder).ok()).is_some_and(|metadata| metadata.mode() & 0o077 == 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn read(path: &Path) -> Result<Secret, ConfigError> {
        super::read("VCQ_APP_SECRET_FILE", path)
    }

    #[test]
    fn debug_hides_the_text() {
        assert!(!format!("{:?}", Secret::new("s3cret")).contains("s3cret"));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        fs::write(&path, "  s3cret\n").expect("written");
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
        set(folder.path(), 0o755);
        for mode in [0o640, 0o644, 0o660, 0o666, 0o604] {
            set(&path, mode);
            assert!(matches!(read(&path), Err(ConfigError::SecretReadableByOthers { mode: of, .. }) if of == mode));
        }
        // As containers mount it: root's, and nobody can write it.
        let is_roots = fs::metadata(&path).expect("there").uid() == 0;
        for mode in [0o440, 0o444] {
            set(&path, mode);
            assert_eq!(read(&path).is_ok(), is_roots, "{mode:o}");
        }
        // In a folder that only the owner can enter.
        set(folder.path(), 0o700);
        for (mode, is_fine) in [(0o440, true), (0o644, true), (0o660, false)] {
            set(&path, mode);
            assert_eq!(read(&path).is_ok(), is_fine, "{mode:o}");
        }
        set(folder.path(), 0o755);
        set(&path, 0o600);
        assert_eq!(read(&path).expect("read").expose(), "s3cret");
        fs::write(&path, "\n").expect("written");
        assert!(matches!(read(&path), Err(ConfigError::EmptySecretFile { .. })));
    }

    #[test]
    fn what_an_editor_or_a_copy_has_added_is_named() {
        for (text, problem) in [
            ("\u{feff}s3cret", "byte order mark"),
            ("\"s3cret\"", "quotation marks"),
            ("\u{201c}s3cret\u{201d}", "quotation marks"),
            ("Bearer s3cret", "\"Bearer \""),
            ("bearer s3cret", "\"Bearer \""),
            ("VCQ_APP_SECRET=s3cret", "an assignment"),
            ("s3cret s3cret", "whitespace"),
            ("s3cret\ns3cret", "whitespace"),
            ("s3cr\u{e9}t", "not printable ASCII"),
            ("s3cret\u{200b}", "not printable ASCII"),
        ] {
            let error = check_text("VCQ_APP_SECRET", text).expect_err(text).to_string();
            assert!(error.starts_with("VCQ_APP_SECRET: ") && error.contains(problem), "{error}");
            assert!(!error.contains("s3cr"), "{error}");
        }
        for text in ["s3cret", "s3\"cret", "Bearer", "a=b", "t-1.2_3"] {
            assert!(check_text("", text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_secret_where_a_path_belongs_is_not_repeated() {
        for text in [
            "Xk3vQ9bT2mLr8wZp4nHs6jYc1dFg7aEu",
            "t-g1041ci4R6VQBNGJ5HPPZ6V2SYOPJKJ3X3OLM",
            "https://open.feishu.cn/open-apis/bot/v2/hook/b1e6c5f0-3b1a-4c60-9f0e-5d2f",
        ] {
            let error = read(&Path::new("/srv/vcq").join(text)).expect_err(text).to_string();
            assert!(error.starts_with("VCQ_APP_SECRET_FILE: there is no such file"), "{error}");
            assert!(!error.contains(&text[10..20]), "{error}");
        }
        for name in ["app-secret", "bot-secret-2026-11-27", "feishu_production_secret_v2.txt", "secret20261127"] {
            let path = Path::new("/srv/vcq").join(name);
            assert!(read(&path).expect_err(name).to_string().contains(name), "{name}");
        }
        // A file that exists may have any name.
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("Xk3vQ9bT2mLr8wZp4nHs6jYc1dFg7aEu");
        fs::write(&path, "s3cret").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        assert_eq!(read(&path).expect("read").expose(), "s3cret");
    }

    #[test]
    fn only_a_small_regular_file_holds_a_secret() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &[u8]| {
            fs::write(at(name), text).expect("written");
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o600)).expect("mode");
        };
        write("large", &[b'x'; MAX_BYTES as usize + 1]);
        assert!(matches!(read(&at("large")), Err(ConfigError::SecretTooLarge { .. })));
        write("bytes", b"\xff\xfe");
        assert!(matches!(read(&at("bytes")), Err(ConfigError::UnusableSecret { .. })));
        assert!(matches!(read(folder.path()), Err(ConfigError::SecretNoFile { .. })));
        assert!(matches!(read(Path::new("/dev/null")), Err(ConfigError::SecretNoFile { .. })));
        assert!(matches!(read(&at("nothing")), Err(ConfigError::ReadSecret { .. })));
        // Opening a pipe without a writer would block for ever.
        let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(at("pipe")).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(matches!(read(&at("pipe")), Err(ConfigError::SecretNoFile { .. })));
        }
        // A link is as safe as the file it points to.
        write("secret", b"s3cret\r\n");
        symlink(at("secret"), at("link")).expect("linked");
        assert_eq!(read(&at("link")).expect("read").expose(), "s3cret");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("mode");
        fs::set_permissions(at("secret"), fs::Permissions::from_mode(0o604)).expect("mode");
        assert!(matches!(read(&at("link")), Err(ConfigError::SecretReadableByOthers { .. })));
    }
}
