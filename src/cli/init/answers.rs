//! The answers: from flags and variables, else from a person, else the defaults; each checked at once.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use feishu_vc::Secret;

use super::files::{Places, SECRET_FILE, check_new, check_text};
use super::terminal::Terminal;
use crate::cli::settings::flag_name;
use crate::commands::buildings::judge;
use crate::config::{Config, Kind, SETTINGS, Setting, Sources, check_secret, looks_like_secret};
use crate::error::{ExitCode, Failure};
use crate::load::StorePaths;

/// The variable that may hold the secret.
const SECRET_VARIABLE: &str = "VCQ_APP_SECRET";
/// Maximum size of a secret on standard input.
const MAX_SECRET_BYTES: u64 = 64 << 10;
/// Settings that `init` answers itself; the others are written if they are given.
const APP_ID: &str = "app_id";
const SECRET_PATH: &str = "app_secret_file";
const ZONE: &str = "timezone";
const STORE: &str = "store";
const REGION: &str = "region";
const BASE_URL: &str = "base_url";

#[derive(Debug)]
pub(super) struct Answers {
    /// By key, as they go into `vcq.toml`.
    pub settings: BTreeMap<&'static str, String>,
    pub secret: AppSecret,
    pub buildings: Option<PathBuf>,
    /// The machine's time zone, if nobody confirmed it.
    pub assumed_zone: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AppSecret {
    /// In a file that exists.
    File,
    /// In `VCQ_APP_SECRET`.
    Variable,
    /// To be written to a new file.
    New(Secret),
}

/// The answer of a person.
enum TypedSecret {
    Itself(Secret),
    Path(String),
}

/// What is known before the first question.
pub(super) struct Given<'a> {
    pub sources: &'a Sources,
    pub places: &'a Places,
    pub is_secret_on_stdin: bool,
    pub buildings: Option<PathBuf>,
    pub machine_zone: Option<String>,
}

impl Given<'_> {
    /// Completes the answers with those of a person, if there is a terminal.
    pub(super) fn complete(self, terminal: Option<&Terminal>) -> Result<Answers, Failure> {
        let mut settings = given(self.sources);
        self.check_given(&settings)?;
        let in_variable = variable(self.sources, SECRET_VARIABLE).is_some();
        let has_secret = in_variable || self.is_secret_on_stdin || settings.contains_key(SECRET_PATH);
        let Some(terminal) = terminal else {
            return self.without_questions(settings, has_secret);
        };
        if !settings.contains_key(REGION) && !settings.contains_key(BASE_URL) {
            let question = "Region of the tenant, feishu (open.feishu.cn) or lark (open.larksuite.com)";
            settings.insert(REGION, self.ask(terminal, REGION, question, default(REGION))?);
        }
        if !settings.contains_key(APP_ID) {
            settings.insert(APP_ID, self.ask(terminal, APP_ID, "App ID (cli_...)", "")?);
        }
        let mut secret = None;
        if in_variable {
            terminal.say(&format!("App secret: in the variable {SECRET_VARIABLE}"));
        }
        if !has_secret {
            match self.ask_secret(terminal)? {
                TypedSecret::Itself(typed) => secret = Some(typed),
                TypedSecret::Path(path) => {
                    settings.insert(SECRET_PATH, path);
                }
            }
        }
        if !settings.contains_key(ZONE) {
            let zone = self.machine_zone.as_deref().unwrap_or(default(ZONE));
            settings.insert(ZONE, self.ask(terminal, ZONE, "Time zone of the tenant", zone)?);
        }
        if !settings.contains_key(STORE) {
            settings.insert(STORE, self.ask(terminal, STORE, "Directory of the store", &self.default_store())?);
        }
        let buildings = match self.buildings.clone() {
            Some(file) => Some(file),
            None => ask_buildings(terminal, &self.sources.folder)?,
        };
        self.answers(settings, secret, buildings, None)
    }

    fn without_questions(
        self,
        mut settings: BTreeMap<&'static str, String>,
        has_secret: bool,
    ) -> Result<Answers, Failure> {
        let mut missing = Vec::new();
        if !settings.contains_key(APP_ID) {
            missing.push("--app-id");
        }
        if !has_secret {
            missing.push("--app-secret-file (or --app-secret-stdin)");
        }
        let mut assumed_zone = None;
        match &self.machine_zone {
            _ if settings.contains_key(ZONE) => {}
            Some(zone) => {
                settings.insert(ZONE, zone.clone());
                assumed_zone = Some(zone.clone());
            }
            None => missing.push("--timezone"),
        }
        if !missing.is_empty() {
            return Err(Failure::new(ExitCode::Usage, format!("vcq-etl init needs {}", missing.join(", ")))
                .hint("give these flags, or run vcq-etl init on a terminal, where it asks for them"));
        }
        if !settings.contains_key(BASE_URL) {
            settings.entry(REGION).or_insert_with(|| default(REGION).to_owned());
        }
        if !settings.contains_key(STORE) {
            let store = self.default_store();
            self.check(STORE, &flag_name(STORE), &store)?;
            settings.insert(STORE, store);
        }
        let secret = self.is_secret_on_stdin.then(secret_on_stdin).transpose()?;
        let buildings = self.buildings.clone();
        self.answers(settings, secret, buildings, assumed_zone)
    }

    fn answers(
        &self,
        mut settings: BTreeMap<&'static str, String>,
        secret: Option<Secret>,
        buildings: Option<PathBuf>,
        assumed_zone: Option<String>,
    ) -> Result<Answers, Failure> {
        // Together they may conflict with a variable, such as that of an access token.
        let mut flags = settings.clone();
        if secret.is_some() {
            flags.insert(SECRET_PATH, SECRET_FILE.to_owned());
        }
        Config::load_without_file(&Sources { flags, ..self.sources.clone() })?;
        for (key, text) in &mut settings {
            if Setting::find(key).is_some_and(|setting| setting.kind == Kind::Path) {
                *text = self.in_file(text);
            }
        }
        let secret = match secret {
            Some(secret) => {
                settings.insert(SECRET_PATH, SECRET_FILE.to_owned());
                AppSecret::New(secret)
            }
            None if settings.contains_key(SECRET_PATH) => AppSecret::File,
            None => AppSecret::Variable,
        };
        Ok(Answers { settings, secret, buildings, assumed_zone })
    }

    /// Beside `vcq.toml`.
    fn default_store(&self) -> String {
        match self.places.folder == self.sources.folder {
            true => default(STORE).to_owned(),
            false => {
                let store: PathBuf = self.places.folder.join(default(STORE)).components().collect();
                store.to_string_lossy().into_owned()
            }
        }
    }

    /// A path as `vcq.toml` needs it: relative to its folder if below it.
    fn in_file(&self, text: &str) -> String {
        let path: PathBuf = self.sources.folder.join(text.trim()).components().collect();
        let below = path.strip_prefix(&self.places.folder).ok().filter(|below| !below.as_os_str().is_empty());
        below.unwrap_or(&path).to_string_lossy().into_owned()
    }

    /// Checks flags and variables before the first question.
    fn check_given(&self, settings: &BTreeMap<&'static str, String>) -> Result<(), Failure> {
        let is_shown = |setting: &&Setting| setting.secret && self.sources.flags.contains_key(setting.key);
        if let Some(setting) = SETTINGS.iter().find(is_shown) {
            let message = format!("--{} shows the secret to all users of this machine", setting.flag());
            return Err(Failure::new(ExitCode::Usage, message)
                .hint("give the app secret with --app-secret-file FILE or --app-secret-stdin"));
        }
        let config = Config::load_without_file(self.sources)?;
        let in_variable = variable(self.sources, SECRET_VARIABLE);
        for key in [APP_ID, SECRET_PATH, STORE] {
            if let (Some(text), Some(setting)) = (settings.get(key), Setting::find(key)) {
                self.check(key, &config.origin(key).place(setting), text)?;
            }
        }
        if self.is_secret_on_stdin {
            let other = in_variable.map(|_| SECRET_VARIABLE.to_owned());
            let setting = Setting::find(SECRET_PATH).filter(|_| settings.contains_key(SECRET_PATH));
            if let Some(other) = other.or_else(|| Some(config.origin(SECRET_PATH).place(setting?))) {
                let message = format!("--app-secret-stdin and {other} cannot be used together");
                return Err(Failure::new(ExitCode::Usage, message).hint("give the app secret in one place only"));
            }
            check_new(&self.places.secret())?;
        }
        if let Some(secret) = in_variable {
            check_secret(SECRET_VARIABLE, secret)?;
        }
        if let Some(file) = &self.buildings {
            judge(&self.sources.folder.join(file))?;
        }
        Ok(())
    }

    /// Asks until there is a valid secret, or the path of a file with one. The question for the secret comes first:
    /// whoever pastes it at the first question must not see it.
    fn ask_secret(&self, terminal: &Terminal) -> Result<TypedSecret, Failure> {
        loop {
            let secret = terminal.ask_secret("App secret (not shown), or Enter to name a file that has it")?;
            if secret.expose().is_empty() {
                let path = self.ask(terminal, SECRET_PATH, "Path of that file, or Enter to type the secret", "")?;
                if path.is_empty() {
                    continue;
                }
                return Ok(TypedSecret::Path(path));
            }
            match self.check_typed(&secret) {
                Ok(()) => return Ok(TypedSecret::Itself(secret)),
                Err(failure) => terminal.refuse(&failure),
            }
        }
    }

    /// Returns an error if the typed text is not the secret, or cannot be written.
    fn check_typed(&self, secret: &Secret) -> Result<(), Failure> {
        const NAME_IT: &str = "press Enter at this question; the next one is for the path";
        let text = secret.expose();
        // An app secret has neither slashes nor the name of a file.
        if text.contains('/') || self.sources.folder.join(text).is_file() {
            return Err(Failure::new(ExitCode::Usage, "the typed text is a path, not an app secret").hint(NAME_IT));
        }
        checked_secret("the typed app secret", secret)?;
        check_new(&self.places.secret()).map_err(|failure| failure.hint(NAME_IT))
    }

    /// Asks until the answer is valid. An empty answer is the default.
    fn ask(&self, terminal: &Terminal, key: &'static str, question: &str, default: &str) -> Result<String, Failure> {
        let shown = if default.is_empty() { question.to_owned() } else { format!("{question} [{default}]") };
        loop {
            let answer = Some(terminal.ask(&shown)?).filter(|answer| !answer.is_empty());
            let answer = answer.unwrap_or_else(|| default.to_owned());
            // An empty answer means that the secret is typed instead.
            if answer.is_empty() && key == SECRET_PATH {
                return Ok(answer);
            }
            match self.check(key, &flag_name(key), &answer) {
                Ok(()) => return Ok(answer),
                Err(failure) => terminal.refuse(&failure),
            }
        }
    }

    /// Returns an error if the text is not a valid value of the setting. `place` is where it came from.
    fn check(&self, key: &'static str, place: &str, text: &str) -> Result<(), Failure> {
        match key {
            APP_ID if !is_app_id(text.trim()) => {
                let message = match looks_like_secret(text) {
                    true => format!("{place}: this text looks like a secret, not like an app ID"),
                    false => format!("{place}: {text:?} does not look like an app ID"),
                };
                Err(Failure::new(ExitCode::Usage, message).hint(
                    "an app ID begins with cli_; copy it from the developer console's page \"Credentials & Basic Info\"",
                ))
            }
            STORE => check_store(place, &self.sources.folder.join(text.trim()), &self.places.folder),
            SECRET_PATH => {
                let path = self.sources.folder.join(text.trim());
                check_text(&path)?;
                let app_id = (APP_ID, "cli_any".to_owned());
                let flags = [app_id, (SECRET_PATH, path.to_string_lossy().into_owned())].into();
                Config::load_without_file(&Sources { flags, ..Sources::default() })?.credentials()?;
                Ok(())
            }
            _ => {
                let flags = [(key, text.to_owned())].into();
                Ok(Config::load_without_file(&Sources { flags, ..Sources::default() }).map(|_| ())?)
            }
        }
    }
}

/// The settings in flags and variables, except secrets.
fn given(sources: &Sources) -> BTreeMap<&'static str, String> {
    let value = |setting: &Setting| {
        let by_flag = sources.flags.get(setting.key).map(String::as_str);
        by_flag.or_else(|| variable(sources, &setting.variable())).map(str::to_owned)
    };
    SETTINGS
        .iter()
        .filter(|setting| !setting.secret)
        .filter_map(|setting| Some((setting.key, value(setting)?)))
        .collect()
}

fn variable<'a>(sources: &'a Sources, name: &str) -> Option<&'a str> {
    sources.environment.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn default(key: &str) -> &'static str {
    Setting::find(key).map_or("", |setting| setting.default)
}

fn is_app_id(text: &str) -> bool {
    let rest = text.strip_prefix("cli_").unwrap_or_default();
    !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Returns an error if the directory is neither a store nor can become one.
fn check_store(place: &str, path: &Path, config_folder: &Path) -> Result<(), Failure> {
    let usage = |problem: &str| Failure::new(ExitCode::Usage, format!("{place}: {} {problem}", path.display()));
    const OTHER: &str = "use another directory with --store DIR, such as ./vcq-store";
    check_text(path)?;
    let there = path.ancestors().find(|place| place.exists());
    if let Some(file) = there.filter(|there| !there.is_dir() && *there != path) {
        return Err(usage(&format!("is below {}, which is a file", file.display())).hint(OTHER));
    }
    if config_folder.starts_with(path) {
        return Err(usage("would contain vcq.toml, but a store contains nothing else").hint(OTHER));
    }
    match StorePaths::find(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure { exit: ExitCode::Usage, ..Failure::from(error) }),
    }
}

fn secret_on_stdin() -> Result<Secret, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().take(MAX_SECRET_BYTES).read_to_string(&mut text);
    read.map_err(|error| {
        Failure::new(ExitCode::Usage, "could not read the app secret from standard input")
            .cause(&error)
            .hint("for example: vcq-etl init --app-id cli_... --app-secret-stdin < FILE")
    })?;
    let secret = Secret::new(text.trim());
    checked_secret("the app secret on standard input", &secret)?;
    Ok(secret)
}

fn checked_secret(place: &str, secret: &Secret) -> Result<(), Failure> {
    if secret.expose().is_empty() {
        return Err(Failure::new(ExitCode::Usage, format!("{place} is empty"))
            .hint("copy it from the developer console's page \"Credentials & Basic Info\""));
    }
    Ok(check_secret(place, secret.expose())?)
}

fn ask_buildings(terminal: &Terminal, folder: &Path) -> Result<Option<PathBuf>, Failure> {
    loop {
        let answer = terminal.ask("Building file (networks of your offices), or Enter for none")?;
        if answer.is_empty() {
            return Ok(None);
        }
        let file = folder.join(answer);
        match judge(&file) {
            Ok(_) => return Ok(Some(file)),
            Err(error) => terminal.refuse(&error.into()),
        }
    }
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
