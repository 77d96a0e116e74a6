//! Inputs of the parser benchmarks: texts in the forms that Feishu sends, and a page of a hundred minutes.
//!
//! Shared by the benchmarks and the instruction counts, and fixed, so that the counts are reproducible.

use std::hint::black_box;

use vcq_etl::WalkParser;
use vcq_etl::{Kind, Raw, parse};

/// A parser with its inputs.
pub(crate) struct Parser {
    /// Name in the output and in `instructions.txt`.
    pub name: &'static str,
    /// The usual forms, and a missing value.
    pub texts: &'static [&'static str],
    /// Parses one text and drops the result.
    pub read: fn(&str),
}

/// Calls a parser that takes only the value.
macro_rules! leaf {
    ($parser:path) => {
        |text| {
            black_box($parser(black_box(&Raw::Text(text)))).ok();
        }
    };
}

/// Parses a metric of this kind.
macro_rules! metric {
    ($kind:ident) => {
        |text| {
            black_box(parse::measure(black_box(&Raw::Text(text)), Kind::$kind)).ok();
        }
    };
}

/// Every parser of `schema::parse`.
pub(crate) const PARSERS: &[Parser] = &[
    Parser { name: "millis", texts: &["100ms", "17ms", "5 ms", "1.5s", "-"], read: metric!(Millis) },
    Parser { name: "kbps", texts: &["2324kbps", "46kbps", "1.2Mbps", "0kbps", "-"], read: metric!(Kbps) },
    Parser { name: "loss_percent", texts: &["2.8%", "0%", "0.8 %", "100%", "-"], read: metric!(LossPercent) },
    Parser { name: "cpu_percent", texts: &["15.5%", "21.3%", "36.4%", "143.4%", "-"], read: metric!(CpuPercent) },
    Parser { name: "decibel", texts: &["-13dB", "6dB", "-40dBFS", "0dB", "-"], read: metric!(Decibel) },
    Parser {
        name: "frames_per_second",
        texts: &["30fps", "21fps", "29.97 fps", "100fps", "-"],
        read: metric!(FramesPerSecond),
    },
    Parser { name: "picture_height", texts: &["1080P", "720p", "4K", "1280x720", "-"], read: leaf!(parse::height_px) },
    Parser {
        name: "clock",
        texts: &["2026.10.13 18:06:00 (GMT+08:00)", "2026.10.13 18:07:00", "1791886080", "-"],
        read: leaf!(parse::time),
    },
    Parser { name: "seconds", texts: &["00:01:52", "1:00:00", "3600", "-"], read: leaf!(parse::seconds) },
    Parser { name: "count", texts: &["1", "100", "12345", "-"], read: leaf!(parse::count) },
    Parser { name: "flag", texts: &["true", "false", "1", "yes", "-"], read: leaf!(parse::flag) },
    Parser { name: "text", texts: &["Weekly review", "HD Camera", " ", ""], read: leaf!(parse::text) },
    Parser {
        name: "id",
        texts: &["ou_23ac06ca15a5f2e795080680ef5c162e", "omm_8efq90", "-", ""],
        read: leaf!(parse::id),
    },
    Parser {
        name: "metric_in_full_width",
        texts: &["\u{FF18}\u{FF05}", "100\u{FF4D}\u{FF53}"],
        read: metric!(LossPercent),
    },
];

/// Minutes on a full page.
pub(crate) const PAGE_ITEMS: usize = 100;

/// A full page of participant_quality_list: every section, with different numbers in each minute.
pub(crate) fn page() -> String {
    let item = |minute: usize| {
        let time = format!("2026.10.13 {:02}:{:02}:00 (GMT+08:00)", 9 + minute / 60, minute % 60);
        let zoneless = &time[..19];
        let stream = |base: usize| {
            format!(
                r#""time":"{time}","bitrate_received":"{}kbps","latency_received":"{}ms","jitter_received":"{}ms","maximum_resolution_received":"{}P","framerate_received":"{}fps","bitrate_sent":"{}kbps","latency_sent":"{}ms","jitter_sent":"{}ms","maximum_resolution_sent":"1080P","framerate_sent":"-""#,
                base + minute * 7,
                140 + minute % 11,
                14 + minute % 7,
                if minute.is_multiple_of(3) { 720 } else { 360 },
                21 + minute % 5,
                2 * base + minute * 3,
                154 + minute % 13,
                20 + minute % 3,
            )
        };
        format!(
            r#"{{"network":{{"time":"{time}","network_delay":"{}ms","bitrate_received":"{}kbps","packet_loss_avg_received":"{}.8%","packet_loss_max_received":"{}.7%","bitrate_sent":"{}kbps","packet_loss_avg_sent":"3.{}%","packet_loss_max_sent":"9.8%"}},"audio":{{"time":"{time}","mic_input_volume":"-{}dB","speaker_volume":"-16dB","bitrate_received":"{}kbps","latency_received":"111ms","jitter_received":"14ms","bitrate_sent":"39kbps","latency_sent":"{}ms","jitter_sent":"14ms"}},"video":{{{}}},"screen_sharing":{{{}}},"cpu_usage":{{"time":"{zoneless}","client_avg_cpu_usage":"15.{}%","client_max_cpu_usage":"21.3%","system_avg_cpu_usage":"36.4%","system_max_cpu_usage":"{}.4%"}}}}"#,
            17 + minute % 9,
            2300 + minute,
            minute % 4,
            4 + minute % 6,
            2396 - minute,
            minute % 10,
            10 + minute % 30,
            40 + minute % 8,
            110 + minute % 12,
            stream(700),
            stream(1300),
            minute % 10,
            40 + minute % 50,
        )
    };
    let items: Vec<String> = (0..PAGE_ITEMS).map(item).collect();
    format!(
        r#"{{"code":0,"msg":"success","data":{{"has_more":false,"participant_quality_list":[{}]}}}}"#,
        items.join(",")
    )
}

/// Types a walk of one page. Panics if a value is rejected, because then the benchmark would measure something else.
pub(crate) fn type_page(parser: &mut WalkParser, page: &str) -> vcq_etl::TypedWalk {
    let typed = parser.walk(&[page.as_bytes()], 480).expect("the page is JSON");
    assert_eq!(typed.sample_count(), PAGE_ITEMS);
    assert_eq!(typed.rejects("", 0).count(), 0, "a value of the page was rejected");
    typed
}
