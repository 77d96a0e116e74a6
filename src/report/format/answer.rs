//! The answer of a report: everything that an output format can show.

use crate::report::arguments::Arguments;
use crate::report::catalogue::{QUERY_AREA, Report};
use crate::report::header::ReportColumn;
use crate::report::result::ResultSet;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub report: &'a Report,
    pub arguments: &'a Arguments,
    pub result: &'a ResultSet,
    /// Why there are no rows; empty if there are some.
    pub empty_reason: &'a str,
    /// The window in words; empty for a report without one.
    pub window: &'a str,
    /// The command to type next; empty if there is none.
    pub next: &'a str,
}

impl Answer<'_> {
    /// The command that gives it.
    pub(super) fn command(&self) -> String {
        match self.report.area {
            QUERY_AREA => "vcq-etl query".to_owned(),
            _ => format!("vcq-etl report run {}", self.report.name),
        }
    }

    pub(super) fn column(&self, name: &str) -> Option<&ReportColumn> {
        self.report.header.column(name)
    }

    /// The parameters on one line; the window is stated apart.
    pub(super) fn parameters(&self) -> String {
        let without: &[&str] = if self.window.is_empty() { &[] } else { &["since", "until"] };
        self.arguments.summary(without, self.report.language)
    }
}

#[cfg(test)]
pub(crate) fn fixture_report() -> Report {
    let sql = "-- id: r98\n-- title: Minutes & <topics>\n-- question: Which topics?\n-- audience: everybody\n\
        -- parameter: since date: First day.\n-- parameter: profile text = cqd: Thresholds.\n\
        -- column: topic: The topic.\n-- column: minutes min: How many.\n-- column: poor_pct %: Poor ones.\n\
        -- threshold: Own choice.\n-- caveat: Not all of it.\n-- empty: There are no topics.\nselect 1\n";
    Report {
        name: "topics".to_owned(),
        area: crate::report::catalogue::CUSTOM_AREA,
        sql: sql.to_owned(),
        header: crate::report::Header::parse("topics", sql).expect("header"),
        file: None,
        language: crate::text::Language::English,
    }
}
