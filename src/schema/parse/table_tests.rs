//! Every form of the notation, what must be rejected, and properties that hold for any text.

use proptest::prelude::*;

use super::*;
use crate::schema::{Kind, ParsedTime, Raw};

const ALL_KINDS: &[Kind] = &[
    Kind::Text,
    Kind::Id,
    Kind::Count,
    Kind::Flag,
    Kind::Millis,
    Kind::Kbps,
    Kind::LossPercent,
    Kind::CpuPercent,
    Kind::Decibel,
    Kind::FramesPerSecond,
    Kind::PictureHeight,
    Kind::Instant,
    Kind::WallClock,
    Kind::OffsetMinutes,
    Kind::Seconds,
    Kind::FractionalSeconds,
    Kind::Minutes,
    Kind::Number,
    Kind::Day,
];

fn measured(kind: Kind, text: &str) -> Result<Option<f64>, Reason> {
    measure(&Raw::Text(text), kind)
}

#[test]
fn measures_of_the_contract() {
    let table: &[(Kind, &str, f64)] = &[
        (Kind::Millis, "100ms", 100.0),
        (Kind::Millis, "5 ms", 5.0),
        (Kind::Millis, " 5MS ", 5.0),
        (Kind::Millis, "1.5s", 1500.0),
        (Kind::Millis, "250us", 0.25),
        (Kind::Millis, "250µs", 0.25),
        (Kind::Millis, "42", 42.0),
        (Kind::Millis, "+42", 42.0),
        (Kind::Millis, "1,234ms", 1234.0),
        (Kind::Millis, "１００ｍｓ", 100.0),
        (Kind::Millis, "100\u{3000}ms", 100.0),
        (Kind::Millis, "-0ms", 0.0),
        (Kind::Millis, "12345678901234567890ms", 12_345_678_901_234_567_890.0),
        (Kind::Kbps, "8kbps", 8.0),
        (Kind::Kbps, "1.2Mbps", 1200.0),
        (Kind::Kbps, "900bps", 0.9),
        (Kind::Kbps, "1Gbps", 1_000_000.0),
        (Kind::Kbps, "64 kbit/s", 64.0),
        (Kind::Kbps, "2 Mbit/s", 2000.0),
        (Kind::Kbps, "8", 8.0),
        (Kind::LossPercent, "8%", 8.0),
        (Kind::LossPercent, "0.8 %", 0.8),
        (Kind::LossPercent, "8％", 8.0),
        (Kind::LossPercent, "100%", 100.0),
        (Kind::LossPercent, "0", 0.0),
        (Kind::CpuPercent, "140%", 140.0),
        (Kind::CpuPercent, "2.3%", 2.3),
        (Kind::Decibel, "6dB", 6.0),
        (Kind::Decibel, "-40dB", -40.0),
        (Kind::Decibel, "\u{2212}40dB", -40.0),
        (Kind::Decibel, "-12.5 dBFS", -12.5),
        (Kind::Decibel, "7", 7.0),
        (Kind::FramesPerSecond, "30fps", 30.0),
        (Kind::FramesPerSecond, "29.97 fps", 29.97),
        (Kind::FramesPerSecond, "15", 15.0),
    ];
    for (kind, text, expected) in table {
        assert_eq!(measured(*kind, text), Ok(Some(*expected)), "{kind:?} {text:?}");
    }
}

#[test]
fn measures_that_are_refused() {
    let table: &[(Kind, &str, Reason)] = &[
        (Kind::Millis, "fast", Reason::Unparsable),
        (Kind::Millis, "12 parsecs", Reason::UnknownUnit),
        (Kind::Millis, "12毫秒", Reason::UnknownUnit),
        (Kind::Millis, "<1ms", Reason::Unparsable),
        (Kind::Millis, "1e3", Reason::Unparsable),
        (Kind::Millis, "NaN", Reason::Unparsable),
        (Kind::Millis, "inf", Reason::Unparsable),
        (Kind::Millis, "1,23ms", Reason::Unparsable),
        (Kind::Millis, "1234,567ms", Reason::Unparsable),
        (Kind::Millis, "5.ms", Reason::Unparsable),
        (Kind::Millis, "5%", Reason::Unparsable),
        (Kind::Millis, "--5ms", Reason::Unparsable),
        (Kind::Millis, "-5ms", Reason::OutOfRange),
        (Kind::Kbps, "1MB/s", Reason::UnknownUnit),
        (Kind::Kbps, "-1kbps", Reason::OutOfRange),
        (Kind::LossPercent, "140%", Reason::OutOfRange),
        (Kind::LossPercent, "-1%", Reason::OutOfRange),
        (Kind::LossPercent, "0,8%", Reason::Unparsable),
        (Kind::CpuPercent, "-0.1%", Reason::OutOfRange),
        (Kind::FramesPerSecond, "-1fps", Reason::OutOfRange),
        (Kind::FramesPerSecond, "30ms", Reason::UnknownUnit),
        (Kind::Decibel, "loud", Reason::Unparsable),
    ];
    for (kind, text, reason) in table {
        assert_eq!(measured(*kind, text), Err(*reason), "{kind:?} {text:?}");
    }
    let long = format!("{}ms", "9".repeat(400));
    assert_eq!(measured(Kind::Millis, &long), Err(Reason::OutOfRange));
}

#[test]
fn missing_words_are_null_and_zero_is_not_missing() {
    for word in ["", " ", "-", "--", "–", "—", "N/A", "n/a", "NA", "null", "NULL", "none", "None", "unknown", "－"]
    {
        assert_eq!(measured(Kind::Millis, word), Ok(None), "{word:?}");
        assert_eq!(count(&Raw::Text(word)), Ok(None), "{word:?}");
        assert_eq!(flag(&Raw::Text(word)), Ok(None), "{word:?}");
        assert_eq!(seconds(&Raw::Text(word)), Ok(None), "{word:?}");
        assert_eq!(time(&Raw::Text(word)), Ok(None), "{word:?}");
        assert_eq!(height_px(&Raw::Text(word)), Ok(None), "{word:?}");
    }
    assert_eq!(measured(Kind::Millis, "0"), Ok(Some(0.0)));
    assert_eq!(measure(&Raw::Absent, Kind::Millis), Ok(None));
}

#[test]
fn text_keeps_its_words_and_ids_lose_a_dash() {
    assert_eq!(text(&Raw::Text("None")), Ok(Some("None".into())));
    assert_eq!(text(&Raw::Text(" 周会 ")), Ok(Some(" 周会 ".into())));
    assert_eq!(text(&Raw::Text("-")), Ok(Some("-".into())));
    assert_eq!(text(&Raw::Text("  ")), Ok(None));
    assert_eq!(text(&Raw::Integer(7)), Ok(Some("7".into())));
    assert_eq!(id(&Raw::Text("-")), Ok(None));
    assert_eq!(id(&Raw::Text("ou_1/2")), Ok(Some("ou_1/2".into())));
    assert_eq!(id(&Raw::Unsigned(17_529_416_531_681_214_468)), Ok(Some("17529416531681214468".into())));
    let nested = serde_json::json!({"a": 1});
    assert_eq!(text(&Raw::Nested(&nested)), Err(Reason::Unparsable));
}

#[test]
fn heights_of_the_contract() {
    for (text, height) in [
        ("1080P", 1080),
        ("720p", 720),
        ("2K", 1440),
        ("4K", 2160),
        ("4k", 2160),
        ("4 K", 2160),
        ("8K", 4320),
        ("1280x720", 720),
        ("1280*720", 720),
        ("1280×720", 720),
        ("1280 X 720", 720),
        ("0", 0),
        ("0P", 0),
        ("1080", 1080),
        ("90 P", 90),
    ] {
        assert_eq!(height_px(&Raw::Text(text)), Ok(Some(height)), "{text:?}");
    }
    for (text, reason) in [
        ("big", Reason::Unparsable),
        ("3K", Reason::UnknownUnit),
        ("1.5K", Reason::UnknownUnit),
        ("-1280x720", Reason::OutOfRange),
        ("1080i", Reason::UnknownUnit),
        ("1080.5P", Reason::Unparsable),
        ("1280x", Reason::Unparsable),
        ("-720P", Reason::OutOfRange),
        ("99999999999999999999P", Reason::OutOfRange),
    ] {
        assert_eq!(height_px(&Raw::Text(text)), Err(reason), "{text:?}");
    }
    assert_eq!(height_px(&Raw::Integer(0)), Ok(Some(0)));
    assert_eq!(height_px(&Raw::Integer(720)), Ok(Some(720)));
}

#[test]
fn durations_flags_and_counts_of_the_contract() {
    for (text, value) in [("00:01:52", 112), ("1:00:00", 3600), ("26:00:01", 93_601), ("112", 112)] {
        assert_eq!(seconds(&Raw::Text(text)), Ok(Some(value)), "{text:?}");
    }
    for text in ["25:99", "1:61:00", "00:00:60", "a:00:00", "1:2:3", "12.5", "::"] {
        assert_eq!(seconds(&Raw::Text(text)), Err(Reason::Unparsable), "{text:?}");
    }
    assert_eq!(seconds(&Raw::Integer(60)), Ok(Some(60)));
    for (text, value) in [
        ("true", true),
        ("FALSE", false),
        ("1", true),
        ("0", false),
        ("是", true),
        ("否", false),
        ("Yes", true),
        ("no", false),
    ] {
        assert_eq!(flag(&Raw::Text(text)), Ok(Some(value)), "{text:?}");
    }
    assert_eq!(flag(&Raw::Bool(true)), Ok(Some(true)));
    assert_eq!(flag(&Raw::Integer(1)), Ok(Some(true)));
    assert_eq!(flag(&Raw::Text("maybe")), Err(Reason::Unparsable));
    assert_eq!(count(&Raw::Text("12")), Ok(Some(12)));
    assert_eq!(count(&Raw::Text("1,200")), Ok(Some(1200)));
    assert_eq!(count(&Raw::Integer(-3)), Ok(Some(-3)));
    assert_eq!(count(&Raw::Text("1.5")), Err(Reason::Unparsable));
    assert_eq!(count(&Raw::Text("12 people")), Err(Reason::UnknownUnit));
    assert_eq!(count(&Raw::Text("99999999999999999999")), Err(Reason::OutOfRange));
}

#[test]
fn times_of_the_contract() {
    // 2022-12-23 11:16:00 local time.
    let local_us = 1_671_794_160_000_000;
    let local = |offset_min| ParsedTime::Local { local_us, offset_min };
    for (text, expected) in [
        ("2022.12.23 11:16:00 (GMT+08:00)", local(Some(480))),
        ("2022.12.23 11:16:00 (GMT+8)", local(Some(480))),
        ("2022.12.23 11:16:00 (GMT-05:00)", local(Some(-300))),
        ("2022.12.23 11:16:00 (GMT+05:30)", local(Some(330))),
        ("2022.12.23 11:16:00 (gmt+0530)", local(Some(330))),
        ("2022.12.23 11:16:00 (UTC)", local(Some(0))),
        ("2022.12.23 11:16:00 (GMT)", local(Some(0))),
        ("2022.12.23 11:16:00 GMT", local(Some(0))),
        ("2022.12.23 11:16:00", local(None)),
        ("2022-12-23 11:16:00", local(None)),
        ("2022/12/23 11:16:00 (GMT+08:00)", local(Some(480))),
        ("2022.12.23  11:16:00  (GMT+08:00) ", local(Some(480))),
        ("2022.12.23 11:16:00 （GMT＋08：00）", local(Some(480))),
        ("2022-12-23T11:16:00Z", local(Some(0))),
        ("1671794160", ParsedTime::Unix { utc_us: local_us }),
        ("1671794160000", ParsedTime::Unix { utc_us: local_us }),
    ] {
        assert_eq!(time(&Raw::Text(text)), Ok(Some(expected)), "{text:?}");
    }
    assert_eq!(
        time(&Raw::Text("2022.12.23 11:16:00.25 (GMT+08:00)")),
        Ok(Some(ParsedTime::Local { local_us: local_us + 250_000, offset_min: Some(480) }))
    );
    assert_eq!(time(&Raw::Integer(1_671_794_160)), Ok(Some(ParsedTime::Unix { utc_us: local_us })));
    assert_eq!(time(&Raw::Float(1_671_794_160.0)), Ok(Some(ParsedTime::Unix { utc_us: local_us })));
    assert_eq!(time(&Raw::Float(1_671_794_160.5)), Err(Reason::Unparsable));
    for (text, reason) in [
        ("25:99", Reason::Unparsable),
        ("soon", Reason::Unparsable),
        ("2022.13.23 11:16:00", Reason::Unparsable),
        ("2023.02.29 11:16:00", Reason::Unparsable),
        ("2022.12.23 24:16:00 (GMT+08:00)", Reason::Unparsable),
        ("2022.12.23 11:16:60", Reason::Unparsable),
        ("2022.12.23 11:16", Reason::Unparsable),
        ("2022.12.23 11:16:00 (GMT+25:00)", Reason::Unparsable),
        ("2022.12.23 11:16:00 (CST)", Reason::Unparsable),
        ("0", Reason::OutOfRange),
        ("99999999999999999999", Reason::OutOfRange),
    ] {
        assert_eq!(time(&Raw::Text(text)), Err(reason), "{text:?}");
    }
}

/// Text in which the parsers' own characters are frequent, so that deep branches are reached.
fn hostile_text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "[-+0-9.,:%()/ xXpPkKmMgGbBsSuUdDfFtTzZ×％０-９−GMTC]{0,40}",
        "[0-9]{4}[./-][0-9]{1,2}[./-][0-9]{1,2}[ T][0-9]{1,2}:[0-9]{2}:[0-9]{2}.{0,14}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_panics(text in hostile_text()) {
        let raw = Raw::Text(&text);
        for kind in ALL_KINDS {
            let _ = measure(&raw, *kind);
        }
        let _ = (count(&raw), flag(&raw), seconds(&raw), height_px(&raw), time(&raw), super::text(&raw), id(&raw));
        let _ = offset_min(&text);
    }

    #[test]
    fn a_printed_measure_is_read_back(tenths in 0_i64..10_000_000, space in " {0,2}") {
        let value = tenths as f64 / 10.0;
        for (kind, unit) in [
            (Kind::Millis, "ms"), (Kind::Kbps, "kbps"), (Kind::CpuPercent, "%"),
            (Kind::FramesPerSecond, "fps"), (Kind::Decibel, "dB"),
        ] {
            prop_assert_eq!(measured(kind, &format!("{value}{space}{unit}")), Ok(Some(value)));
        }
        prop_assert_eq!(measured(Kind::Decibel, &format!("-{value}dB")), Ok(Some(0.0 - value)));
    }

    #[test]
    fn the_usual_form_reads_what_the_long_way_reads(text in "[0-9]{0,17}[.,]?[0-9]{0,2}(ms|MS|s|kbps|%|dB|db|fps|P|)") {
        for kind in ALL_KINDS {
            // Blanks lead the long way.
            prop_assert_eq!(measured(*kind, &text), measured(*kind, &format!(" {text} ")), "{:?}", kind);
        }
    }

    #[test]
    fn the_fast_number_is_the_standard_librarys(whole in 0_u64..1_000_000_000, fraction in "[0-9]{1,12}") {
        let text = format!("{whole}.{fraction}");
        let expected: f64 = text.parse().expect("a number");
        prop_assert_eq!(measured(Kind::Millis, &text), Ok(Some(expected)));
    }

    #[test]
    fn a_scaled_number_is_rounded_once(mantissa in 0_u64..1_000_000_000, digits in 0_usize..6) {
        let text = format!("{:.*}", digits, mantissa as f64 / 1000.0);
        let expected: f64 = format!("{text}e3").parse().expect("a number");
        prop_assert_eq!(measured(Kind::Kbps, &format!("{text}Mbps")), Ok(Some(expected)));
        prop_assert_eq!(measured(Kind::Millis, &format!("{text}s")), Ok(Some(expected)));
    }

    #[test]
    fn a_printed_time_is_read_back(seconds in 0_i64..4_102_444_800, offset_quarters in -48_i32..=56) {
        let offset_min = offset_quarters * 15;
        let at = jiff::Timestamp::from_second(seconds).expect("in range");
        let offset = jiff::tz::Offset::from_seconds(offset_min * 60).expect("in range");
        let local = offset.to_datetime(at);
        let sign = if offset_min < 0 { '-' } else { '+' };
        let text = format!(
            "{} (GMT{sign}{:02}:{:02})", local.strftime("%Y.%m.%d %H:%M:%S"), offset_min.abs() / 60, offset_min.abs() % 60
        );
        let moment = time(&Raw::Text(&text)).expect("typed").expect("present").with_default_offset(0);
        prop_assert_eq!(moment.utc_us, seconds * 1_000_000);
        prop_assert_eq!(moment.offset_min, offset_min);
        // The long way reads what the fast way reads.
        let spaced = format!(" {text} ");
        prop_assert_eq!(time(&Raw::Text(&spaced)), time(&Raw::Text(&text)));
    }

    #[test]
    fn a_printed_duration_is_read_back(total in 0_i64..1_000_000) {
        let text = format!("{:02}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
        prop_assert_eq!(seconds(&Raw::Text(&text)), Ok(Some(total)));
        prop_assert_eq!(seconds(&Raw::Integer(total)), Ok(Some(total)));
    }

    #[test]
    fn a_printed_height_is_read_back(height in 1_i64..10_000, width in 1_i64..10_000) {
        let lines = format!("{height}P");
        let picture = format!("{width}x{height}");
        prop_assert_eq!(height_px(&Raw::Text(&lines)), Ok(Some(height)));
        prop_assert_eq!(height_px(&Raw::Text(&picture)), Ok(Some(height)));
    }
}
