//! Files of users: buildings, events, `vcq.toml` with alert rules, and conditions of rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::folder::folder;
use crate::alerts::{PreparedRule, Rule};
use crate::buildings::{BuildingFile, Buildings, Days, Network};
use crate::config::{Config, Sources};
use crate::extract::read_events;
use crate::load::DatabaseOptions;
use crate::load::connection::open_in_memory;
use crate::schema::ddl::quoted;

/// A building file is read back as it was written, a later one replaces it from a day on, and the lookup finds the
/// longest network.
pub(super) fn buildings(data: &[u8]) {
    let read = |bytes: &[u8]| BuildingFile::parse(Path::new("b.csv"), bytes, Days::ALL);
    let file = match read(data) {
        Ok(file) => file,
        Err(error) => return assert!(error.to_string().contains("b.csv"), "{error}"),
    };
    let stored = |buildings: &Buildings| {
        let again = read(buildings.text().as_bytes()).unwrap_or_else(|error| panic!("{error}\n{}", buildings.text()));
        assert_eq!(Buildings::new(again.entries), *buildings);
    };
    let buildings = Buildings::new(file.entries);
    stored(&buildings);
    for entry in buildings.entries().iter().take(20) {
        let Some(address) = Network::from_address(entry.network.to_string().split('/').next().unwrap_or_default())
        else {
            continue;
        };
        let Some(position) = buildings.position(address, entry.egress, entry.days.from) else {
            assert!(address.is_home() && entry.egress.is_none(), "{} is not found", entry.network);
            continue;
        };
        let found = &buildings.entries()[position];
        assert!(found.network.contains(address) && found.days.contains(entry.days.from), "{}", entry.network);
        assert!(found.network.prefix_length() >= entry.network.prefix_length(), "{}", entry.network);
    }
    // Half of the entries replace the others.
    let half = buildings.entries().len() / 2;
    let [earlier, later] = [&buildings.entries()[..half], &buildings.entries()[half..]].map(<[_]>::to_vec);
    if let Some(first) = later.iter().map(|entry| entry.days.from).min() {
        stored(&Buildings::new(earlier).superseded_by(Buildings::new(later), first));
    }
}

/// Every line is counted once, and a file that is read twice has the same meetings.
pub(super) fn events(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let file = read_events(&text);
    let lines = text.lines().filter(|line| !line.trim_start_matches('\u{feff}').trim().is_empty()).count() as u64;
    let counted = file.events.len() as u64 + file.skipped + file.duplicates + file.bad_lines.len() as u64;
    assert_eq!(counted, lines, "{text:?}");
    for event in &file.events {
        assert!(0 < event.start_us && event.start_us <= event.end_us, "{:?}", event.item);
        assert!(event.item["meeting_id"].as_str().is_some_and(|number| !number.is_empty()), "{:?}", event.item);
        let span = file.span_us().expect("there are events");
        assert!(span.0 <= event.start_us && event.end_us < span.1, "{span:?}");
    }
    let twice = read_events(&format!("{text}\n{text}"));
    assert_eq!(twice.events, file.events, "{text:?}");
}

/// No message may contain this.
const SECRET: &str = "Zq9-hunter2-Zq9";

/// What `vcq.toml` says of alerts is used or refused, and no message contains a secret. Other files are not read.
pub(super) fn alerts(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(table) = text.parse::<toml::Table>() else { return };
    let mut secrets = 0;
    if names_files(&table, &mut secrets) {
        return;
    }
    fs::create_dir_all(folder()).expect("made");
    let path = folder().join("vcq.toml");
    fs::write(&path, text.as_bytes()).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("private");
    // Elsewhere it is not known to be one.
    let is_secret = text.matches(SECRET).count() == secrets;
    let says_nothing = |text: String| assert!(!is_secret || !text.contains(SECRET), "{text}");
    let config = match Config::load(&Sources { config_flag: Some(path), ..Sources::default() }) {
        Ok(config) => config,
        Err(error) => return says_nothing(format!("{error} {error:?}")),
    };
    let settings = config.alerts.settings();
    says_nothing(format!("{settings:?}"));
    settings.problems.iter().for_each(|problem| says_nothing(problem.to_string()));
    let mut names = BTreeSet::new();
    for rule in &settings.rules {
        assert!(names.insert(&rule.name) && !rule.to.is_empty(), "{rule:?}");
        assert!((1..=64).contains(&rule.name.chars().count()), "{rule:?}");
        assert!(rule.quiet_for <= Duration::from_secs(366 * 86_400), "{rule:?}");
    }
    assert!(settings.channels.len() <= settings.channel_names.len());
}

/// Whether a key names another file. Counts the secrets in channels.
fn names_files(table: &toml::Table, secrets: &mut usize) -> bool {
    table.iter().any(|(key, value)| {
        if let (true, Some(text)) = (["url", "secret", "password"].contains(&key.as_str()), value.as_str()) {
            *secrets += text.matches(SECRET).count();
        }
        let mut in_list = |list: &Vec<toml::Value>| {
            list.iter().filter_map(toml::Value::as_table).any(|inner| names_files(inner, secrets))
        };
        key.ends_with("_file")
            || key.ends_with("_dir")
            || match value {
                toml::Value::Table(inner) => names_files(inner, secrets),
                toml::Value::Array(list) => in_list(list),
                _ => false,
            }
    })
}

/// An accepted condition is one expression over the rows of its report.
pub(super) fn conditions(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let rule = Rule {
        name: "r".to_owned(),
        report: "incidents".to_owned(),
        condition: Some(text.clone().into_owned()),
        since: None,
        until: None,
        quiet_for: Duration::ZERO,
        to: vec!["c".to_owned()],
        parameters: Vec::new(),
    };
    if PreparedRule::new(rule, Vec::new(), None, &["c".to_owned()]).is_err() {
        return;
    }
    let sql = format!("select count(*) from (select * from seen) where (\n{text}\n)");
    let connection = open_in_memory(Path::new(""), DatabaseOptions::default()).expect("a database");
    let query = format!("select json_serialize_sql({})::varchar", quoted(&sql));
    let json: String = connection.query_row(&query, [], |row| row.get(0)).expect("an answer");
    let tree: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(tree["error"], false, "{text:?}: {json}");
    assert_eq!(tree["statements"].as_array().map(Vec::len), Some(1), "{text:?}");
    let mut classes = BTreeMap::new();
    count(&tree, &mut classes);
    assert_eq!(classes.get("table seen"), Some(&1), "{text:?}: {json}");
    let more = classes.keys().find(|key| key.starts_with("table ") && *key != "table seen" || *key == "SUBQUERY");
    assert_eq!(more, None, "{text:?}: {json}");
}

/// How often each class and each table is in a syntax tree.
fn count(value: &Value, found: &mut BTreeMap<String, usize>) {
    match value {
        Value::Array(list) => list.iter().for_each(|item| count(item, found)),
        Value::Object(fields) => {
            let text = |key: &str| fields.get(key).and_then(Value::as_str);
            let keys = [text("class").map(str::to_owned), text("table_name").map(|name| format!("table {name}"))];
            keys.into_iter().flatten().for_each(|key| *found.entry(key).or_insert(0) += 1);
            fields.values().for_each(|field| count(field, found));
        }
        _ => {}
    }
}
