//! The tiles with their comparison, and the banners about missing data.

use serde_json::Value;

use super::incidents::Record;
use super::markup::Markup;
use super::period::Period;
use super::sentence::{counted, hours};
use super::shown::{self, count, number, parse_time, share};

/// A measure of the scorecard.
fn measure<'a>(scorecard: &'a [Record], name: &str) -> Option<&'a Record> {
    scorecard.iter().find(|row| row.get("measure").and_then(Value::as_str) == Some(name))
}

fn number_in(row: Option<&Record>, key: &str) -> Option<f64> {
    row?.get(key)?.as_f64()
}

/// `cpu_limited`: CPU-limited minutes that are not poor.
pub(super) fn tiles(scorecard: &[Record], cpu_limited: i64, period: Period, gate: f64) -> String {
    let of = |name: &str| measure(scorecard, name);
    let n = |name: &str| number_in(of(name), "n").unwrap_or_default();
    let meetings = [
        ("meetings", counted("meetings", n("poor_meetings") as i64)),
        ("hours", hours(number_in(of("hours"), "value").unwrap_or_default())),
    ];
    let minutes = Markup::fill("of.minutes", &[("n", count(n("poor_minutes") as i64))]);
    let minutes = match cpu_limited {
        0 => minutes,
        _ => {
            let cpu_limited = Markup::fill("of.cpu_limited", &[("n", count(cpu_limited))]);
            Markup::pair(format!("{}; {}", minutes.en, cpu_limited.en), format!("{}；{}", minutes.zh, cpu_limited.zh))
        }
    };
    let tiles = [
        ("poor_minutes", true, minutes),
        (
            "affected_participants",
            true,
            Markup::fill("of.participants", &[("n", count(n("affected_participants") as i64))]),
        ),
        ("poor_meetings", true, Markup::fill("of.meetings", &meetings)),
        ("coverage", false, Markup::fill("of.coverage", &[("gate", share(gate))])),
    ];
    let tiles: String =
        tiles.iter().map(|(name, less, of)| tile(name, measure(scorecard, name), *less, of, period)).collect();
    let name = Markup::word("s.tiles").render();
    format!(
        "<section id=\"s-tiles\" aria-labelledby=\"h-tiles\"><h2 id=\"h-tiles\" class=\"away\">{name}</h2><div class=\"tiles\">{tiles}</div></section>\n"
    )
}

fn tile(name: &str, row: Option<&Record>, less_is_better: bool, of: &Markup, period: Period) -> String {
    let is_percent = row.and_then(|row| row.get("unit")).and_then(Value::as_str) == Some("%");
    let value = match number_in(row, "value") {
        None => format!("<div class=\"value few\">{}</div>", Markup::word("too_few").render()),
        Some(value) if is_percent => format!("<div class=\"value\">{}<small>%</small></div>", number(value, 1)),
        Some(value) => format!("<div class=\"value\">{}</div>", number(value, 0)),
    };
    format!(
        "<div class=\"tile\" id=\"tile-{name}\"><div class=\"name\">{}</div>{value}<div class=\"of\">{}</div>\
         <div class=\"delta\">{}</div></div>",
        Markup::word(name).render(),
        of.render(),
        row.map(|row| change(row, is_percent, less_is_better, period).render()).unwrap_or_default()
    )
}

/// The difference to the earlier period, only over the days that both hold.
fn change(row: &Record, is_percent: bool, less_is_better: bool, period: Period) -> Markup {
    let before = Markup::word(&format!("before.{}", period.name()));
    let (held, all) = (number_in(Some(row), "held_days"), number_in(Some(row), "period_days"));
    if held == Some(0.0) {
        return Markup::fill("change.none", &[("before", before)]);
    }
    let Some(change) = number_in(Some(row), "change") else { return Markup::default() };
    let by = Markup::html(number(change.abs(), if is_percent { 1 } else { 0 }));
    let by = if is_percent { Markup::fill("pp", &[("n", by)]) } else { by };
    let (key, class) = match (change, is_percent) {
        (0.0, _) => ("change.same", "same"),
        (c, true) if c > 0.0 => ("change.up", if less_is_better { "worse" } else { "better" }),
        (_, true) => ("change.down", if less_is_better { "better" } else { "worse" }),
        (c, false) if c > 0.0 => ("change.more", if less_is_better { "worse" } else { "better" }),
        (_, false) => ("change.fewer", if less_is_better { "better" } else { "worse" }),
    };
    let by = by.within(&format!("<b class=\"{class}\">"), "</b>");
    let text = Markup::fill(key, &[("by", by), ("before", before)]);
    match (held, all) {
        (Some(held), Some(all)) if held < all => {
            let days = [("held", count(held as i64)), ("all", count(all as i64))];
            let held = Markup::fill("change.held", &days);
            Markup::pair(format!("{} ({})", text.en, held.en), format!("{}（{}）", text.zh, held.zh))
        }
        _ => text,
    }
}

pub(super) struct Coverage<'a> {
    pub(super) scorecard: &'a [Record],
    /// One row a day, as in the report coverage.
    pub(super) days: &'a [Record],
    pub(super) not_covered: &'a [Record],
    pub(super) reasons: &'a [Record],
    /// The coverage target in percent.
    pub(super) gate: f64,
}

/// What is missing, in words.
pub(super) fn banners(coverage: &Coverage<'_>) -> String {
    let text = |row: &Record, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut html = String::new();
    let mut low: Vec<String> =
        coverage.days.iter().filter(|row| text(row, "gate") == "gap").map(|row| text(row, "date")).collect();
    low.sort();
    let days =
        listed(low.iter().filter_map(|day| parse_time(day)).map(|time| shown::short_date(time.date())).collect());
    let row = measure(coverage.scorecard, "coverage");
    let value = number_in(row, "value").map(share).unwrap_or_default();
    let values = [("value", value), ("gate", share(coverage.gate)), ("days", days)];
    let is_missed = row.is_some_and(|row| text(row, "verdict") == "missed");
    if is_missed {
        html.push_str(&banner("bad", "banner.gap", &Markup::fill("banner.gap.text", &values)));
    } else if !low.is_empty() {
        html.push_str(&banner("note", "banner.days", &Markup::fill("banner.days.text", &values)));
    }
    let holes = coverage.not_covered.iter().filter_map(|hole| {
        Some(shown::stretch(parse_time(&text(hole, "since_local"))?, parse_time(&text(hole, "until_local"))?))
    });
    let holes: Vec<Markup> = holes.collect();
    if !holes.is_empty() {
        let holes = Markup::fill("banner.not_covered.text", &[("times", listed(holes))]);
        html.push_str(&banner("bad", "banner.not_covered", &holes));
    }
    let pending: f64 = coverage
        .reasons
        .iter()
        .filter(|row| text(row, "status") == "pending")
        .filter_map(|row| number_in(Some(row), "rows"))
        .sum();
    if pending > 0.0 {
        let pending = Markup::fill("banner.pending.text", &[("n", count(pending as i64))]);
        html.push_str(&banner("note", "banner.pending", &pending));
    }
    html
}

/// That people are shown as tokens, if one of the period has one.
pub(super) fn tokens(people: &[Record]) -> String {
    match people.is_empty() {
        true => String::new(),
        false => banner("note", "banner.tokens", &Markup::word("banner.tokens.text")),
    }
}

/// The first eight, and how many there are.
pub(super) fn listed(mut items: Vec<Markup>) -> Markup {
    let all = items.len();
    if all > 8 {
        items.truncate(8);
        items.push(Markup::fill("and_more", &[("n", count((all - 8) as i64))]));
    }
    Markup::join(&items)
}

pub(super) fn banner(kind: &str, title: &str, text: &Markup) -> String {
    format!(
        "<div class=\"banner {kind}\"><span class=\"mark\" aria-hidden=\"true\">▲</span><b>{}</b><span>{}</span></div>",
        Markup::word(title).render(),
        text.render()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(value: Value) -> Record {
        value.as_object().expect("a row").clone()
    }

    fn changed(value: Value) -> String {
        let is_percent = value.get("unit").is_none();
        let change = change(&row(value), is_percent, true, Period::Week);
        format!("{} | {}", change.en, change.zh)
    }

    #[test]
    fn a_comparison_says_how_many_days_both_periods_hold() {
        insta::assert_snapshot!(changed(json!({ "change": -0.14, "held_days": 7, "period_days": 7 })), @r#"<b class="better">0.1 pp</b> less than the week before | 比上周低 <b class="better">0.1 个百分点</b>"#);
        insta::assert_snapshot!(changed(json!({ "change": 2.0, "held_days": 3, "period_days": 7 })), @r#"<b class="worse">2.0 pp</b> more than the week before (3 of 7 days compared) | 比上周高 <b class="worse">2.0 个百分点</b>（7 天中仅对比两期均有数据的 3 天）"#);
        insta::assert_snapshot!(changed(json!({ "change": null, "held_days": 0, "period_days": 7 })), @"nothing to compare with: the week before is not in the store | 上周没有数据，无法对比");
        insta::assert_snapshot!(changed(json!({ "change": 0.0, "held_days": 7, "period_days": 7 })), @"the same as the week before | 与上周持平");
        insta::assert_snapshot!(changed(json!({ "change": 4.0, "unit": "meetings", "held_days": 7, "period_days": 7 })), @r#"<b class="worse">4</b> more than the week before | 比上周多 <b class="worse">4</b> 场"#);
        insta::assert_snapshot!(changed(json!({ "change": -1.0, "unit": "meetings", "held_days": 7, "period_days": 7 })), @r#"<b class="better">1</b> fewer than the week before | 比上周少 <b class="better">1</b> 场"#);
    }
}
