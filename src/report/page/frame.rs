//! What surrounds the content: title, heading, the switch of the language, and the list of sections.

use jiff::civil::Date;

use super::markup::{Markup, escaped};
use super::period::{Period, Span};
use super::shown::{self, count};
use super::words::find;

/// Facts of the heading.
pub(super) struct Heading<'a> {
    pub(super) period: Period,
    pub(super) span: &'a Span,
    pub(super) profile: &'a str,
    pub(super) days_with_meetings: usize,
    /// When the database was published, UTC.
    pub(super) published: Option<&'a str>,
}

pub(super) fn title(period: Period, since: Date) -> Markup {
    let date = match period {
        Period::Month => shown::month(since),
        Period::Week => shown::long_date(since),
        Period::Day => {
            let (weekday, date) = (shown::weekday(since), shown::long_date(since));
            Markup::pair(format!("{} {}", weekday.en, date.en), format!("{}（{}）", date.zh, weekday.zh))
        }
    };
    Markup::fill(&format!("title.{}", period.name()), &[("date", date)])
}

pub(super) fn header(heading: &Heading<'_>) -> String {
    let span = heading.span;
    let last = span.until.yesterday().unwrap_or(span.since);
    let mut meta = Vec::new();
    if heading.period != Period::Day {
        let (from, to) = (shown::date(span.since), shown::date(last));
        meta.push(Markup::pair(format!("{} – {} {}", from.en, to.en, last.year()), format!("{}至{}", from.zh, to.zh)));
        let days =
            [("days", count(heading.days_with_meetings as i64)), ("all", count(super::story::days(span).len() as i64))];
        meta.push(Markup::fill("meta.days", &days));
    }
    meta.push(Markup::fill("meta.profile", &[("profile", Markup::html(escaped(heading.profile)))]));
    if let Some(published) = heading.published {
        let time = published.get(..16).unwrap_or(published).replace('T', " ");
        meta.push(Markup::fill("meta.published", &[("time", Markup::html(escaped(&time)))]));
    }
    let meta: String = meta.iter().map(|item| format!("<span>{}</span>", item.render())).collect();
    format!(
        "<div class=\"words\"><h1 id=\"title\">{}</h1><div class=\"meta\">{meta}</div></div>\
         <div class=\"tools\" id=\"tools\"><div class=\"group\" id=\"languages\"><label for=\"lang-en\" lang=\"en\">English</label>\
         <label for=\"lang-zh\" lang=\"zh\">中文</label></div></div>",
        title(heading.period, span.since).render()
    )
}

pub(super) fn sections(names: &[&str]) -> String {
    let items: String = names
        .iter()
        .map(|name| {
            // A long heading has a short form here.
            let label = find(&format!("nav.{name}")).map_or_else(|| Markup::word(&format!("s.{name}")), Markup::of);
            format!("<li><a href=\"#s-{name}\">{}</a></li>", label.render())
        })
        .collect();
    format!("<nav class=\"sections\" id=\"sections\"><ul>{items}</ul></nav>")
}

pub(super) fn skip() -> String {
    Markup::word("skip").render()
}
