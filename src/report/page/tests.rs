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
    let gap = "<span class=\"gap\">\u{a0}</span>";
    let html = &html.replace(gap, if language == "zh" { "" } else { "\u{a0}" });
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
    // The incident of a room is not one of its site, as in the report by-site, but it is named there.
    let of_room =
        sites.lines().find(|line| line.contains("see also room cid: loss received")).expect("the room's site");
    assert!(!of_room.contains("minor"), "{of_room}");
    assert!(read(&PAGE, "sites", "zh").contains("另见会议室 cid：接收方向丢包"));
    assert!(!sites.contains("healthy"));
    assert!(read(&PAGE, "rooms", "en").lines().any(|line| line.contains("cid") && line.contains("minor")));
    assert!(read(&PAGE, "versions", "zh").lines().any(|line| line.contains("7.2.0") && line.contains("严重")));
}

#[test]
fn no_incidents_is_said_with_the_days_that_nobody_can_judge() {
    let story = page("");
    insta::assert_snapshot!(format!("{}\n{}", read(&story, "story", "en"), read(&story, "story", "zh")));
}

/// More days before the week than a search for incidents needs.
const HISTORY: &str = "
insert into judged_participants by name
select j.* replace (d.meeting_date as meeting_date, 'Z/' || d.meeting_date as participant_key)
from (select * from judged_participants limit 1) as j
cross join (select date '2026-10-20' + cast(i.range as integer) as meeting_date from range(6) as i) as d;
";

#[test]
fn days_with_too_little_history_are_named() {
    let early = page("");
    assert!(read(&early, "story", "en").contains("On Mon 2 Nov, Tue 3 Nov, Wed 4 Nov, only severe incidents"));
    assert!(read(&early, "chronic", "en").contains("Too early to say"));
    let later = page(HISTORY);
    for (section, language, words) in [
        ("story", "en", "only severe"),
        ("story", "zh", "影响很大"),
        ("chronic", "en", "Too early"),
        ("chronic", "zh", "暂无法判断"),
    ] {
        assert!(read(&early, section, language).contains(words), "{section} {language}");
        assert!(!read(&later, section, language).contains(words), "{section} {language}");
    }
}

#[test]
fn incidents_beyond_the_week_are_marked_and_counted_as_a_whole() {
    // The version's incident has a later row: another person and meeting after the week.
    let later = "
        insert into meetings by name select * replace ('F' as meeting_topic, '100000006-1794186000' as meeting_key,
            meeting_date + 6 as meeting_date, start_time_local + interval '6 days' as start_time_local)
            from meetings where meeting_topic = 'D';
        insert into participants by name select * replace ('F/p7' as participant_key, '100000006-1794186000' as meeting_key,
            meeting_date + 6 as meeting_date) from participants where participant_key = 'D/p7';
        insert into incidents by name select * replace ('i-later' as incident_id, meeting_date + 6 as meeting_date,
            end_time_utc + interval '6 days' as end_time_utc, end_time_local + interval '6 days' as end_time_local,
            3 as participants, 2 as meetings, 71 as poor_minutes) from incidents where incident_id = 'i-version';
        insert into incident_participants by name
            select 'i-later' as incident_id, 'F/p7' as participant_key, 31 as poor_minutes, date '2026-11-10' as meeting_date;";
    let html = page(&format!("{INCIDENTS}{later}"));
    let story = read(&html, "story", "en");
    assert!(
        story.contains(
            "Began before this week and still going on as of Tue 10 Nov; the numbers cover the whole incident."
        ),
        "{story}"
    );
    assert!(story.contains("p7 31 min, p1 20 min, p2 20 min") && !story.contains("and 1 more"), "{story}");
    assert!(story.contains("71 of"), "{story}");
    // What is said of the week itself has only the days of the week.
    assert!(story.contains("6 people or rooms in 3 meetings were affected this week."), "{story}");
    assert_eq!(html.matches("<i class=\"before after\"").count(), 1);
    assert!(read(&html, "chronic", "en").contains("also outside this week"));
    let before = &*PAGE;
    assert_eq!(before.matches("<i class=\"before\"").count(), 1, "it ends in the week");
    assert!(!read(before, "story", "en").contains("still going on"));
}

/// Complete runs around 5 November, and the counts of Feishu for two days: one meeting of 3 November is missing.
const MISSING: &str = "
delete from runs;
insert into runs by name select * from (values
    ('h1', 'sync', timestamp '2026-11-01 16:00:00', timestamp '2026-11-04 16:00:00', timestamp '2026-11-05 02:00:00', 0),
    ('h2', 'sync', timestamp '2026-11-05 16:00:00', timestamp '2026-11-06 18:00:00', timestamp '2026-11-06 18:00:00', 0)
) as r(run_id, command, since_utc, until_utc, started_utc, exit_code);
insert into census_daily by name select * from (values
    (date '2026-11-02', timestamp '2026-11-01 16:00:00', 2, 5, 0), (date '2026-11-03', timestamp '2026-11-02 16:00:00', 2, 10, 0)
) as c(meeting_date, day_start_utc, meetings, participants, duration_s);
";

#[test]
fn what_is_missing_is_in_the_document() {
    let html = page(&format!("{HISTORY}{MISSING}"));
    let english = read(&html, "coverage", "en");
    assert!(english.contains("No complete run covers Thu 5 Nov 00:00 – Fri 6 Nov 00:00"), "{english}");
    assert!(english.contains("Feishu counts 4 meetings on 2 of 7 days; the store holds 3 on these days."), "{english}");
    assert!(english.contains("Feishu counts more meetings than the store holds: Tue 3 Nov (1 missing)."), "{english}");
    assert!(english.contains("vcq-etl report run reconcile --since 2026-11-02 --until 2026-11-09"), "{english}");
    let chinese = read(&html, "coverage", "zh");
    assert!(chinese.contains("11月5日（周四）00:00至11月6日（周五）00:00 没有完整的同步记录"), "{chinese}");
    assert!(chinese.contains("飞书统计：7 天中的 2 天共 4 场会议；本地数据中这些天有 3 场。"), "{chinese}");
    assert!(chinese.contains("11月3日（缺 1 场）"), "{chinese}");
    let story = read(&html, "story", "en");
    assert!(story.contains("Meetings that Feishu counts but the store lacks: 1."), "{story}");
    assert!(story.contains("Tue 3 Nov"), "the day is one that nobody can judge: {story}");
    assert!(!html.contains("class=\"verdict none\""));
    // Without a count, and with nothing missing.
    assert!(read(&page(HISTORY), "coverage", "en").contains("The store has no meeting count of Feishu"));
    let equal = page(&format!("{MISSING}update census_daily set meetings = 1 where meeting_date = date '2026-11-03';"));
    assert!(read(&equal, "coverage", "en").contains("Feishu counts 3 meetings on 2 of 7 days; the store holds 3"));
    assert!(!equal.contains("Meetings are missing"));
}

#[test]
fn poor_and_cpu_limited_minutes_are_counted_separately() {
    let slow = "update quality_samples set system_max_cpu_usage_pct = 95, cpu_usage_time_utc = sample_time_utc,
            video_framerate_sent_fps = 12
        where participant_key = 'C/p4' and sample_time_utc = timestamp '2026-11-03 01:01:00';";
    let database = database(slow);
    let sql = "select cast(sum(poor) as bigint), cast(sum(minutes - poor) as bigint) from report_diagnosis('2026-11-02', '2026-11-09')";
    let numbers = super::query::rows(&database, "numbers", sql).expect("numbers");
    let [poor, cpu_limited] = [0, 1].map(|at| numbers.rows[0][at].as_i64().expect("a number"));
    assert!(poor > 0 && cpu_limited > 0, "the tenant has both: {poor} {cpu_limited}");
    let html = page(slow);
    let causes = read(&html, "causes", "en");
    assert!(
        causes.contains(&format!(
            "Percentages are of all {poor} poor minutes. Another {cpu_limited} minutes were CPU-limited"
        )),
        "{causes}"
    );
    assert!(read(&html, "tiles", "en").contains(&format!("another {cpu_limited} CPU-limited, not counted as poor")));
    assert!(read(&html, "tiles", "zh").contains(&format!("另有 {cpu_limited} 个 CPU 受限分钟")));
}

#[test]
fn a_day_with_few_minutes_is_said_in_a_sentence() {
    let html = page("delete from participants where meeting_key <> (select min(meeting_key) from participants);");
    let (english, chinese) = (read(&html, "trend", "en"), read(&html, "trend", "zh"));
    assert!(english.contains(" judged minutes, too few for a percentage; "), "{english}");
    assert!(!english.contains("not enough data of") && !english.contains(" 1 meetings"), "{english}");
    assert!(chinese.contains("样本不足，不显示质差率"), "{chinese}");
}

#[test]
fn a_percentage_has_a_space_only_in_english() {
    let (english, chinese) = (read(&PAGE, "sites", "en"), read(&PAGE, "sites", "zh"));
    assert!(english.contains(" %") && !chinese.contains(" %") && chinese.contains('%'), "{chinese}");
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
