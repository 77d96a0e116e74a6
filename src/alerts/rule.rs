//! A rule of `vcq.toml`, and its check against the report that it names.

use std::path::Path;
use std::time::Duration;

use super::condition::Condition;
use super::error::AlertError;
use crate::report::next::{Carried, command};
use crate::report::{Arguments, Catalogue, Report, ReportError};

/// A rule as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub name: String,
    pub report: String,
    /// SQL over the columns of the report; `None` matches every row.
    pub condition: Option<String>,
    /// The window, in the forms of `--since` and `--until`.
    pub since: Option<String>,
    pub until: Option<String>,
    /// A row is not sent again before this time has passed.
    pub quiet_for: Duration,
    /// Names of channels.
    pub to: Vec<String>,
    /// Further parameters of the report.
    pub parameters: Vec<(String, String)>,
}

/// A rule whose report, parameters, condition and channels exist.
#[derive(Debug)]
pub(crate) struct PreparedRule {
    pub rule: Rule,
    pub report: Report,
    pub arguments: Arguments,
    pub condition: Option<Condition>,
    /// For the commands in messages: `--store` or `--tenant`, if they would read another store without it.
    pub store_flag: Option<[String; 2]>,
}

impl PreparedRule {
    /// `settings` are the rule's window and the setting `profile`, as parameters of a report. Those that the report
    /// does not have are left out, so that a rule without `since` may use any report.
    pub(crate) fn new(
        rule: Rule,
        settings: Vec<(String, String)>,
        reports_dir: Option<&Path>,
        channels: &[String],
    ) -> Result<PreparedRule, AlertError> {
        let of_report = |source| AlertError::Report { rule: rule.name.clone(), source: Box::new(source) };
        let report = catalogue(reports_dir).and_then(|catalogue| catalogue.find(&rule.report)).map_err(of_report)?;
        let is_parameter = |name: &str| report.header.parameter(name).is_some();
        if let Some((name, _)) = rule.parameters.iter().find(|(name, _)| !is_parameter(name)) {
            let known = report.header.parameters.iter().map(|parameter| parameter.name.clone());
            // since and until are keys of a rule and parameters of a report.
            let keys = RULE_KEYS.iter().filter(|key| !is_parameter(key)).map(|key| (*key).to_owned());
            let known = known.chain(keys).collect();
            return Err(AlertError::UnknownKey { rule: rule.name, key: name.clone(), report: report.name, known });
        }
        let given = |name: &str| match name {
            "since" => rule.since.is_some(),
            "until" => rule.until.is_some(),
            _ => false,
        };
        if let Some((name, _)) = settings.iter().find(|(name, _)| given(name) && !is_parameter(name)) {
            let error = AlertError::NoWindow { rule: rule.name.clone(), report: report.name, key: name.clone() };
            return Err(error);
        }
        // As in `report run`: without a default, the profile is that of the store.
        let has_default = |name: &str| report.header.parameter(name).is_some_and(|one| one.default.is_some());
        let is_given = |name: &str| rule.parameters.iter().any(|(given, _)| given == name);
        let settings = settings.into_iter().filter(|(name, _)| match name.as_str() {
            "profile" => has_default(name) && !is_given(name),
            _ => is_parameter(name),
        });
        let values: Vec<(String, String)> = settings.chain(rule.parameters.clone()).collect();
        let arguments = Arguments::resolve(&report.name, &report.header, &values).map_err(of_report)?;
        let columns: Vec<&str> = report.header.columns.iter().map(|column| column.name.as_str()).collect();
        let condition =
            rule.condition.as_deref().map(|text| Condition::check(&rule.name, text, &columns)).transpose()?;
        if let Some(name) = rule.to.iter().find(|name| !channels.contains(name)) {
            return Err(AlertError::UnknownChannel {
                rule: rule.name.clone(),
                channel: name.clone(),
                known: channels.to_vec(),
            });
        }
        Ok(PreparedRule { report, arguments, condition, rule, store_flag: None })
    }

    /// The command that shows the report of the rule.
    pub(super) fn command(&self) -> String {
        let mut words = ["report", "run", &self.report.name].map(str::to_owned).to_vec();
        for argument in self.arguments.iter().filter(|argument| !WINDOW.contains(&argument.name.as_str())) {
            let default = self.report.header.parameter(&argument.name).and_then(|known| known.default.clone());
            if let Some(value) = argument.value.as_deref().filter(|value| default.as_deref() != Some(value)) {
                words.extend(["--param".to_owned(), format!("{}={value}", argument.name)]);
            }
        }
        command(words, &Carried { profile: None, ..self.carried() })
    }

    /// What the next command shares with the rule.
    pub(super) fn carried(&self) -> Carried {
        let flag = |name: &&str| Some([format!("--{name}"), self.arguments.get(name)?.to_owned()]);
        let profile = self.rule.parameters.iter().find(|(name, _)| name == "profile");
        Carried {
            window: WINDOW.iter().filter_map(flag).flatten().collect(),
            profile: profile.map(|(_, value)| value.clone()),
            store: self.store_flag.clone(),
        }
    }
}

/// The parameters that are flags of every command with a window.
const WINDOW: &[&str] = &["since", "until"];

/// The keys of a rule that are not parameters of its report.
pub(super) const RULE_KEYS: &[&str] = &["name", "report", "where", "since", "until", "quiet_for", "to"];

fn catalogue(reports_dir: Option<&Path>) -> Result<Catalogue, ReportError> {
    reports_dir.map_or_else(Catalogue::built_in, Catalogue::with_folder)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::alerts) fn rule() -> Rule {
        Rule {
            name: "outage".to_owned(),
            report: "worst-participants".to_owned(),
            condition: Some("poor_pct > 20".to_owned()),
            since: None,
            until: None,
            quiet_for: Duration::from_secs(43_200),
            to: vec!["it-ops".to_owned()],
            parameters: vec![("top".to_owned(), "5".to_owned())],
        }
    }

    fn prepare(rule: Rule) -> Result<PreparedRule, AlertError> {
        let days = vec![("since".to_owned(), "2026-11-18".to_owned())];
        PreparedRule::new(rule, days, None, &["it-ops".to_owned(), "mail".to_owned()])
    }

    #[test]
    fn a_rule_is_prepared_with_its_report() {
        let prepared = prepare(rule()).expect("prepared");
        assert_eq!(prepared.command(), "vcq-etl report run worst-participants --param top=5 --since 2026-11-18");
        let profile = ("profile".to_owned(), "strict".to_owned());
        let elsewhere = PreparedRule {
            store_flag: Some(["--store", "/srv/a store"].map(str::to_owned)),
            ..prepare(Rule { parameters: vec![profile], ..rule() }).expect("prepared")
        };
        assert_eq!(
            elsewhere.command(),
            "vcq-etl report run worst-participants --param profile=strict --since 2026-11-18 --store '/srv/a store'"
        );
        let incident = command(["report", "incident", "i"].map(str::to_owned).to_vec(), &elsewhere.carried());
        assert_eq!(incident, "vcq-etl report incident i --profile strict --store '/srv/a store'");
        // The setting is for reports that have a default profile and rules without one.
        let judged = |rule: Rule| {
            let settings = vec![("profile".to_owned(), "huawei-red".to_owned())];
            let prepared = PreparedRule::new(rule, settings, None, &["it-ops".to_owned()]).expect("prepared");
            prepared.arguments.get("profile").map(str::to_owned)
        };
        assert_eq!(judged(rule()).as_deref(), Some("huawei-red"));
        assert_eq!(judged(elsewhere.rule).as_deref(), Some("strict"));
        let plain = |report: &str| Rule {
            report: report.to_owned(),
            condition: None,
            until: Some("1d".to_owned()),
            parameters: Vec::new(),
            ..rule()
        };
        assert_eq!(["incidents", "coverage"].map(|report| judged(plain(report))), [None, None]);
        // A report without a window takes a rule without one.
        let sheet = Rule { report: "threshold-sheet".to_owned(), condition: None, parameters: Vec::new(), ..rule() };
        assert_eq!(prepare(sheet.clone()).expect("prepared").arguments.get("since"), None);
        let error = prepare(Rule { since: Some("2d".to_owned()), ..sheet }).expect_err("refused");
        assert_eq!(error.to_string(), "rule outage: the report threshold-sheet has no parameter since");
    }

    #[test]
    fn unknown_reports_columns_parameters_and_channels_are_refused() {
        let error = |rule: Rule| crate::text::error_chain(&prepare(rule).expect_err("refused"));
        let report = Rule { report: "worst-participant".to_owned(), ..rule() };
        assert_eq!(error(report), "rule outage: there is no report \"worst-participant\"");
        let column = Rule { condition: Some("poor_pc > 20".to_owned()), ..rule() };
        assert_eq!(error(column), "rule outage: where names \"poor_pc\", which is not a column of its report");
        let key = Rule { parameters: vec![("quiet".to_owned(), "1".to_owned())], ..rule() };
        assert!(
            error(key).starts_with("rule outage: \"quiet\" is neither a key of a rule nor a parameter of the report")
        );
        let key = Rule { parameters: vec![("quiet".to_owned(), "1".to_owned())], ..rule() };
        let Err(AlertError::UnknownKey { known, .. }) = prepare(key) else { panic!("a known key") };
        let distinct: std::collections::BTreeSet<&String> = known.iter().collect();
        assert!(known.len() == distinct.len() && known.iter().any(|name| name == "since"), "{known:?}");
        let channel = Rule { to: vec!["it-op".to_owned()], ..rule() };
        assert_eq!(error(channel), "rule outage: there is no channel \"it-op\"");
    }
}
