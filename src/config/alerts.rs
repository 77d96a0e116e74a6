//! Alert rules and channels: the tables `[[alerts]]` and `[channels.NAME]` of `vcq.toml`.
//!
//! They are read with the file but checked only by the commands that use them, each rule and channel for itself: a
//! typing error in one of them must not stop a sync, nor another rule. Secrets come from the file, from a file of their
//! own, or from a variable such as `VCQ_CHANNELS_IT_OPS_URL`, which takes precedence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use feishu_vc::Secret;
use serde::Deserialize;
use toml::Value;

use super::error::ConfigError;
use super::quantity::duration;
use super::relative_path::beside;
use super::secret_file;
use crate::alerts::{Channel, ChannelUrl, EmailSettings, Encryption, Rule, Target, parse_address};

/// The keys of `vcq.toml` that are tables.
pub(crate) const TABLE_KEYS: &[&str] = &[ALERTS, CHANNELS];
const ALERTS: &str = "alerts";
const CHANNELS: &str = "channels";

/// Variables with the secrets of channels: `VCQ_CHANNELS_<NAME>_<KEY>`.
const CHANNEL_VARIABLE_PREFIX: &str = "VCQ_CHANNELS_";
/// The keys of a channel whose values must not be shown; each may be in a file (`url_file`).
const SECRET_KEYS: &[&str] = &["url", "secret", "password"];

/// The window of a rule without one.
pub(crate) const DEFAULT_SINCE: &str = "2d";
const DEFAULT_QUIET: Duration = Duration::from_secs(7 * 86_400);
const MAX_QUIET: Duration = Duration::from_secs(366 * 86_400);
const MAX_NAME_CHARS: usize = 64;

/// The kinds of channels, each with its keys beside `kind`.
const KINDS: &[(&str, &[&str])] = &[
    ("feishu", &["kind", "url", "url_file", "secret", "secret_file"]),
    ("webhook", &["kind", "url", "url_file"]),
    ("email", &["kind", "host", "port", "tls", "user", "password", "password_file", "from", "to"]),
    ("command", &["kind", "command"]),
];

/// The tables as they are in the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct AlertTables {
    path: PathBuf,
    rules: Option<Value>,
    channels: Option<Value>,
    variables: BTreeMap<String, Secret>,
    in_file: Vec<Secret>,
}

/// What is configured, and why the rest cannot be used.
#[derive(Debug, Default)]
pub(crate) struct AlertSettings {
    pub rules: Vec<Rule>,
    pub channels: Vec<Channel>,
    /// Also of channels that cannot be used.
    pub channel_names: Vec<String>,
    pub problems: Vec<ConfigError>,
}

#[derive(Deserialize)]
struct RuleTable {
    name: String,
    report: String,
    #[serde(rename = "where")]
    condition: Option<String>,
    since: Option<String>,
    until: Option<String>,
    quiet_for: Option<String>,
    to: Vec<String>,
    /// Parameters of the report.
    #[serde(flatten)]
    parameters: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct EmailTable {
    host: String,
    port: Option<u16>,
    tls: Option<String>,
    user: Option<String>,
    from: String,
    to: Vec<String>,
}

#[derive(Deserialize)]
struct CommandTable {
    command: Vec<String>,
}

impl AlertTables {
    /// Takes the tables out of the file's, then out of a tenant's, whose rules replace all others.
    pub(super) fn take(&mut self, path: &Path, table: &mut toml::Table) {
        path.clone_into(&mut self.path);
        self.rules = table.remove(ALERTS).or(self.rules.take());
        self.channels = match (self.channels.take(), table.remove(CHANNELS)) {
            (Some(Value::Table(common)), Some(Value::Table(own))) => {
                Some(Value::Table(common.into_iter().chain(own).collect()))
            }
            (common, own) => own.or(common),
        };
        let channels = self.channels.as_ref().and_then(Value::as_table);
        for channel in channels.into_iter().flatten().filter_map(|(_, channel)| channel.as_table()) {
            let texts = SECRET_KEYS.iter().filter_map(|key| channel.get(*key).and_then(Value::as_str));
            self.in_file.extend(texts.map(Secret::new));
        }
    }

    /// Takes the secret of a channel; false for any other variable.
    pub(super) fn take_variable(&mut self, name: &str, text: &str) -> bool {
        let is_secret = is_channel_secret(name);
        if is_secret && !text.trim().is_empty() {
            self.variables.insert(name.to_owned(), Secret::new(text.trim()));
        }
        is_secret
    }

    /// The secrets that are visible without reading further files.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.variables.values().chain(&self.in_file)
    }

    /// Checks the tables, and reads the files with secrets.
    pub(crate) fn settings(&self) -> AlertSettings {
        let mut settings = AlertSettings::default();
        match &self.channels {
            None => {}
            Some(Value::Table(channels)) => {
                for (name, channel) in channels {
                    settings.channel_names.push(name.clone());
                    match self.channel(name, channel) {
                        Ok(target) => settings.channels.push(Channel { name: name.clone(), target }),
                        Err(problem) => settings.problems.push(problem),
                    }
                }
            }
            Some(other) => settings.problems.push(self.wrong_type(CHANNELS, other)),
        }
        match &self.rules {
            None => {}
            Some(Value::Array(rules)) => {
                for (at, rule) in rules.iter().enumerate() {
                    match self.rule(at, rule) {
                        Ok(rule) if settings.rules.iter().any(|known| known.name == rule.name) => {
                            let place = self.place(&format!("rule {}", rule.name));
                            let problem = "occurs twice; give each rule its own name".to_owned();
                            settings.problems.push(ConfigError::Table { place, problem });
                        }
                        Ok(rule) => settings.rules.push(rule),
                        Err(problem) => settings.problems.push(problem),
                    }
                }
            }
            Some(other) => settings.problems.push(self.wrong_type(ALERTS, other)),
        }
        settings
    }

    fn wrong_type(&self, key: &str, value: &Value) -> ConfigError {
        let problem = format!("is of type {}; write [[alerts]] for each rule, and [channels.NAME]", value.type_str());
        ConfigError::Table { place: self.place(key), problem }
    }

    /// Names a table for messages: `rule outage in vcq.toml`.
    fn place(&self, table: &str) -> String {
        format!("{table} in {}", self.path.display())
    }

    fn rule(&self, at: usize, value: &Value) -> Result<Rule, ConfigError> {
        let name = value.get("name").and_then(Value::as_str).filter(|name| is_name(name));
        let named = name.map_or_else(|| format!("alert rule {}", at + 1), |name| format!("rule {name}"));
        let place = self.place(&named);
        let wrong = |problem: String| ConfigError::Table { place: place.clone(), problem };
        let table: RuleTable = value.clone().try_into().map_err(|error| wrong(problem(&error)))?;
        if !is_name(&table.name) {
            return Err(wrong(format!("needs a name of 1 to {MAX_NAME_CHARS} printable characters")));
        }
        if table.to.is_empty() {
            return Err(wrong("names no channel: to is empty".to_owned()));
        }
        let quiet_for = match &table.quiet_for {
            None => DEFAULT_QUIET,
            Some(text) => duration(text).filter(|time| *time <= MAX_QUIET).ok_or_else(|| {
                wrong(format!(
                    "has quiet_for = {text:?}, which is not a duration such as 90m, 12h or 7d (at most 366d)"
                ))
            })?,
        };
        let parameters = table.parameters.into_iter().map(|(key, value)| match value {
            _ if SECRET_KEYS.contains(&key.as_str()) => Err(wrong(format!("has {key}, which belongs to a channel"))),
            Value::String(text) => Ok((key, text)),
            Value::Integer(number) => Ok((key, number.to_string())),
            Value::Float(number) => Ok((key, number.to_string())),
            Value::Boolean(flag) => Ok((key, flag.to_string())),
            Value::Datetime(time) => Ok((key, time.to_string())),
            other => Err(wrong(format!("has {key} of type {}", other.type_str()))),
        });
        Ok(Rule {
            parameters: parameters.collect::<Result<_, _>>()?,
            name: table.name,
            report: table.report,
            condition: table.condition,
            since: table.since,
            until: table.until,
            quiet_for,
            to: table.to,
        })
    }

    fn channel(&self, name: &str, value: &Value) -> Result<Target, ConfigError> {
        let place = self.place(&format!("channel {name}"));
        let wrong = |problem: &str| ConfigError::Table { place: place.clone(), problem: problem.to_owned() };
        let table = value.as_table().ok_or_else(|| wrong("is not a table"))?;
        let kind = table.get("kind").and_then(Value::as_str).ok_or_else(|| wrong("has no kind"))?;
        let Some((kind, keys)) = KINDS.iter().find(|(known, _)| *known == kind) else {
            let known = KINDS.iter().map(|(kind, _)| *kind).collect();
            return Err(ConfigError::UnknownKind { place, word: kind.to_owned(), known });
        };
        if let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) {
            return Err(ConfigError::UnknownTableKey { place, key: key.clone(), known: keys });
        }
        let secret = |key| self.secret(name, table, key);
        let url = || {
            let missing = || wrong("has no address: set url_file (or url), or its variable");
            let url = secret("url")?.ok_or_else(missing)?;
            ChannelUrl::parse(url.expose()).map_err(|problem| wrong(&format!("has an address that {problem}")))
        };
        match *kind {
            "feishu" => Ok(Target::Feishu { url: url()?, secret: secret("secret")? }),
            "webhook" => Ok(Target::Webhook { url: url()? }),
            "email" => email(value, secret("password")?, &wrong),
            _ => {
                let table: CommandTable = value.clone().try_into().map_err(|error| wrong(&problem(&error)))?;
                if table.command.iter().all(|word| word.trim().is_empty()) {
                    return Err(wrong("names no program: command is empty"));
                }
                Ok(Target::Command { arguments: table.command })
            }
        }
    }

    /// From the variable, else from the table, else from the file that the table names.
    fn secret(&self, channel: &str, table: &toml::Table, key: &'static str) -> Result<Option<Secret>, ConfigError> {
        let variable = variable(channel, key);
        let file_key = format!("{key}_file");
        let place = |key: &str| self.place(&format!("{key} of channel {channel}"));
        let text = |key: &str| match table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Err(ConfigError::Empty { place: place(key) }),
            Some(Value::String(text)) => Ok(Some(text.trim())),
            // The value may be the secret.
            Some(_) => Err(ConfigError::Table { place: place(key), problem: "is not text".to_owned() }),
        };
        let (own, file) = (text(key)?, text(&file_key)?);
        if let Some(secret) = self.variables.get(&variable) {
            return checked(key, &variable, secret.expose()).map(Some);
        }
        match (own, file) {
            (Some(_), Some(_)) => Err(ConfigError::Conflict { first: place(key), second: place(&file_key) }),
            (Some(text), None) => {
                secret_file::check_private(&self.path)?;
                checked(key, &place(key), text).map(Some)
            }
            (None, Some(file)) => {
                let path = PathBuf::from(beside(&self.path, file.to_owned()));
                let read = if key == "password" { secret_file::read_text } else { secret_file::read };
                read(&place(&file_key), &path).map(Some)
            }
            (None, None) => Ok(None),
        }
    }
}

/// A password may be any text; URLs and the secrets of bots are printable ASCII.
fn checked(key: &str, place: &str, text: &str) -> Result<Secret, ConfigError> {
    if key != "password" {
        secret_file::check_text(place, text)?;
    }
    Ok(Secret::new(text))
}

fn email(value: &Value, password: Option<Secret>, wrong: &dyn Fn(&str) -> ConfigError) -> Result<Target, ConfigError> {
    let mut plain = value.clone();
    if let Some(table) = plain.as_table_mut() {
        SECRET_KEYS.iter().for_each(|key| drop(table.remove(*key)));
    }
    let table: EmailTable = plain.try_into().map_err(|error| wrong(&problem(&error)))?;
    let tls = table.tls.as_deref().unwrap_or("starttls");
    let Some((_, tls)) = Encryption::WORDS.iter().find(|(word, _)| *word == tls) else {
        return Err(wrong(&format!("has tls = {tls:?}, which is not one of starttls, tls, none")));
    };
    if table.to.is_empty() {
        return Err(wrong("has no recipient: to is empty"));
    }
    for address in table.to.iter().chain([&table.from]) {
        parse_address(address)
            .map_err(|why| wrong(&format!("has the address {address:?}, which is not valid: {why}")))?;
    }
    if table.user.is_some() != password.is_some() {
        return Err(wrong("needs both user and password_file, or neither"));
    }
    let email = EmailSettings {
        host: table.host,
        port: table.port,
        tls: *tls,
        user: table.user,
        password,
        from: table.from,
        to: table.to,
    };
    if email.tls == Encryption::None && !email.is_local() {
        return Err(wrong("has tls = \"none\", which is for a mail server on this machine only"));
    }
    Ok(Target::Email(email))
}

fn problem(error: &toml::de::Error) -> String {
    format!("cannot be read: {}", error.message().replace('\n', ", "))
}

fn is_name(name: &str) -> bool {
    let length = name.chars().count();
    !name.trim().is_empty() && length <= MAX_NAME_CHARS && !name.chars().any(crate::text::is_terminal_control)
}

/// `VCQ_CHANNELS_IT_OPS_URL` for the key `url` of the channel `it-ops`.
fn variable(channel: &str, key: &str) -> String {
    let name: String =
        channel.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("{CHANNEL_VARIABLE_PREFIX}{name}_{}", key.to_ascii_uppercase())
}

/// Whether an environment variable holds a secret of a channel.
pub(crate) fn is_channel_secret(name: &str) -> bool {
    let is_of = |key: &str| name.ends_with(&format!("_{}", key.to_ascii_uppercase()));
    name.starts_with(CHANNEL_VARIABLE_PREFIX) && SECRET_KEYS.iter().any(|key| is_of(key))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::text::error_chain;

    const URL: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/Zq9-made-up-hook";

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Folder {
            let folder = Folder(tempfile::tempdir().expect("a folder"));
            folder.write("bot-url", URL);
            folder.write("bot-secret", "Zq9-made-up-secret\n");
            folder.write("smtp-password", "pass word\u{e9}\n");
            folder
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.0.path().join(name);
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        }

        fn load(&self, text: &str, variables: &[(&str, &str)]) -> AlertSettings {
            let path = self.0.path().join("vcq.toml");
            self.write("vcq.toml", text);
            let mut tables = AlertTables::default();
            tables.take(&path, &mut text.parse().expect("TOML"));
            variables.iter().for_each(|(name, text)| assert!(tables.take_variable(name, text), "{name}"));
            tables.settings()
        }

        /// The problems, without the path of the folder.
        fn problems(&self, text: &str) -> Vec<String> {
            let folder = format!("{}/", self.0.path().display());
            self.load(text, &[]).problems.iter().map(|error| error_chain(error).replace(&folder, "")).collect()
        }
    }

    const RULE: &str = "[[alerts]]\nname = 'outage'\nreport = 'incidents'\nto = ['it-ops']\n";
    const FEISHU: &str = "[channels.it-ops]\nkind = 'feishu'\nurl_file = 'bot-url'\nsecret_file = 'bot-secret'\n";

    #[test]
    fn rules_and_channels_are_read() {
        let text = format!(
            "{RULE}where = \"severity <> 'minor'\"\nsince = '2d'\nquiet_for = '12h'\ntop = 5\nprofile = 'strict'\n{FEISHU}
             [channels.mail]\nkind = 'email'\nhost = 'mail.example.com'\nuser = 'u'\npassword_file = 'smtp-password'
             from = 'vcq-etl <vcq@example.com>'\nto = ['ops@example.com']
             [channels.pager]\nkind = 'command'\ncommand = ['pager', '--now']"
        );
        let settings = Folder::new().load(&text, &[]);
        assert!(settings.problems.is_empty(), "{:?}", settings.problems);
        let rule = &settings.rules[0];
        assert_eq!((rule.name.as_str(), rule.condition.as_deref()), ("outage", Some("severity <> 'minor'")));
        assert_eq!(rule.quiet_for, Duration::from_secs(43_200));
        let parameters = [("profile", "strict"), ("top", "5")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(rule.parameters, parameters);
        let kinds: Vec<&str> = settings.channels.iter().map(|channel| channel.target.kind()).collect();
        assert_eq!(kinds, ["feishu", "email", "command"]);
        assert!(!format!("{settings:?}").contains("Zq9") && !format!("{settings:?}").contains("pass word"));
        let Target::Email(email) = &settings.channels[1].target else { panic!("an e-mail channel") };
        assert_eq!(email.password.as_ref().map(Secret::expose), Some("pass word\u{e9}"), "any text is a password");
        assert_eq!((email.tls, email.port), (Encryption::Starttls, None));
    }

    #[test]
    fn a_variable_has_the_secret_of_a_channel() {
        let folder = Folder::new();
        let text = "[channels.it-ops]\nkind = 'feishu'\n[channels.hook]\nkind = 'webhook'\nurl_file = 'nowhere'\n";
        let settings =
            folder.load(text, &[("VCQ_CHANNELS_IT_OPS_URL", URL), ("VCQ_CHANNELS_HOOK_URL", "http://localhost:8080/")]);
        assert!(settings.problems.is_empty(), "{:?}", settings.problems);
        assert_eq!(settings.channels.len(), 2);
        assert!(!AlertTables::default().take_variable("VCQ_CHANNELS_IT_OPS_HOST", "x"));
        assert!(!is_channel_secret("VCQ_APP_SECRET"));
    }

    #[test]
    fn each_wrong_table_is_named_and_the_others_are_used() {
        let folder = Folder::new();
        let text = format!("{RULE}[[alerts]]\nname = 'b'\nreport = 'a'\nto = []\n{FEISHU}[channels.x]\nkind = 'y'\n");
        let settings = folder.load(&text, &[]);
        assert_eq!((settings.rules.len(), settings.channels.len(), settings.problems.len()), (1, 1, 2));
        assert_eq!(settings.channel_names, ["it-ops", "x"]);
        for (text, problem) in [
            (
                "alerts = 5",
                "alerts in vcq.toml is of type integer; write [[alerts]] for each rule, and [channels.NAME]",
            ),
            ("[[alerts]]\nname = 'b'\nto = ['c']", "rule b in vcq.toml cannot be read: missing field `report`"),
            ("[[alerts]]\nreport = 'b'\nto = ['c']", "alert rule 1 in vcq.toml cannot be read: missing field `name`"),
            (
                &format!("{RULE}quiet_for = 'soon'"),
                "rule outage in vcq.toml has quiet_for = \"soon\", which is not a duration such as 90m, 12h or 7d (at most 366d)",
            ),
            (&format!("{RULE}top = [1]"), "rule outage in vcq.toml has top of type array"),
            (&format!("{RULE}password = 'p'"), "rule outage in vcq.toml has password, which belongs to a channel"),
            (&format!("{RULE}{RULE}"), "rule outage in vcq.toml occurs twice; give each rule its own name"),
            (
                "[channels.x]\nkind = 'feishu'",
                "channel x in vcq.toml has no address: set url_file (or url), or its variable",
            ),
            ("[channels.x]\nkind = 'feishu'\nurls = 'y'", "channel x in vcq.toml has the unknown key \"urls\""),
            (
                "[channels.x]\nkind = 'webhook'\nurl = 'http://x.example/Zq9'",
                "channel x in vcq.toml has an address that is not HTTPS; plain HTTP is for loopback addresses only",
            ),
            ("[channels.x]\nkind = 'webhook'\nurl = 12345", "url of channel x in vcq.toml is not text"),
            (
                "[channels.x]\nkind = 'command'\ncommand = []",
                "channel x in vcq.toml names no program: command is empty",
            ),
            ("[channels.x]\nkind = 'slack'", "channel x in vcq.toml: \"slack\" is not a kind of channel"),
            ("[channels.x]\nurl = 'y'", "channel x in vcq.toml has no kind"),
            ("channels.x = 5", "channel x in vcq.toml is not a table"),
        ] {
            assert_eq!(folder.problems(text), [problem], "{text}");
        }
    }

    #[test]
    fn a_mail_channel_is_checked() {
        let folder = Folder::new();
        let mail = |more: &str| {
            let text =
                format!("[channels.m]\nkind = 'email'\nhost = 'mail.example.com'\nfrom = 'a@example.com'\n{more}");
            folder.problems(&text).pop().unwrap_or_default()
        };
        assert_eq!(mail("to = ['b@example.com']"), "");
        assert!(mail("to = []").ends_with("has no recipient: to is empty"));
        assert!(mail("to = ['b']").contains("the address \"b\", which is not valid"));
        assert!(mail("to = ['b@example.com']\ntls = 'ssl'").contains("not one of starttls, tls, none"));
        assert!(mail("to = ['b@example.com']\ntls = 'none'").contains("on this machine only"));
        assert!(mail("to = ['b@example.com']\nuser = 'u'").contains("needs both user and password_file"));
        assert!(mail("to = ['b@example.com']\nport = 99999").contains("cannot be read"));
    }

    #[test]
    fn secrets_must_be_private_and_are_never_shown() {
        let folder = Folder::new();
        let text = format!("[channels.x]\nkind = 'feishu'\nurl = '{URL}'\nsecret = '\"Zq9-quoted\"'");
        let problems = folder.problems(&text);
        assert_eq!(problems, ["secret of channel x in vcq.toml: the value is enclosed in quotation marks"]);
        fs::set_permissions(folder.0.path().join("bot-url"), fs::Permissions::from_mode(0o644)).expect("mode");
        fs::set_permissions(folder.0.path(), fs::Permissions::from_mode(0o755)).expect("mode");
        assert_eq!(folder.problems(FEISHU), ["bot-url contains a secret, but other users can access it (mode 644)"]);
        let both = format!("{FEISHU}url = '{URL}'");
        let problems = folder.problems(&both);
        assert!(problems[0].ends_with("cannot be used together") && !problems[0].contains("Zq9"), "{problems:?}");
        let mut tables = AlertTables::default();
        tables.take(Path::new("vcq.toml"), &mut both.parse().expect("TOML"));
        assert_eq!(tables.secrets().map(Secret::expose).collect::<Vec<_>>(), [URL]);
    }
}
