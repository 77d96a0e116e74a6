//! The vendor's JSON for quality minutes, written straight into a string.
//!
//! Owns the text of the 44 leaves: every one a string with its unit. Millions of items pass through here, so there is no
//! JSON tree and no allocation for a value. Sections without media are absent for some participants and `{}` for others,
//! single values are now and then `-`, and `cpu_usage.time` has no zone and is a minute late, as in the vendor's sample.

use super::dice::{key, unit};
use super::minutes::{Audio, Flow, Minute, Minutes, Picture, Traffic, minute_count};
use super::tenant::{Session, Tenant};
use super::wire::{TimeForm, WireStyle, push_time};

/// What is odd about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OddValue {
    /// `network_delay` is `fast`.
    Unparsable,
    /// `network.bitrate_received` is `12 parsecs`.
    UnknownUnit,
    /// `network.packet_loss_avg_received` is `140%`.
    OutOfRange,
    /// `network` has no time; the other sections have.
    NetworkTimeMissing,
    /// `network.time` is `25:99`.
    NetworkTimeUnparsable,
    /// No section has a time.
    NoTime,
}

/// All the odd values, in the order in which chance picks them.
pub const ODD_VALUES: &[OddValue] = &[
    OddValue::Unparsable,
    OddValue::UnknownUnit,
    OddValue::OutOfRange,
    OddValue::NetworkTimeMissing,
    OddValue::NetworkTimeUnparsable,
    OddValue::NoTime,
];

/// What is odd about the item of a row at a minute (unix seconds), if anything.
fn odd_value(session: &Session, at: i64, per_million: u32) -> Option<OddValue> {
    if per_million == 0 {
        return None;
    }
    let item = key(key(session.key, 0x6F64), at as u64);
    (item % 1_000_000 < u64::from(per_million)).then(|| ODD_VALUES[(key(item, 1) % ODD_VALUES.len() as u64) as usize])
}

/// Counts the odd items over all the answers of the quality list: what a complete copy has to reject.
pub fn count_odd_values(tenant: &Tenant, style: &WireStyle) -> Vec<(OddValue, u64)> {
    let mut counts: Vec<(OddValue, u64)> = ODD_VALUES.iter().map(|odd| (*odd, 0)).collect();
    for meeting in &tenant.meetings {
        for session in tenant.sessions[meeting.sessions.clone()].iter().filter(|session| !session.duplicate) {
            for index in 0..tenant.sample_count(meeting, session) {
                let at = super::minutes::minute_start(session, index);
                if let Some(odd) = odd_value(session, at, style.odd_items_per_million) {
                    counts.iter_mut().filter(|(known, _)| *known == odd).for_each(|(_, count)| *count += 1);
                }
            }
        }
    }
    counts
}

/// Appends the quality items of a row from `first` on, `count` at most, separated by commas.
pub(super) fn push_items(
    out: &mut String,
    style: WireStyle,
    utc_offset_s: i32,
    minutes: &Minutes<'_>,
    session: &Session,
    range: std::ops::Range<usize>,
) {
    debug_assert!(range.end <= minute_count(session));
    for index in range.clone() {
        if index > range.start {
            out.push(',');
        }
        let minute = minutes.minute(index);
        Item { out, style, utc_offset_s, session, odd: odd_value(session, minute.at, style.odd_items_per_million) }
            .push(&minute);
    }
}

struct Item<'a> {
    out: &'a mut String,
    style: WireStyle,
    utc_offset_s: i32,
    session: &'a Session,
    odd: Option<OddValue>,
}

impl Item<'_> {
    fn push(mut self, minute: &Minute) {
        self.out.push_str("{\"network\":{");
        self.network_time(minute.at);
        self.network(minute);
        self.out.push_str(",\"audio\":{");
        self.time(minute.at);
        self.audio(&minute.audio, minute.at);
        self.picture("video", minute.video.as_ref(), minute.at);
        self.picture("screen_sharing", minute.sharing.as_ref(), minute.at);
        match minute.cpu {
            Some(cpu) => {
                self.out.push_str(",\"cpu_usage\":{");
                self.cpu_time(minute.at + 60);
                self.tenths("client_avg_cpu_usage", cpu.client_avg);
                self.tenths("client_max_cpu_usage", cpu.client_max);
                self.tenths("system_avg_cpu_usage", cpu.system_avg);
                self.tenths("system_max_cpu_usage", cpu.system_max);
                self.out.push('}');
            }
            None => self.without_media("cpu_usage"),
        }
        if self.style.extra_fields {
            self.out.push_str(",\"x_stream_stats\":{\"freeze_count\":\"0\"}");
        }
        self.out.push('}');
    }

    fn network_time(&mut self, at: i64) {
        match self.odd {
            Some(OddValue::NetworkTimeUnparsable) => self.out.push_str("\"time\":\"25:99\""),
            Some(OddValue::NetworkTimeMissing) => self.out.push_str("\"time\":\"-\""),
            _ => self.time(at),
        }
    }

    fn time(&mut self, at: i64) {
        self.out.push_str("\"time\":");
        if self.odd == Some(OddValue::NoTime) {
            self.out.push_str("\"\"");
        } else {
            push_time(self.out, at, self.utc_offset_s, self.style);
        }
    }

    /// The vendor's sample prints this one without a zone.
    fn cpu_time(&mut self, at: i64) {
        let style = self.style;
        if style.times == TimeForm::Text {
            self.style.times = TimeForm::Zoneless;
        }
        self.time(at);
        self.style = style;
    }

    fn network(&mut self, minute: &Minute) {
        match self.odd {
            Some(OddValue::Unparsable) => self.raw("network_delay", "fast"),
            _ => self.value("network_delay", minute.delay_ms, "ms"),
        }
        self.traffic(
            &minute.received,
            ["bitrate_received", "packet_loss_avg_received", "packet_loss_max_received"],
            true,
        );
        self.traffic(&minute.sent, ["bitrate_sent", "packet_loss_avg_sent", "packet_loss_max_sent"], false);
        self.out.push('}');
    }

    fn traffic(&mut self, traffic: &Traffic, [bitrate, loss_avg, loss_max]: [&str; 3], may_be_odd: bool) {
        match self.odd.filter(|_| may_be_odd) {
            Some(OddValue::UnknownUnit) => self.raw(bitrate, "12 parsecs"),
            _ => self.value(bitrate, traffic.bitrate_kbps, "kbps"),
        }
        match self.odd.filter(|_| may_be_odd) {
            Some(OddValue::OutOfRange) => self.raw(loss_avg, "140%"),
            _ => self.tenths(loss_avg, traffic.loss_avg_tenths),
        }
        self.tenths(loss_max, traffic.loss_max_tenths);
    }

    fn audio(&mut self, audio: &Audio, at: i64) {
        match audio.mic_input_volume_db {
            Some(volume) => self.signed("mic_input_volume", volume),
            None => self.raw("mic_input_volume", "-"),
        }
        // A value goes missing now and then.
        if unit(key(key(self.session.key, 0x646173), at as u64)) < 0.02 {
            self.raw("speaker_volume", "-");
        } else {
            self.signed("speaker_volume", audio.speaker_volume_db);
        }
        self.sound(audio.received.as_ref(), ["bitrate_received", "latency_received", "jitter_received"]);
        self.sound(audio.sent.as_ref(), ["bitrate_sent", "latency_sent", "jitter_sent"]);
        self.out.push('}');
    }

    fn sound(&mut self, flow: Option<&Flow>, [bitrate, latency, jitter]: [&str; 3]) {
        match flow {
            Some(flow) => {
                self.value(bitrate, flow.bitrate_kbps, "kbps");
                self.value(latency, flow.latency_ms, "ms");
                self.value(jitter, flow.jitter_ms, "ms");
            }
            None => [bitrate, latency, jitter].into_iter().for_each(|leaf| self.raw(leaf, "-")),
        }
    }

    fn picture(&mut self, section: &str, picture: Option<&Picture>, at: i64) {
        let Some(picture) = picture else { return self.without_media(section) };
        self.open(section);
        self.time(at);
        self.flow(
            picture.received.as_ref(),
            [
                "bitrate_received",
                "latency_received",
                "jitter_received",
                "maximum_resolution_received",
                "framerate_received",
            ],
        );
        self.flow(
            picture.sent.as_ref(),
            ["bitrate_sent", "latency_sent", "jitter_sent", "maximum_resolution_sent", "framerate_sent"],
        );
        self.out.push('}');
    }

    fn flow(&mut self, flow: Option<&Flow>, leaves: [&str; 5]) {
        let Some(flow) = flow else { return leaves.into_iter().for_each(|leaf| self.raw(leaf, "-")) };
        let [bitrate, latency, jitter, resolution, framerate] = leaves;
        self.value(bitrate, flow.bitrate_kbps, "kbps");
        self.value(latency, flow.latency_ms, "ms");
        self.value(jitter, flow.jitter_ms, "ms");
        match flow.height_px {
            2160 if !self.style.numbers => self.raw(resolution, "4K"),
            height => self.value(resolution, height, "P"),
        }
        self.value(framerate, flow.framerate_fps, "fps");
    }

    fn without_media(&mut self, section: &str) {
        if self.style.null_sections {
            self.out.push_str(",\"");
            self.out.push_str(section);
            self.out.push_str("\":null");
        } else if self.session.key & 1 == 0 {
            self.open(section);
            self.out.push('}');
        }
    }

    fn open(&mut self, section: &str) {
        self.out.push_str(",\"");
        self.out.push_str(section);
        self.out.push_str("\":{");
    }

    fn leaf(&mut self, leaf: &str) {
        self.out.push_str(",\"");
        self.out.push_str(leaf);
        self.out.push_str("\":");
        if !self.style.numbers {
            self.out.push('"');
        }
    }

    fn end(&mut self, unit: &str) {
        if !self.style.numbers {
            self.out.push_str(unit);
            self.out.push('"');
        }
    }

    fn raw(&mut self, leaf: &str, text: &str) {
        self.out.push_str(",\"");
        self.out.push_str(leaf);
        self.out.push_str("\":\"");
        self.out.push_str(text);
        self.out.push('"');
    }

    fn value(&mut self, leaf: &str, value: u32, unit: &str) {
        self.leaf(leaf);
        push_number(self.out, value);
        self.end(unit);
    }

    fn signed(&mut self, leaf: &str, value: i32) {
        self.leaf(leaf);
        if value < 0 {
            self.out.push('-');
        }
        push_number(self.out, value.unsigned_abs());
        self.end("dB");
    }

    /// Tenths of a percent: `0.8%`, and `8%` where there is no fraction.
    fn tenths(&mut self, leaf: &str, tenths: u32) {
        self.leaf(leaf);
        push_number(self.out, tenths / 10);
        if !tenths.is_multiple_of(10) {
            self.out.push('.');
            self.out.push(char::from(b'0' + (tenths % 10) as u8));
        }
        self.end("%");
    }
}

fn push_number(out: &mut String, value: u32) {
    let mut digits = [0_u8; 10];
    let mut at = digits.len();
    let mut left = value;
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    digits[at..].iter().for_each(|digit| out.push(char::from(*digit)));
}
