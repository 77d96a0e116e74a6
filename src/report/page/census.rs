//! Feishu's own count of meetings against the store: what is missing that no run noticed.

use duckdb::Connection;
use jiff::civil::Date;
use serde_json::Value;

use super::error::PageError;
use super::figures::{banner, listed};
use super::incidents::Record;
use super::markup::Markup;
use super::period::Span;
use super::query::{Window, date_literal, rows};
use super::shown::{count, parse_time, short_date};

/// The counts of the days of the page; a store that was synced without `--also census` has none.
#[derive(Debug, Clone, Default)]
pub(super) struct Census {
    /// Days that Feishu has counted, with its meetings and those that the store holds of them.
    days: i64,
    counted: i64,
    held: i64,
    /// Days of which the store lacks meetings, and how many.
    short: Vec<(Date, i64)>,
    /// Meetings that an event names and no meeting list returned.
    unlisted: i64,
}

pub(super) fn read(connection: &Connection, window: &Window<'_>) -> Result<Census, PageError> {
    let (since, until) = (date_literal(window.span.since), date_literal(window.span.until));
    // Feishu's day may begin up to a day before or after the local one, as in the report reconcile.
    let totals = format!(
        "select count(*) as days, cast(coalesce(sum(d.counted), 0) as bigint) as counted,
             cast(coalesce(sum(d.held), 0) as bigint) as held
         from (
             select c.meeting_date, max(c.meetings) as counted, count(k.meeting_key) as held
             from census_daily as c
             cross join meta as t
             left join meetings as k
                 on k.start_time_utc >= c.day_start_utc and k.start_time_utc < c.day_start_utc + interval '24 hours'
                 and k.meeting_date >= c.meeting_date - 1 and k.meeting_date <= c.meeting_date + 1
             where c.meetings is not null and c.day_start_utc + interval '24 hours' <= t.created_utc
                 and c.meeting_date >= cast({since} as date) and c.meeting_date < cast({until} as date)
             group by c.meeting_date
         ) as d"
    );
    let integer = |row: &Record, name: &str| row.get(name).and_then(Value::as_i64).unwrap_or_default();
    let mut census = Census::default();
    for row in rows(connection, "counts of Feishu", &totals)?.objects() {
        (census.days, census.counted, census.held) =
            (integer(&row, "days"), integer(&row, "counted"), integer(&row, "held"));
    }
    let short = format!(
        "select date, what, feishu_meetings - held_meetings as missing from report_reconcile({})
         where what in ('day', 'meeting') and feishu_meetings > held_meetings
             and coalesce(explanation, '') not like '%day boundary%' order by date",
        window.since_until()
    );
    for row in rows(connection, "counts of Feishu", &short)?.objects() {
        let date = row.get("date").and_then(Value::as_str).and_then(parse_time);
        match (row.get("what").and_then(Value::as_str), date) {
            (Some("day"), Some(date)) => census.short.push((date.date(), integer(&row, "missing"))),
            _ => census.unlisted += integer(&row, "missing"),
        }
    }
    Ok(census)
}

impl Census {
    pub(super) fn short_days(&self) -> impl Iterator<Item = Date> + '_ {
        self.short.iter().map(|(day, _)| *day)
    }

    /// Meetings that the store lacks.
    pub(super) fn missing(&self) -> i64 {
        self.short.iter().map(|(_, missing)| missing).sum()
    }

    /// Both counts, or that there is nothing to compare with.
    pub(super) fn line(&self, span: &Span) -> Markup {
        match self.days {
            0 => Markup::word("census.none"),
            _ => Markup::fill("census.line", &self.counts(span)),
        }
    }

    fn counts(&self, span: &Span) -> [(&'static str, Markup); 4] {
        let all = super::story::days(span).len() as i64;
        [("n", count(self.counted)), ("held", count(self.held)), ("days", count(self.days)), ("all", count(all))]
    }

    /// What is missing, in words.
    pub(super) fn banners(&self, span: &Span) -> String {
        let mut html = String::new();
        if !self.short.is_empty() {
            let day = |(day, n): &(Date, i64)| {
                Markup::fill("banner.census.day", &[("day", short_date(*day)), ("n", count(*n))])
            };
            let command = format!("vcq-etl report run reconcile --since {} --until {}", span.since, span.until);
            let command = Markup::html(format!("<code>{command}</code>"));
            let values = [("days", listed(self.short.iter().map(day).collect())), ("command", command)];
            html.push_str(&banner("bad", "banner.census", &Markup::fill("banner.census.text", &values)));
        }
        if self.unlisted > 0 {
            let text = Markup::fill("banner.unlisted.text", &[("n", count(self.unlisted))]);
            html.push_str(&banner("bad", "banner.unlisted", &text));
        }
        html
    }
}
