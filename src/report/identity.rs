//! The keys of a report's header that say which rows are the same problem, for alerts.
//!
//! `key: scope, metric (loss = delay)` names the columns that identify a row, and the values that count as one.
//! `span: start to end`: rows with the same key are the same problem only if their spans overlap. `grows: severity:
//! minor, major, critical` is the column that says how bad it is, with its values from mild to bad.

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    pub key: Vec<KeyColumn>,
    pub span: Option<(String, String)>,
    pub grows: Option<Scale>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    pub name: String,
    /// These values count as the first of them.
    pub same: Vec<String>,
}

/// Values from mild to bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    pub column: String,
    pub values: Vec<String>,
}

impl Identity {
    pub(super) fn add(&mut self, key: &str, value: &str) -> Result<(), String> {
        let is_given = match key {
            "key" => {
                let columns = key_columns(value).ok_or("expected: -- key: column, column (value = value)")?;
                !std::mem::replace(&mut self.key, columns).is_empty()
            }
            "span" => {
                let (start, end) = value.split_once(" to ").ok_or("expected: -- span: column to column")?;
                self.span.replace((start.trim().to_owned(), end.trim().to_owned())).is_some()
            }
            _ => {
                let (column, values) = value.split_once(": ").ok_or("expected: -- grows: column: value, value")?;
                let values = values.split(',').map(|value| value.trim().to_owned()).collect();
                self.grows.replace(Scale { column: column.trim().to_owned(), values }).is_some()
            }
        };
        if is_given { Err(format!("{key} appears twice")) } else { Ok(()) }
    }

    /// All columns that it names.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let span = self.span.iter().flat_map(|(start, end)| [start, end]);
        let grows = self.grows.iter().map(|scale| &scale.column);
        self.key.iter().map(|column| &column.name).chain(span).chain(grows).map(String::as_str)
    }
}

impl KeyColumn {
    /// What identifies a row with this value.
    pub(crate) fn part<'a>(&'a self, text: &'a str) -> &'a str {
        match self.same.first() {
            Some(first) if self.same.iter().any(|same| same == text) => first,
            _ => text,
        }
    }
}

impl Scale {
    /// From 1; 0 for a value that is not on it.
    pub(crate) fn rank(&self, text: &str) -> u32 {
        self.values.iter().position(|value| value == text).map_or(0, |at| at as u32 + 1)
    }

    pub(crate) fn value(&self, rank: u32) -> Option<&str> {
        self.values.get(usize::try_from(rank).ok()?.checked_sub(1)?).map(String::as_str)
    }
}

fn key_columns(text: &str) -> Option<Vec<KeyColumn>> {
    let column = |text: &str| {
        let (name, same) = match text.trim().split_once('(') {
            Some((name, rest)) => (name, rest.trim_end().strip_suffix(')')?.split('=').collect()),
            None => (text, Vec::new()),
        };
        let same: Vec<String> = same.into_iter().map(|value| value.trim().to_owned()).collect();
        let name = name.trim().to_owned();
        (!name.is_empty() && same.len() != 1).then_some(KeyColumn { name, same })
    };
    text.split(',').map(column).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::report::{Arguments, Catalogue};

    #[test]
    fn the_keys_are_read() {
        let mut identity = Identity::default();
        identity.add("key", "scope, metric (loss = delay)").expect("a key");
        identity.add("span", "start to end").expect("a span");
        identity.add("grows", "severity: minor, major").expect("a scale");
        assert_eq!(identity.columns().collect::<Vec<_>>(), ["scope", "metric", "start", "end", "severity"]);
        assert_eq!(["loss", "delay", "cpu"].map(|text| identity.key[1].part(text)), ["loss", "loss", "cpu"]);
        assert_eq!(identity.key[0].part("delay"), "delay");
        let scale = identity.grows.as_ref().expect("a scale");
        assert_eq!(["minor", "major", "odd"].map(|text| scale.rank(text)), [1, 2, 0]);
        assert_eq!((scale.value(2), scale.value(0), scale.value(3)), (Some("major"), None, None));
        for (key, value) in [
            ("key", "scope"),
            ("key", "a (b"),
            ("key", "a,, b"),
            ("key", "a (b)"),
            ("span", "a b"),
            ("span", "a to b"),
            ("grows", "a"),
            ("grows", "a: b"),
        ] {
            assert!(identity.clone().add(key, value).is_err(), "{key}: {value}");
        }
    }

    #[test]
    fn the_key_of_every_report_identifies_its_rows() {
        let database = crate::report::fixture::tenant();
        for report in Catalogue::built_in().expect("reports").reports() {
            let identity = &report.header.identity;
            assert!(!identity.key.is_empty(), "{} has no key", report.name);
            let required = report.header.parameters.iter().filter(|parameter| parameter.is_required);
            let given: Vec<_> = required.map(|parameter| (parameter.name.clone(), "100000001".to_owned())).collect();
            let arguments = Arguments::resolve(&report.name, &report.header, &given).expect("arguments");
            let result = crate::report::run(&database, report, &arguments).expect("runs");
            let at = |name: &String| result.columns.iter().position(|column| column == name).expect("a column");
            let columns =
                identity.key.iter().map(|column| &column.name).chain(identity.span.iter().map(|span| &span.0));
            let columns: Vec<usize> = columns.map(at).collect();
            let mut keys = BTreeSet::new();
            for row in &result.rows {
                let key: Vec<String> = columns.iter().map(|at| row[*at].text()).collect();
                assert!(keys.insert(key.clone()), "{}: two rows with the key {key:?}", report.name);
            }
        }
    }
}
