//! Cards of the small tenant of `sql/tests/tenant.sql`.

use duckdb::Connection;

use super::*;
use crate::report::fixture;
use crate::text::{is_terminal_control, width};

pub(super) const ID: &str = "2026-11-02-acute-site-0a1b2c3d";

/// The tenant with an incident, and somebody else called ann.
pub(super) fn tenant() -> Connection {
    let connection = fixture::tenant();
    connection
        .execute_batch(&format!(
            "insert into incidents by name select
                '{ID}' as incident_id, 'acute' as kind, 'site' as scope_kind, '10.1.1.0/24' as scope, 'loss' as metric,
                'received' as direction, timestamp '2026-11-02 01:03:00' as start_time_utc,
                timestamp '2026-11-02 09:03:00' as start_time_local, timestamp '2026-11-02 01:05:00' as end_time_utc,
                timestamp '2026-11-02 09:05:00' as end_time_local, 1 as participants, 1 as meetings, 3 as poor_minutes,
                3 as judged_minutes, 100.0 as poor_pct, 0.4 as usual_poor_pct, 0.6 as elsewhere_poor_pct, 0.01 as q_value,
                'major' as severity, date '2026-11-02' as meeting_date,
                'Mon 2 Nov 09:03-09:05, 10.1.1.0/24: loss received, 1 person, 1 meeting; usually 0.4 %, elsewhere 0.6 %'
                    as summary;
             insert into incident_participants by name select '{ID}' as incident_id, 'A/ann' as participant_key,
                3 as poor_minutes, date '2026-11-02' as meeting_date;
             insert into participants by name select 'E/ann' as participant_key, m.meeting_key, m.meeting_no,
                'ou_2' as user_id, 'bob' as participant_name, 'Bob@Example.com' as email, m.start_time_utc as join_time_utc,
                m.start_time_local as join_time_local, m.meeting_date
             from meetings as m where m.meeting_topic = 'E'"
        ))
        .expect("rows");
    connection
}

pub(super) fn dates(since: &str) -> Dates {
    Dates { since: Some(since.to_owned()), until: None }
}

fn command(words: &[String]) -> String {
    format!("vcq-etl {}", words.join(" "))
}

pub(super) fn shown(card: &Card, format: CardFormat, columns: u16) -> String {
    render(card, format, CardLayout { width: columns, is_utf8: false }, &command)
}

fn cards(connection: &Connection) -> [Card; 3] {
    let source = Source::new(connection, None).expect("a source");
    let ann = find_user(&source, "ANN", None).expect("one person");
    let key = find_meeting(&source, "100 000 001", &Dates::default()).expect("a meeting").key;
    let id = find_incident(&source, "0a1b2c3d").expect("an incident");
    [
        user_card(&source, &ann, &dates("2026-11-02"), "2026-11-02 to 2026-11-05, local time").expect("a card"),
        meeting_card(&source, &key).expect("a card"),
        incident_card(&source, &id).expect("a card"),
    ]
}

#[test]
fn a_card_of_a_person() {
    insta::assert_snapshot!(shown(&cards(&tenant())[0], CardFormat::Text, 80), @r"
    ann (person)
    ann; 2026-11-02 to 2026-11-05, local time; profile cqd

    What happened  major: Mon 2 Nov 09:03-09:05, 10.1.1.0/24: loss received, 1
                   person, 1 meeting; usually 0.4 %, elsewhere 0.6 %
    Verdict        affected in 1 of 1 meeting, on 1 of 1 day; 4 of 10 judged minutes
                   poor (40.0 %)
    Main causes    loss received 3 min, loss sent 1 min, CPU 0 min
    Compared       here 40.0 % poor; usually unknown (too few minutes: the 28 days
                   before); elsewhere unknown (too few minutes: everybody else on
                   these days)
    Place          10.1.1.0/24; public network 192.0.2.0/24
    Device         windows, app 7.1.0
    Network        wired, udp, proxy no

    Mon 2 Nov 09:00  A  4/10  ...###.#..
    (. good, + poor for some, # poor, blank no verdict; one character is 1 minute)

    Next: vcq-etl report incident 2026-11-02-acute-site-0a1b2c3d  (the incident)
    Next: vcq-etl report meeting 100000001-1793581200  (the worst of these meetings)

    For a ticket:
    Who: ann (person), ann
    When: 2026-11-02 to 2026-11-05, local time
    What: affected in 1 of 1 meeting, on 1 of 1 day; 4 of 10 judged minutes poor
    (40.0 %)
    Main causes: loss received 3 min, loss sent 1 min, CPU 0 min
    Compared: here 40.0 % poor; usually unknown (too few minutes: the 28 days
    before); elsewhere unknown (too few minutes: everybody else on these days)
    Place: 10.1.1.0/24; public network 192.0.2.0/24
    Device: windows, app 7.1.0
    Network: wired, udp, proxy no
    Worst meeting: Mon 2 Nov 09:00 A (100000001), 4 of 10 judged minutes poor
    (40.0 %)
    Incident: Mon 2 Nov 09:03-09:05, 10.1.1.0/24: loss received, 1 person, 1
    meeting; usually 0.4 %, elsewhere 0.6 %
    Source: vcq-etl 0.2.0-dev, profile cqd
    ");
}

#[test]
fn a_card_of_a_meeting() {
    insta::assert_snapshot!(shown(&cards(&tenant())[1], CardFormat::Text, 80), @r"
    A (100000001)
    100000001-1793581200; Mon 2 Nov 09:00, local time; profile cqd

    What happened  major: Mon 2 Nov 09:03-09:05, 10.1.1.0/24: loss received, 1
                   person, 1 meeting; usually 0.4 %, elsewhere 0.6 %
    Verdict        poor: 3 of 3 participants affected; 13 of 27 judged minutes poor
                   (48.1 %)
    Main causes    loss both ways 4 min, loss received 3 min, frame rate received 2
                   min, CPU 1 min (3.7 % of judged minutes, 1 of them poor) and 3
                   more
    Compared       here 48.1 % poor; usually unknown (too few minutes: meetings of
                   this number in the 28 days before); elsewhere unknown (too few
                   minutes: other meetings at the same time)
    Organiser      Olga
    Place          10.1.1.0/24 (1 participant), 10.1.2.0/24 (1) and 1 more
    Device         android (1 participant), mac (1) and 1 more, app 7.1.0
    Network        unknown (1 participant), wifi (1) and 1 more

    all participants                  at most 3 at once  .#.+##+##+
    bob, 10.1.2.0/24, wifi                         5/10  .#..#..###
    ann, 10.1.1.0/24, wired                        4/10  ...###.#..
    cid, home, by 198.51.100.0/24, ~                4/7     .###.#.
    (. good, + poor for some, # poor, blank no verdict; one character is 1 minute)

    Next: vcq-etl report incident 2026-11-02-acute-site-0a1b2c3d  (the incident)
    Next: vcq-etl report user bob --since=2026-11-02  (the participant with the worst quality)

    For a ticket:
    Meeting: A, number 100000001, organiser Olga
    When: Mon 2 Nov 09:00, local time; starts 2026-11-02 01:00:00 UTC
    What: poor: 3 of 3 participants affected; 13 of 27 judged minutes poor (48.1 %)
    Main causes: loss both ways 4 min, loss received 3 min, frame rate received 2
    min, CPU 1 min (3.7 % of judged minutes, 1 of them poor) and 3 more
    Compared: here 48.1 % poor; usually unknown (too few minutes: meetings of this
    number in the 28 days before); elsewhere unknown (too few minutes: other
    meetings at the same time)
    Place: 10.1.1.0/24 (1 participant), 10.1.2.0/24 (1) and 1 more
    Network: unknown (1 participant), wifi (1) and 1 more
    Affected: bob (5 of 10 min), ann (4 of 10 min), cid (4 of 7 min)
    Incident: Mon 2 Nov 09:03-09:05, 10.1.1.0/24: loss received, 1 person, 1
    meeting; usually 0.4 %, elsewhere 0.6 %
    Source: vcq-etl 0.2.0-dev, profile cqd
    ");
}

#[test]
fn a_card_of_an_incident() {
    insta::assert_snapshot!(shown(&cards(&tenant())[2], CardFormat::Text, 80), @r"
    10.1.1.0/24: loss received
    2026-11-02-acute-site-0a1b2c3d; Mon 2 Nov 2026 09:03-09:05, local time; profile
    cqd

    What happened  major: Mon 2 Nov 09:03-09:05, 10.1.1.0/24: loss received, 1
                   person, 1 meeting; usually 0.4 %, elsewhere 0.6 %
    Verdict        major, acute: 1 person, 1 meeting; 3 of 3 judged minutes poor
                   (100.0 %)
    Main causes    loss received 3 min
    Compared       here 100.0 % poor; usually 0.4 % (the same scope in the 28 days
                   before); elsewhere 0.6 % (everybody else at that time)
    In common      site: 10.1.1.0/24
    Place          10.1.1.0/24
    Device         windows, app 7.1.0
    Network        wired
    Meetings       A
    Who            ann

    Mon 2 Nov 09:00  people affected  at most 1 at once  ...###.#..
    (. good, + poor for some, # poor, blank no verdict; one character is 1 minute)

    Next: vcq-etl report run by-site --since=2026-11-02 --until=2026-11-03  (the places side by side)
    Next: vcq-etl report meeting 100000001-1793581200  (the meeting of the participant with the most poor minutes)

    For a ticket:
    Problem: Mon 2 Nov 09:03-09:05, 10.1.1.0/24: loss received, 1 person, 1 meeting;
    usually 0.4 %, elsewhere 0.6 %
    When: Mon 2 Nov 2026 09:03-09:05, local time; 2026-11-02 01:03:00 to 2026-11-02
    01:05:00 UTC
    Cause: loss received
    Affected: 1 person, 1 meeting: ann
    Compared: here 100.0 % poor; usually 0.4 % (the same scope in the 28 days
    before); elsewhere 0.6 % (everybody else at that time)
    In common: site: 10.1.1.0/24
    Place: 10.1.1.0/24
    Device: windows, app 7.1.0
    Network: wired
    Incident: 2026-11-02-acute-site-0a1b2c3d
    Source: vcq-etl 0.2.0-dev, profile cqd
    ");
}

#[test]
fn cards_fit_every_width_and_their_ticket_is_plain() {
    for card in cards(&tenant()) {
        for columns in [60, 80, 120, 200] {
            for is_utf8 in [false, true] {
                let text = render(&card, CardFormat::Text, CardLayout { width: columns, is_utf8 }, &command);
                let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("Next: ")).collect();
                assert!(lines.iter().all(|line| width(line) <= usize::from(columns)), "{columns}: {text}");
                // One screen.
                assert!(columns < 80 || text.lines().count() <= 45, "{text}");
                let ticket = text.split_once("For a ticket:\n").expect("a ticket").1;
                assert!(ticket.is_ascii() && !ticket.contains(['\u{1b}', '#', '|']), "{ticket}");
                assert!(is_utf8 || text.is_ascii(), "{text}");
            }
        }
        let json: serde_json::Value = serde_json::from_str(&shown(&card, CardFormat::Json, 80)).expect("json");
        assert_eq!((&json["card"], &json["id"]), (&card.kind.into(), &card.id.clone().into()));
        assert_eq!(json["incidents"][0]["incident_id"], ID);
        assert_eq!(json["poor_minutes"], card.comparison.poor_minutes);
        let markdown = shown(&card, CardFormat::Markdown, 80);
        assert!(markdown.starts_with("## ") && markdown.contains("For a ticket:\n\n```\n"), "{markdown}");
    }
}

#[test]
fn a_person_is_found_by_id_address_or_name() {
    let connection = tenant();
    let source = Source::new(&connection, None).expect("a source");
    // An ID goes before a name, and an address before a name.
    connection
        .execute_batch("update participants set email = 'Lee.X@example.com' where participant_name = 'cid'")
        .expect("updated");
    for (text, who) in [
        ("ann", "ann"),
        ("ou_2", "ou_2"),
        (" bob@example.com", "ou_2"),
        ("CID", "cid"),
        ("lee.x", "cid"),
        ("E/guest", "E/guest"),
    ] {
        assert_eq!(find_user(&source, text, None).expect(text).who, who);
    }
    connection.execute_batch("update participants set user_id = 'ou_1' where user_id = 'bob'").expect("updated");
    match find_user(&source, "Bob", None) {
        Err(CardError::SeveralUsers { choices, .. }) => {
            let who: Vec<&str> = choices.iter().map(|choice| choice.who.as_str()).collect();
            assert_eq!(who, ["ou_2", "ou_1"]);
        }
        other => panic!("{other:?}"),
    }
    // The part of an address before the @ may be that of several people.
    let same = "update participants set email = 'lee.x@example.org' where user_id = 'ann'";
    connection.execute_batch(same).expect("updated");
    match find_user(&source, "LEE.X", None) {
        Err(CardError::SeveralUsers { choices, .. }) => assert_eq!(choices.len(), 2, "{choices:?}"),
        other => panic!("{other:?}"),
    }
    for text in ["lee", "@example.com", "lee.x@"] {
        assert!(matches!(find_user(&source, text, None), Err(CardError::UnknownUser { .. })), "{text}");
    }
    match find_user(&source, "bbo", None) {
        Err(CardError::UnknownUser { known, .. }) => assert!(known.contains(&"bob".to_owned()), "{known:?}"),
        other => panic!("{other:?}"),
    }
    for text in ["'", "'; drop table meetings; --", "%"] {
        assert!(matches!(find_user(&source, text, None), Err(CardError::UnknownUser { .. })), "{text}");
        assert!(matches!(find_meeting(&source, text, &Dates::default()), Err(CardError::UnknownMeeting { .. })));
        assert!(matches!(find_incident(&source, text), Err(CardError::UnknownIncident { .. })));
    }
}

#[test]
fn somebody_is_found_by_the_tokens_of_what_was_typed() {
    let connection = tenant();
    let source = Source::new(&connection, None).expect("a source");
    let token = "p-00112233445566aa";
    let replace = "update participants set user_id = ?, participant_name = null where user_id = 'ou_2'";
    connection.execute(replace, [token]).expect("updated");
    let tokens = [token.to_owned(), "n-00112233445566aa".to_owned()];
    assert_eq!(find_user(&source, "ou_2", Some(&tokens)).expect("by the key").who, token);
    assert_eq!(find_user(&source, token, None).expect("as shown").who, token);
    let replaced = |text: &str, tokens| match find_user(&source, text, tokens) {
        Err(CardError::UnknownUser { replaced, .. }) => replaced.map(|one| (one.has_key, one.has_names)),
        other => panic!("{other:?}"),
    };
    assert_eq!(replaced("ou_2", None), Some((false, true)), "others have names");
    assert_eq!(replaced("ou_3x", Some(&["p-ffffffffffffffff".to_owned()][..])), Some((true, true)));
    assert_eq!(find_user(&source, "ann", Some(&tokens[..1])).expect("as typed, not by a token").who, "ann");
}

#[test]
fn without_a_name_the_error_says_that_one_is_needed() {
    let connection = tenant();
    let source = Source::new(&connection, None).expect("a source");
    for text in ["", " "] {
        let errors = [
            find_user(&source, text, None).expect_err("no name"),
            find_meeting(&source, text, &Dates::default()).expect_err("no number"),
            find_incident(&source, text).expect_err("no ID"),
        ];
        let expected = ["a name, e-mail address or ID", "a meeting number or key", "the ID of an incident"];
        let expected = expected.map(|what| format!("{what} is needed, not an empty text"));
        assert_eq!(errors.map(|error| error.to_string()), expected);
    }
}

#[test]
fn the_latest_meeting_of_a_number_is_shown_and_the_others_are_named() {
    let connection = tenant();
    connection
        .execute_batch(
            "insert into meetings by name select '100000001-1' as meeting_key, '100000001' as meeting_no,
                timestamp '2026-10-26 01:00:00' as start_time_utc, timestamp '2026-10-26 09:00:00' as start_time_local,
                date '2026-10-26' as meeting_date",
        )
        .expect("rows");
    let source = Source::new(&connection, None).expect("a source");
    let before = Dates { since: None, until: Some("2026-11-01".to_owned()) };
    assert_eq!(find_meeting(&source, "100000001", &Dates::default()).expect("a key").key, "100000001-1793581200");
    assert_eq!(find_meeting(&source, "100-000-001", &before).expect("a key").key, "100000001-1");
    // A key is exact, whatever the window.
    assert_eq!(find_meeting(&source, "100000001-1793581200", &before).expect("a key").key, "100000001-1793581200");
    let card = meeting_card(&source, "100000001-1793581200").expect("a card");
    let others = card.facts.iter().find(|(label, _)| *label == "others").expect("others");
    assert_eq!(others.1, "Mon 26 Oct 09:00: report meeting 100000001-1");
    let error = find_meeting(&source, "100000001", &dates("2026-12-01")).expect_err("none").to_string();
    assert!(error.ends_with("\"100000001\" with a date from 2026-12-01"), "{error}");
}

#[test]
fn the_incidents_of_a_meeting_are_ordered_by_their_minutes_in_it() {
    let connection = tenant();
    connection
        .execute_batch(&format!(
            "insert into incidents by name select i.* replace ('more' as incident_id, 'minor' as severity,
                'delay' as metric, 'the other one' as summary) from incidents as i where i.incident_id = '{ID}';
             insert into incident_participants by name select 'more' as incident_id, 'A/bob' as participant_key,
                4 as poor_minutes, date '2026-11-02' as meeting_date"
        ))
        .expect("rows");
    let source = Source::new(&connection, None).expect("a source");
    let card = meeting_card(&source, "100000001-1793581200").expect("a card");
    let ids: Vec<&str> = card.incidents.iter().map(|incident| incident.incident_id.as_str()).collect();
    assert_eq!(ids, ["more", ID]);
    assert_eq!(card.ticket.iter().filter(|(label, _)| *label == "incident").count(), 2);
}

/// The tenant, in which ann has two CPU-limited minutes that are not poor.
pub(super) fn hot_tenant() -> Connection {
    let connection = tenant();
    connection
        .execute_batch(
            "update quality_samples set client_max_cpu_usage_pct = 95, cpu_usage_time_utc = sample_time_utc,
                video_framerate_sent_fps = 10
             where participant_key = 'A/ann' and sample_time_utc >= timestamp '2026-11-02 01:08:00'",
        )
        .expect("updated");
    connection
}

#[test]
fn cpu_limited_minutes_are_counted_separately_from_poor_ones() {
    let [user, meeting, _] = cards(&hot_tenant());
    let text = shown(&user, CardFormat::Text, 200);
    for part in [
        "4 of 10 judged minutes poor (40.0 %); another 2 CPU-limited (20.0 %)\n",
        "Main causes    loss received 3 min, CPU 2 min (20.0 % of judged minutes, 0 of them poor), loss sent 1 min\n",
        "here 40.0 % poor; ",
        ". CPU-limited: here 20.0 %\n",
        "A  4/10, CPU 2  ...###.#cc\n",
        "c CPU-limited",
        "4 of 10 judged minutes poor (40.0 %); another 2 CPU-limited (20.0 %)\n",
        "Worst meeting: Mon 2 Nov 09:00 A (100000001), 4 of 10 judged minutes poor",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&shown(&user, CardFormat::Json, 80)).expect("json");
    assert_eq!((&json["poor_minutes"], &json["cpu_minutes"], &json["cpu_pct"]), (&4.into(), &2.into(), &20.0.into()));
    assert_eq!(json["causes"][1], serde_json::json!({ "cause": "CPU", "minutes": 2, "poor_minutes": 0 }));
    let text = shown(&meeting, CardFormat::Text, 200);
    // Ann comes first, because the two minutes count.
    for part in
        ["13 of 27 judged minutes poor (48.1 %); another 2 CPU-limited (7.4 %)", "\nCPU-limited: ann (2 of 10 min)\n"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.find("ann, 10.1.1.0/24") < text.find("bob, 10.1.2.0/24"), "{text}");
}

#[test]
fn a_good_meeting_with_high_cpu_load_is_not_called_good() {
    let connection = hot_tenant();
    let only_hot = "delete from quality_samples where not (participant_key = 'A/ann'
        and sample_time_utc >= timestamp '2026-11-02 01:08:00')";
    connection.execute_batch(only_hot).expect("deleted");
    let source = Source::new(&connection, None).expect("a source");
    let card = meeting_card(&source, "100000001-1793581200").expect("a card");
    assert!(
        card.verdict.starts_with("good except for high CPU load: 0 of 1 participant affected; 2 of 2 "),
        "{}",
        card.verdict
    );
}

#[test]
fn people_with_the_same_name_are_distinguished_and_rooms_are_not_counted_as_people() {
    let connection = tenant();
    connection
        .execute_batch(&format!(
            "insert into incident_participants by name select '{ID}' as incident_id, 'A/bob' as participant_key,
                2 as poor_minutes, date '2026-11-02' as meeting_date;
             update incidents set participants = 2;
             update participants set participant_name = 'Ann Lee', email = participant_name || '@example.com'
                where user_id in ('ann', 'bob')"
        ))
        .expect("rows");
    let source = Source::new(&connection, None).expect("a source");
    let who = |card: &Card| card.facts.iter().find(|(label, _)| *label == "who").expect("people").1.clone();
    let card = incident_card(&source, ID).expect("a card");
    assert_eq!(who(&card), "Ann Lee (ann), Ann Lee (bob)");
    assert!(card.verdict.starts_with("major, acute: 2 people, 1 meeting; "), "{}", card.verdict);
    let meeting = meeting_card(&source, "100000001-1793581200").expect("a card");
    assert!(meeting.strips.iter().any(|strip| strip.label.starts_with("Ann Lee (bob), ")), "{:?}", meeting.strips);

    connection
        .execute_batch("update participants set room_id = 'omm_1', user_id = null where participant_key = 'A/bob'")
        .expect("updated");
    let card = incident_card(&source, ID).expect("a card");
    assert!(card.verdict.starts_with("major, acute: 1 person and 1 room, 1 meeting; "), "{}", card.verdict);
    let only_room = "delete from incident_participants where participant_key = 'A/ann';
        update incidents set participants = 1, scope_kind = 'room', scope = 'omm_1'";
    connection.execute_batch(only_room).expect("updated");
    let card = incident_card(&source, ID).expect("a card");
    assert!(card.verdict.starts_with("major, acute: 1 room, 1 meeting; "), "{}", card.verdict);
    assert!(card.facts.contains(&("in_common", "room: Ann Lee (omm_1)".to_owned())), "{:?}", card.facts);
}

#[test]
fn scopes_with_the_same_name_are_distinguished() {
    let connection = tenant();
    connection
        .execute_batch(&format!(
            "update participants set participant_name = 'Ann Lee' where user_id in ('ann', 'bob', 'cid');
             update participants set email = 'ann.lee@example.com' where user_id = 'ann';
             insert into incidents by name select i.* replace (u.user_id as incident_id, 'person' as scope_kind,
                    u.user_id as scope)
                from incidents as i cross join (select unnest(['ann', 'bob']) as user_id) as u where i.incident_id = '{ID}'"
        ))
        .expect("rows");
    let source = Source::new(&connection, None).expect("a source");
    let rows = source.rows("names", "select scope_name from incident_scope_names() order by scope_name").expect("rows");
    let names: Vec<String> = rows.iter().map(|row| row.text("scope_name")).collect();
    assert_eq!(names, ["Ann Lee (ann.lee)", "Ann Lee (bob)"]);
}

#[test]
fn without_history_a_card_says_what_cannot_be_found() {
    let connection = tenant();
    let source = Source::new(&connection, None).expect("a source");
    let bob = find_user(&source, "ou_2", None).expect("a person");
    let card = user_card(&source, &bob, &dates("2026-11-02"), "").expect("a card");
    let text = shown(&card, CardFormat::Text, 200);
    assert!(text.contains("What happened  no incident. From 2026-11-02 to 2026-11-0"), "{text}");
    assert!(text.contains("only severe incidents can be found: fewer than 3 days to compare with\n"), "{text}");
}

#[test]
fn a_card_without_data_says_so() {
    let connection = tenant();
    let source = Source::new(&connection, Some("strict")).expect("a source");
    let fay = find_user(&source, "fay", None).expect("a person");
    let card = user_card(&source, &fay, &dates("2026-11-05"), "2026-11-05").expect("a card");
    let text = shown(&card, CardFormat::Text, 80);
    assert!(text.contains("no minute could be judged") && text.contains("no incident"), "{text}");
    assert!(text.contains("with incomplete data: empty") && text.contains("profile strict"), "{text}");
    let nowhere = user_card(&source, &fay, &dates("2026-12-01"), "2026-12-01").expect("a card");
    assert!(shown(&nowhere, CardFormat::Text, 80).contains("no meetings in this window"));
    assert!(matches!(Source::new(&connection, Some("cdq")), Err(CardError::UnknownProfile { .. })));
    let older = Connection::open_in_memory().expect("a database");
    assert!(matches!(Source::new(&older, None), Err(CardError::OutdatedStore)));
}

#[test]
fn text_from_outside_cannot_control_a_terminal() {
    let connection = tenant();
    let hostile = "x\u{1b}[31m\u{9b}2J\u{202e}``` <b>";
    let name = "update participants set participant_name = ? where user_id = 'ann'";
    for update in ["update meetings set meeting_topic = ?", name] {
        connection.execute(update, [hostile]).expect("updated");
    }
    let source = Source::new(&connection, None).expect("a source");
    let ann = find_user(&source, "ann", None).expect("a person");
    let cards = [
        user_card(&source, &ann, &dates("2026-11-02"), "").expect("a card"),
        meeting_card(&source, "100000001-1793581200").expect("a card"),
        incident_card(&source, ID).expect("a card"),
    ];
    for card in cards {
        for format in [CardFormat::Text, CardFormat::Json, CardFormat::Markdown] {
            let text = shown(&card, format, 80);
            assert!(!text.chars().any(|c| is_terminal_control(c) && c != '\n'), "{}", text.escape_debug());
        }
        assert_eq!(shown(&card, CardFormat::Markdown, 80).matches("```").count() % 2, 0);
    }
}
