//! The document of a page on the small tenant, read without scripts.

use std::sync::LazyLock;

use duckdb::Connection;
use jiff::civil::date;

use super::{Language, PageRequest, Period, build};
use crate::report::fixture::tenant;

/// An outage of one site on 3 November, a chronic room, and a version that began before the week.
const INCIDENTS: &str = "
insert into incidents by name
select * from (values
    ('i-site', 'acute', 'site', '10.2.0.0/24', 'jitter', 'both', timestamp '2026-11-03 01:02:00', timestamp '2026-11-03 09:02:00',
        timestamp '2026-11-03 01:40:00', timestamp '2026-11-03 09:40:00', 3, 1, 12, 14, 85.7, 0.4, 0.6, 0.001, 'major', 'said', date '2026-11-03'),
    ('i-room', 'chronic', 'room', 'cid', 'loss', 'received', timestamp '2026-10-26 01:00:00', timestamp '2026-10-26 09:00:00',
        timestamp '2026-11-02 01:09:00', timestamp '2026-11-02 09:09:00', 1, 9, 31, 220, 14.1, null, 0.6, 0.02, 'minor', 'said', date '2026-11-02'),
    ('i-version', 'chronic', 'app_version', '7.2.0', 'cpu', 'sent', timestamp '2026-10-28 01:00:00', timestamp '2026-10-28 09:00:00',
        timestamp '2026-11-04 01:01:00', timestamp '2026-11-04 09:01:00', 10, 2, 40, 60, 66.7, 1.2, null, 0.03, 'critical', 'said', date '2026-11-04')
) as v(incident_id, kind, scope_kind, scope, metric, direction, start_time_utc, start_time_local, end_time_utc, end_time_local, participants,
    meetings, poor_minutes, judged_minutes, poor_pct, usual_poor_pct, elsewhere_poor_pct, q_value, severity, summary, meeting_date);
insert into incident_participants by name
select * from (values
    ('i-site', 'C/p0', 4, date '2026-11-03'), ('i-site', 'C/p3', 4, date '2026-11-03'), ('i-site', 'C/p6', 4, date '2026-11-03'),
    ('i-room', 'A/cid', 3, date '2026-11-02'), ('i-version', 'D/p1', 20, date '2026-11-04'), ('i-version', 'D/p2', 20, date '2026-11-04')
) as v(incident_id, participant_key, poor_minutes, meeting_date);
";

fn database(incidents: &str) -> Connection {
    let database = tenant();
    database.execute_batch(incidents).expect("incidents");
    database
}

fn request(language: Language) -> PageRequest {
    PageRequest {
        period: Period::Week,
        date: Some(date(2026, 11, 2)),
        today: None,
        profile: "cqd".to_owned(),
        language,
        meetings: 20,
    }
}

/// The page with these incidents; the same for most tests.
static PAGE: LazyLock<String> = LazyLock::new(|| page(INCIDENTS));

fn page(incidents: &str) -> String {
    build(&database(incidents), &request(Language::English)).expect("a page").html
}

/// What a reader of one language sees without scripts: text, a line per block.
fn read(html: &str, section: &str, language: &str) -> String {
    let start = html.find(&format!("id=\"s-{section}\"")).unwrap_or_else(|| panic!("no section {section}"));
    let start = html[start..].find('>').expect("closed") + start + 1;
    let end = html[start..].find("</section>").expect("closed") + start;
    let mut text = String::new();
    let mut rest = &html[start..end];
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        let close = at + rest[at..].find('>').expect("a tag ends");
        let (tag, after) = (&rest[at..=close], &rest[close + 1..]);
        rest = after;
        if let Some(other) = tag.strip_prefix("<span lang=\"") {
            if !other.starts_with(language) {
                // The markup of a language has no other languages in it, but may have other spans.
                let mut depth = 1;
                while depth > 0 {
                    let at = rest.find("span").expect("spans end");
                    depth = if rest[..at].ends_with('/') { depth - 1 } else { depth + 1 };
                    rest = &rest[at + 4..];
                }
                rest = &rest[1..];
            }
        } else if ["<p", "<li", "<tr", "<div", "<dd", "<dt", "<section", "<h", "<summary"]
            .iter()
            .any(|open| tag.starts_with(open))
        {
            text.push('\n');
        } else if tag.starts_with("<td") || tag.starts_with("<th") {
            text.push_str(" | ");
        }
    }
    let text = text.replace("&gt;", ">").replace("&#39;", "'").replace('\u{a0}', " ");
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_story_is_in_the_document_in_english() {
    insta::assert_snapshot!(read(&PAGE, "story", "en"));
}

#[test]
fn the_story_is_in_the_document_in_chinese() {
    insta::assert_snapshot!(read(&PAGE, "story", "zh"));
}

#[test]
fn chronic_trouble_is_in_the_document() {
    let page = &*PAGE;
    insta::assert_snapshot!(format!("{}\n{}", read(page, "chronic", "en"), read(page, "chronic", "zh")));
}

#[test]
fn tables_and_tiles_are_in_the_document() {
    let page = &*PAGE;
    for section in
        ["tiles", "trend", "meetings", "causes", "sites", "rooms", "networks", "versions", "cpu", "coverage", "method"]
    {
        for language in ["en", "zh"] {
            assert!(read(page, section, language).lines().count() > 2, "{section} {language}");
        }
    }
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for section in ["coverage", "method"] {
        let english = read(page, section, "en");
        assert!(!english.contains(is_chinese), "{english}");
        // Reasons and sources of thresholds too.
        for line in read(page, section, "zh").lines() {
            assert!(line.contains(is_chinese) || !line.contains(|c: char| c.is_ascii_lowercase()), "{line}");
        }
    }
}

#[test]
fn a_state_comes_from_incidents_and_not_from_an_average() {
    let sites = read(&PAGE, "sites", "en");
    let site = sites.lines().find(|line| line.contains("10.2.0.0/24")).expect("the site");
    assert!(site.contains("major"), "{site}");
    let other = sites.lines().find(|line| line.contains("10.1.2.0/24")).expect("the other site");
    assert!(other.contains("no incident"), "{other}");
    assert!(!sites.contains("healthy"));
    assert!(read(&PAGE, "rooms", "en").lines().any(|line| line.contains("cid") && line.contains("minor")));
    assert!(read(&PAGE, "versions", "zh").lines().any(|line| line.contains("7.2.0") && line.contains("严重")));
}

#[test]
fn no_incidents_is_said_with_the_days_that_nobody_can_judge() {
    let story = page("");
    insta::assert_snapshot!(format!("{}\n{}", read(&story, "story", "en"), read(&story, "story", "zh")));
}

#[test]
fn hostile_names_are_text() {
    let hostile = "update meetings set meeting_topic = '</script><script>alert(1)</script>';
        update participants set participant_name = '<img src=x onerror=alert(1)>\u{202e}';
        update incidents set scope = '<svg onload=alert(1)>', incident_id = 'a''; rm -rf \"$HOME\"' where incident_id = 'i-site';
        update incident_participants set incident_id = 'a''; rm -rf \"$HOME\"' where incident_id = 'i-site';";
    let html = page(&format!("{INCIDENTS}{hostile}"));
    // The data for the scripts is JSON, of which the scripts make text.
    let document = html.split("<script").next().unwrap_or_default();
    for text in ["<script>alert", "<img", "<svg onload", "\u{202e}"] {
        assert!(!document.contains(text), "{text}");
    }
    assert_eq!(html.matches("<script").count(), 2);
    assert!(
        html.contains("vcq-etl report incident &#39;a&#39;\\&#39;&#39;; rm -rf"),
        "the command is quoted for a shell"
    );
}

#[test]
fn the_language_of_the_document_is_the_chosen_one() {
    let database = database(INCIDENTS);
    let checked = |language| {
        let html = build(&database, &request(language)).expect("a page").html;
        let lang =
            html.split_once("<html lang=\"").expect("a document").1.split('"').next().unwrap_or_default().to_owned();
        let zh = html.contains("id=\"lang-zh\" class=\"away\" value=\"zh\" checked");
        let en = html.contains("id=\"lang-en\" class=\"away\" value=\"en\" checked");
        (lang, en, zh, html.contains("<title>会议质量周报"))
    };
    assert_eq!(checked(Language::Auto), ("en".to_owned(), true, false, false));
    assert_eq!(checked(Language::English), ("en".to_owned(), true, false, false));
    assert_eq!(checked(Language::Chinese), ("zh-CN".to_owned(), false, true, true));
}
