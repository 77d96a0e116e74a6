//! Cards about incidents of several dates and about high CPU load.

use super::tests::{ID, dates, hot_tenant, shown, tenant};
use super::*;
use crate::text::Language;

#[test]
fn a_chronic_incident_is_named_while_it_goes_on() {
    let connection = hot_tenant();
    // Found a week before the meeting, so that no session of it is among its participants.
    connection
        .execute_batch(
            "update incidents set kind = 'chronic', scope_kind = 'app_version', metric = 'cpu', direction = 'both',
                scope = (select app_version from participant_facts where participant_key = 'A/ann'),
                start_time_local = timestamp '2026-10-20 09:00:00', end_time_local = timestamp '2026-10-26 09:05:00',
                meeting_date = date '2026-10-26', summary = 'app version 7.1.0: high CPU load, since Tue 20 Oct';
             delete from incident_participants;
             update judged_participants set cpu_minutes = 2 where participant_key = 'A/ann'",
        )
        .expect("updated");
    let incidents = || {
        let source = Source::new(&connection, None).expect("a source");
        let ann = find_user(&source, "ann", None).expect("a person");
        let user = user_card(&source, &ann, &dates("2026-11-02"), "").expect("a card");
        let meeting = meeting_card(&source, "100000001-1793581200").expect("a card");
        [user, meeting].map(|card| card.incidents.into_iter().map(|incident| incident.summary).collect::<Vec<_>>())
    };
    let named = vec!["app version 7.1.0: high CPU load, since Tue 20 Oct (as of Mon 26 Oct)".to_owned()];
    assert_eq!(incidents(), [named.clone(), named.clone()]);
    let changes = [
        "update incidents set scope = '7.0.0'",
        "update incidents set scope_kind = 'person', scope = 'ann'",
        "update incidents set metric = 'delay'",
        "update incidents set metric = 'cpu', meeting_date = date '2026-10-22'",
    ];
    for (change, is_named) in changes.into_iter().zip([false, true, false, false]) {
        connection.execute_batch(change).expect("updated");
        let expected = if is_named { named.clone() } else { Vec::new() };
        assert_eq!(incidents(), [expected.clone(), expected], "{change}");
    }
}

#[test]
fn an_incident_of_several_dates_is_shown_from_its_start_and_blank_without_anybody() {
    let connection = tenant();
    // The same meeting on the next date, with a gap of two minutes after the first.
    connection
        .execute_batch(&format!(
            "insert into participants by name select p.* replace ('N/ann' as participant_key, '100000001-2' as meeting_key,
                p.meeting_date + 1 as meeting_date) from participants as p where p.participant_key = 'A/ann';
             insert into quality_samples by name select q.* replace ('N/ann' as participant_key,
                    '100000001-2' as meeting_key, q.meeting_date + 1 as meeting_date,
                    q.sample_time_utc + interval '1 day' as sample_time_utc,
                    q.sample_time_local + interval '1 day' as sample_time_local)
                from quality_samples as q where q.participant_key = 'A/ann'
                and extract(minute from q.sample_time_utc) not in (1, 2);
             insert into incidents by name select i.* replace ('next' as incident_id, i.meeting_date + 1 as meeting_date,
                i.end_time_local + interval '1 day' as end_time_local, i.end_time_utc + interval '1 day' as end_time_utc)
                from incidents as i where i.incident_id = '{ID}';
             insert into incident_participants by name select 'next' as incident_id, 'N/ann' as participant_key,
                3 as poor_minutes, date '2026-11-03' as meeting_date"
        ))
        .expect("rows");
    let source = Source::new(&connection, None).expect("a source");
    let card = incident_card(&source, "next").expect("a card");
    let strips: Vec<(&str, String)> =
        card.strips.iter().map(|strip| (strip.label.as_str(), strip.text(1, false))).collect();
    let expected = [
        ("Mon 2 Nov 09:00  people affected", "...###.#..".to_owned()),
        ("Tue 3 Nov 09:00  people affected", ".  ###.#..".to_owned()),
    ];
    assert_eq!(strips, expected);
    let (words, _) = &card.next[0];
    assert!(words.ends_with(&["--since=2026-11-02".to_owned(), "--until=2026-11-04".to_owned()]), "{words:?}");
}

#[test]
fn a_person_with_high_cpu_load_is_not_called_unaffected() {
    let connection = hot_tenant();
    connection
        .execute_batch(
            "delete from quality_samples where participant_key = 'A/ann'
                and sample_time_utc < timestamp '2026-11-02 01:08:00'",
        )
        .expect("deleted");
    let source = Source::new(&connection, None).expect("a source");
    let ann = find_user(&source, "ann", None).expect("a person");
    let card = user_card(&source, &ann, &dates("2026-11-02"), "").expect("a card");
    let verdict =
        "CPU-limited in 1 of 1 meeting, on 1 of 1 day; 2 of 2 judged minutes CPU-limited (100.0 %), none poor";
    assert_eq!(card.verdict, verdict);
    let worst = card.ticket.iter().find(|(label, _)| *label == "worst_meeting").expect("a meeting");
    assert_eq!(worst.1, "Mon 2 Nov 09:00 A (100000001), 2 of 2 judged minutes CPU-limited (100.0 %), none poor");
}

#[test]
fn a_chronic_incident_has_no_end_and_one_of_cpu_has_cpu_limited_minutes() {
    let connection = hot_tenant();
    connection
        .execute_batch(
            "update incidents set kind = 'chronic', scope_kind = 'person', scope = 'ann', metric = 'cpu', direction = 'sent',
                poor_minutes = 2, judged_minutes = 10, poor_pct = 20, meeting_date = date '2026-11-02'",
        )
        .expect("updated");
    let source = Source::new(&connection, None).expect("a source");
    let text = shown(&incident_card(&source, ID).expect("a card"), CardFormat::Text, 200);
    for part in [
        "; since Mon 2 Nov 2026 (as of Mon 2 Nov 2026); profile cqd\n",
        "2 of 10 judged minutes CPU-limited (20.0 %)\n",
        "Main causes    CPU 2 min\n",
        "here 20.0 % CPU-limited; usually 0.4 % (",
        "\nWhen: since Mon 2 Nov 2026 (as of Mon 2 Nov 2026); since 2026-11-02 01:03:00 UTC\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // The summary of this fixture has the times of another one.
    let own: Vec<&str> = text.lines().filter(|line| !line.contains("Mon 2 Nov 09:03")).collect();
    assert!(!own.iter().any(|line| line.contains("09:05") || line.contains("01:05")), "{text}");
}

#[test]
fn a_card_in_chinese_has_the_same_facts() {
    let connection = tenant();
    let source = Source::new(&connection, None).expect("a source").in_language(Language::Chinese);
    let ann = find_user(&source, "ann", None).expect("a person");
    let cards = [
        incident_card(&source, ID).expect("a card"),
        user_card(&source, &ann, &dates("2026-11-02"), "2026-11-02 至 2026-11-05，当地时间").expect("a card"),
        meeting_card(&source, "100000001-1793581200").expect("a card"),
    ];
    let sentence = "11月2日（周一）09:03–09:05，10.1.1.0/24：接收方向丢包，影响 1 人、1 场会议；质差率 100.0%，\
        平时 0.4%，同期其他人 0.6%";
    for (card, facts) in cards.iter().zip([
        [
            "10.1.1.0/24：接收丢包\n",
            "较重（短时）：1 人、1 场会议；3 个有效分钟中有 3 个质差（100.0%）",
            "共同点      地点 10.1.1.0/24\n",
        ],
        ["ann（用户）\n", "10 个有效分钟中有 4 个质差（40.0%）", "网络        有线；udp；代理：否\n"],
        ["A（100000001）\n", "差：3 位参会人中有 3 位受影响；", "网络        未知（1 人）、无线（1），另有 1 项\n"],
    ]) {
        let text = shown(card, CardFormat::Text, 200);
        for part in facts.into_iter().chain([&*format!("质量事件    较重：{sentence}\n"), "\n工单内容：\n"])
        {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let words: Vec<&str> = text.split([' ', '\n']).collect();
        let is_word = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase());
        let left = words.windows(3).find(|run| run.iter().all(is_word) && run[0] != "report");
        assert_eq!(left, None, "{text}");
        let markdown = shown(card, CardFormat::Markdown, 80);
        assert!(markdown.contains("- **质量事件**：较重：") && markdown.contains("\n下一步：`vcq-etl "), "{markdown}");
    }
}
