//! Untrusted text: whatever a topic, a name, an ID or a metric contains, it is stored as sent and interpreted by
//! nothing.

use serde_json::{Value, json};
use vcq_etl::is_terminal_control;

use crate::support::scripted_server::{
    List, Response, START, ScriptedServer, WINDOW, meeting, ordinary_except, participant, tenant,
};

/// Text with a meaning in some format: SQL, CSV, Markdown, HTML, paths, terminals.
const TEXTS: &[&str] = &[
    "it's \"quoted\" `twice` ''",
    "two\nlines\r\nand\rmore\ttabs",
    "nul\u{0}inside",
    "../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows",
    "meeting_date=2022-12-23/part-x.parquet",
    "\u{1b}[31mred\u{1b}[0m\u{1b}[2J\u{1b}[H",
    "\u{1b}]8;;http://evil.example\u{7}link\u{1b}]8;;\u{7}",
    "\u{1b}]52;c;ZXZpbA==\u{7}",
    "\u{1b}]0;title\u{1b}\\",
    "\u{9b}31mC1\u{9d}0;t\u{9c}\u{90}q\u{9c}",
    "bell\u{7} back\u{8}\u{8} delete\u{7f}",
    "\u{202e}gnp.exe\u{202c} \u{2066}isolate\u{2069}",
    "zero\u{200b}width\u{feff}\u{2028}line\u{2029}par",
    "tag\u{e0041}\u{e0042}",
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "  =HYPERLINK(\"http://evil.example\",\"x\")",
    "＝1＋1",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "a|b| --- |\n| c",
    "[x](javascript:alert(1)) ![i](http://evil.example/i.png)",
    "'; DROP TABLE meetings; --",
    "\" OR 1=1 --",
    "${HOME} $(id) `id` %PATH% {{7*7}}",
    "%s%n%x{}{:?}",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\u{301}",
    "שלום עולם مرحبا",
    "会議 ＡＢＣ",
    "#2",
    "*",
    "?",
    "%2F..%2F",
    "a/b/1671765419",
    "{\"json\":[1,2",
    "]]></x>",
    "None",
    "NaN",
    "\u{fffd}\u{fffe}",
];

const FORMATS: &[&str] = &["table", "csv", "json", "markdown", "html"];

#[test]
fn every_text_is_stored_as_sent_and_shown_harmlessly() {
    let meetings: Vec<Value> = TEXTS
        .iter()
        .enumerate()
        .map(|(n, text)| {
            // Every other meeting number is text; each has its own minute, so that keys differ.
            let id = if n % 2 == 0 { (*text).to_owned() } else { format!("{}", 100_000_000 + n) };
            json!({
                "meeting_id": id, "meeting_instance_id": text, "meeting_topic": text, "organizer": text,
                "department": text, "user_id": text, "employee_id": text, "email": text, "mobile": text,
                "meeting_start_time": format!("2022.12.23 11:{:02}:00 (GMT+08:00)", n),
                "meeting_end_time": format!("2022.12.23 12:{:02}:00 (GMT+08:00)", n),
                "meeting_duration": text, "number_of_participants": text, "audio": text, (*text): text,
            })
        })
        .collect();
    let participants = |start: i64| -> Value {
        let n = (start - 1_671_765_360 + 16 * 60) / 60;
        let text = TEXTS[usize::try_from(n).expect("one of the meetings")];
        json!([{
            "user_id": text, "participant_name": text, "department": text, "device": text, "location": text,
            "network_type": text, "leave_reason": text, "join_time": "2022.12.23 12:00:00 (GMT+08:00)",
            "leave_time": text, "time_in_meeting": text, "audio": text, "webinar_user_role": text, (*text): {"x": text},
        }])
    };
    let ordinary = tenant(Value::from(meetings).to_string(), "[]", "[]");
    let server = ScriptedServer::new(std::sync::Arc::new(move |request| match request.list {
        List::Participants => {
            let start = request.query["meeting_start_time"].parse().expect("seconds");
            Response::page(List::Participants, &participants(start).to_string(), None)
        }
        List::Quality => {
            let text = &request.query["user_id"];
            let item = json!([{
                "network": {"time": START, "network_delay": text, "bitrate_received": [text], (text): 1},
                "audio": text, "video": {"time": text, "maximum_resolution_sent": {"k": text}}, (text): text,
            }]);
            Response::page(List::Quality, &item.to_string(), None)
        }
        _ => ordinary(request),
    }));
    let mut command = server.sync(&["--log-level", "trace"]);
    command.env("VCQ_LOG_FORMAT", "json");
    let ran = server.run(command).expect_exit(0);
    for line in ran.stderr.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "no object: {line}");
    }
    let summary = ran.summary();
    assert_eq!(summary["meetings"], TEXTS.len());
    assert_eq!(summary["participants"], TEXTS.len());
    // The same with a text summary; nothing is requested again.
    let calls = server.requests().len();
    let text = server.run(server.command(&["sync", "--since", "2022-12-23", "--until", "2022-12-24"])).expect_exit(0);
    assert!(text.stdout.contains("nothing new"), "{}", text.stdout);
    assert!(server.requests().len() <= calls + 2, "a token and the meeting list");

    let database = server.database();
    let count = |sql: &str, text: &str| -> i64 {
        database.query_row(sql, [text], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    };
    for text in TEXTS {
        for sql in [
            "select count(*) from meetings where meeting_topic = ? and organizer = meeting_topic and organizer_email = meeting_topic",
            "select count(*) from participants where participant_name = ? and device = participant_name and user_id = participant_name",
        ] {
            assert_eq!(count(sql, text), 1, "{sql}: {text:?}");
        }
        // A text that is not a value of its column is in rejects as sent; "None" is a missing value.
        if *text != "None" {
            let sql = "select count(*) from rejects where table_name = 'quality_samples' and column_name = 'network_delay_ms' and raw_text = ?";
            assert_eq!(count(sql, text), 1, "{text:?}");
        }
    }
    assert_eq!(server.number("select count(*) from quality_samples"), TEXTS.len() as i64);
    assert_eq!(server.number("select count(distinct participant_key) from participants"), TEXTS.len() as i64);
    drop(database);

    for report in ["worst-meetings", "coverage", "unread-values"] {
        for format in FORMATS {
            // `run` checks the output and the files.
            let printed =
                server.run(server.command(&["report", "run", report, "--format", format])).expect_exit(0).stdout;
            match *format {
                "json" => assert!(serde_json::from_str::<Value>(&printed).is_ok(), "{printed}"),
                "csv" => assert_harmless_csv(&printed),
                "markdown" => {
                    assert!(
                        !printed.contains("<script") && !printed.contains("<img") && !printed.contains("](java"),
                        "{printed}"
                    );
                    let rows: Vec<_> = printed.lines().filter(|line| line.starts_with("| ")).collect();
                    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
                    assert!(rows.iter().all(|row| cells(row) == cells(rows[0])), "{printed}");
                }
                "html" => assert_plain_page(&printed),
                _ => {}
            }
        }
    }
    // As a parameter's value, and in every row of the report.
    let mut rows = 0;
    for (index, text) in TEXTS.iter().enumerate().filter(|(_, text)| !text.contains('\0')) {
        let who = format!("who={text}");
        let run_report = |format| {
            let ran =
                server.run(server.command(&["report", "run", "user-timeline", "--param", &who, "--format", format]));
            // Blank text is not a value.
            assert!(ran.code == Some(0) || text.trim().is_empty(), "{text:?}: {}", ran.stderr);
            ran.stdout
        };
        let printed = run_report("csv");
        assert_harmless_csv(&printed);
        rows += usize::from(printed.lines().count() > 1);
        if index % 5 == 0 {
            assert_plain_page(&run_report("html"));
        }
    }
    assert!(rows > TEXTS.len() / 2, "{rows}");
}

/// Checks that a page has only its own elements, and nothing to fetch or run.
#[track_caller]
fn assert_plain_page(text: &str) {
    for sign in ["<script", "<img", "<svg", "<iframe", "<a ", "onerror=\"", "</textarea"] {
        assert!(!text.to_lowercase().contains(sign), "{sign}: {text}");
    }
    assert_eq!(text.matches("<body>").count(), 1, "{text}");
}

/// Checks that no cell begins like a formula and that every row has the same number of cells.
#[track_caller]
fn assert_harmless_csv(text: &str) {
    let mut rows = vec![vec![String::new()]];
    let mut is_quoted = false;
    for c in text.chars() {
        let row = rows.last_mut().expect("a row");
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(String::new()),
            '\n' if !is_quoted => rows.push(vec![String::new()]),
            c => row.last_mut().expect("a cell").push(c),
        }
    }
    rows.pop();
    for row in &rows {
        assert_eq!(row.len(), rows[0].len(), "{row:?}");
        for cell in row {
            let is_number = cell.parse::<f64>().is_ok();
            assert!(is_number || !cell.trim_start().starts_with(['=', '+', '-', '@', '＝']), "{cell:?}");
        }
    }
}

#[test]
fn messages_of_the_api_are_shown_on_one_line_and_shortened() {
    let words = format!("no \u{1b}[2J\u{202e}\nerror: all is well\r\u{9b}1A{}", "x".repeat(100_000));
    for list in [List::Token, List::Meetings] {
        for format in ["plain", "json"] {
            let words = words.clone();
            let server = ScriptedServer::new(ordinary_except(list, move |_| {
                let error = json!({"log_id": words, "permission_violations": [{"subject": words}, {"scope": words}]});
                let body = json!({"code": 99991672, "msg": words, "error": error}).to_string();
                Response::body(body).status(400).with("x-tt-logid", b"a\x9bb".to_vec())
            }));
            let mut command = server.sync(&["--log-level", "trace"]);
            command.env("VCQ_LOG_FORMAT", format);
            let ran = server.run(command).expect_exit(3);
            assert!(ran.stderr.contains("99991672") && ran.stderr.len() < 10_000, "{}", ran.stderr);
            assert!(!ran.stderr.lines().any(|line| line.starts_with("error: all is well")), "{}", ran.stderr);
        }
    }
}

#[test]
fn unusable_ids_are_never_requested() {
    let long = "x".repeat(10_000);
    let row = |id: Value| json!({"user_id": id, "participant_name": "n", "join_time": START, "time_in_meeting": "60"});
    let ids = [json!(long), json!(""), json!("  "), json!("-"), json!(null), json!({"a": 1}), json!(7), json!("ok")];
    let rows: Vec<Value> = ids.iter().map(|id| row(id.clone())).collect();
    let server = ScriptedServer::new(tenant(
        format!("[{}]", meeting()),
        Value::from(rows).to_string(),
        format!("[{}]", crate::support::scripted_server::sample()),
    ));
    server.run(server.sync(&[])).expect_exit(0);
    let mut requested: Vec<_> =
        server.requests().iter().filter_map(|request| request.query.get("user_id").cloned()).collect();
    requested.sort();
    assert_eq!(requested, ["7", "ok"]);
    assert_eq!(server.number("select count(*) from participants"), ids.len() as i64);
    assert_eq!(server.number("select count(*) from coverage where status = 'unaddressable'"), ids.len() as i64 - 2);
    assert_eq!(server.number("select max(length(user_id)) from participants"), 10_000, "the column keeps it");
    assert!(server.number("select max(length(participant_key)) from coverage") < 100);
}

#[test]
fn meeting_numbers_of_any_form_are_requested_as_sent() {
    let numbers = ["123456789", "12", "../../1", "1/2", "a b&c=d#e", "705-1671765419", ""];
    let items: Vec<Value> = numbers.iter().map(|number| {
        json!({"meeting_id": number, "meeting_topic": number, "meeting_start_time": START, "meeting_end_time": START})
    }).collect();
    let server = ScriptedServer::new(ordinary_except(List::Meetings, move |_| {
        Response::page(List::Meetings, &Value::from(items.clone()).to_string(), None)
    }));
    server.run(server.sync(&[])).expect_exit(0);
    let mut requested: Vec<_> = server
        .requests()
        .iter()
        .filter(|request| request.list == List::Participants)
        .map(|request| request.query["meeting_no"].clone())
        .collect();
    requested.sort();
    let mut expected = numbers.to_vec();
    expected.sort_unstable();
    assert_eq!(requested, expected);
    assert!(server.requests().iter().all(|request| request.list != List::Other), "no number changes the request path");
    assert_eq!(server.number("select count(distinct meeting_key) from coverage"), numbers.len() as i64);
}

#[test]
fn times_at_the_limits_of_the_calendar_are_stored_or_rejected() {
    let times = [
        "9999.12.31 23:59:59 (GMT-14:00)",
        "0001.01.01 00:00:00 (GMT+14:00)",
        "0000.01.01 00:00:00",
        "-0001.01.01 00:00:00",
        "2016.12.31 23:59:60 (GMT+00:00)",
        "2022.02.30 00:00:00",
        "253402300799",
        "99999999999999999999",
        "-1",
        "1e400",
    ];
    let rows: Vec<Value> = times
        .iter()
        .enumerate()
        .map(|(n, time)| {
            json!({
                "user_id": format!("ou_{n}"), "join_time": time, "leave_time": time, "time_in_meeting": i64::MAX,
            })
        })
        .collect();
    let samples: Vec<Value> =
        times.iter().map(|time| json!({"network": {"time": time}, "cpu_usage": {"time": START}})).collect();
    let meetings = json!([
        {"meeting_id": "705605196", "meeting_start_time": START, "meeting_end_time": "2025.12.23 11:16:59 (GMT+08:00)",
         "number_of_devices": i64::MAX, "meeting_duration": "1000000"},
        {"meeting_id": "1", "meeting_start_time": "9999.12.31 23:59:59 (GMT-14:00)"},
        {"meeting_id": "2", "meeting_start_time": "0001.01.01 00:00:00 (GMT+14:00)"},
        {"meeting_id": "3", "meeting_start_time": "2016.12.31 23:59:60"},
        {"meeting_id": "705605196", "meeting_start_time": START, "meeting_topic": "the same key, another row"},
    ]);
    let server = ScriptedServer::new(tenant(
        meetings.to_string(),
        Value::from(rows).to_string(),
        Value::from(samples).to_string(),
    ));
    // An unreadable start is a reject, and the run ends 7.
    let summary = server.run(server.sync(&[])).expect_exit(7).summary();
    assert_eq!(summary["meetings"], 2);
    assert_eq!(summary["participants"], 2 * times.len());
    // Nothing can be requested for it, so nothing is reported as pending.
    let text = server.run(server.command(&[&["sync"], &WINDOW[..]].concat())).expect_exit(7).stdout;
    assert!(text.contains("some listed meetings are unreadable") && text.contains("unread-values"), "{text}");
    assert!(!text.contains("finished with failures") && !text.contains("The next run"), "{text}");
    assert_eq!(server.number("select count(*) from coverage where expected_minutes < 0"), 0);
    assert!(server.number("select count(*) from rejects where column_name = 'network_time_utc'") > 0);
    assert_eq!(server.number("select count(*) from meetings where meeting_key like '%#2'"), 1);
}

#[test]
fn reports_of_rejects_contain_no_terminal_controls() {
    // This report shows unreadable values as they are.
    let item = json!([{"network": {"time": START, "network_delay": "\u{1b}[2J\u{9b}H=1|<b>\n\n\u{202e}"}}]);
    let server =
        ScriptedServer::new(tenant(format!("[{}]", meeting()), format!("[{}]", participant()), item.to_string()));
    server.run(server.sync(&[])).expect_exit(0);
    for format in FORMATS {
        let ran = server.run(server.command(&["report", "run", "unread-values", "--format", format])).expect_exit(0);
        assert!(
            ran.stdout.contains("2J") && !ran.stdout.chars().any(|c| is_terminal_control(c) && c != '\n'),
            "{format}"
        );
    }
}
