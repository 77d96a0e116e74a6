//! The items of participant_quality_list: 44 values, each a string with its unit.
//!
//! Written straight into a string, because millions of items pass through here. As in Feishu's sample, sections without
//! media are absent for some participants and `{}` for others, single values are sometimes `-`, and `cpu_usage.time`
//! has no zone and is a minute late.

use std::fmt::{Display, Write};

use super::style::{JsonStyle, TimeFormat};
use crate::generators::identifiers::PlantedRow;
use crate::generators::quality::SampleGenerator;
use crate::model::quality::{Audio, Picture, Sample, Stream, Traffic};
use crate::model::{Session, Tenant};
use crate::random::{derive_key, unit_interval};

/// How an item is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Malformation {
    /// `network_delay` is `fast`.
    Unparsable,
    /// `network.bitrate_received` is `12 parsecs`.
    UnknownUnit,
    /// `network.packet_loss_avg_received` is `140%`.
    OutOfRange,
    /// `network` has no time, but the other sections have.
    NetworkTimeMissing,
    /// `network.time` is `25:99`.
    NetworkTimeUnparsable,
    /// No section has a time.
    NoTime,
}

/// In the order of the variants.
pub const MALFORMATIONS: &[Malformation] = &[
    Malformation::Unparsable,
    Malformation::UnknownUnit,
    Malformation::OutOfRange,
    Malformation::NetworkTimeMissing,
    Malformation::NetworkTimeUnparsable,
    Malformation::NoTime,
];

/// Whether and how the item of a session at a minute (Unix seconds) is malformed.
fn malformation(session: &Session, at: i64, per_million: u32) -> Option<Malformation> {
    if per_million == 0 {
        return None;
    }
    let item = derive_key(derive_key(session.key, 0x6F64), at as u64);
    (item % 1_000_000 < u64::from(per_million))
        .then(|| MALFORMATIONS[(derive_key(item, 1) % MALFORMATIONS.len() as u64) as usize])
}

/// Counts the malformed items in all responses of the quality list: what a complete copy must reject.
pub fn count_malformed(tenant: &Tenant, style: &JsonStyle) -> Vec<(Malformation, u64)> {
    let mut counts: Vec<(Malformation, u64)> = MALFORMATIONS.iter().map(|kind| (*kind, 0)).collect();
    for meeting in &tenant.meetings {
        for session in tenant.sessions_of(meeting).iter().filter(|session| !session.duplicate) {
            for index in 0..meeting.sample_count(session) {
                let at = session.minute_start(index);
                if let Some(found) = malformation(session, at, style.malformed_per_million) {
                    counts[found as usize].1 += 1;
                }
            }
        }
    }
    counts
}

/// Appends the quality items of a session at some minutes (indices), separated by commas.
pub(crate) fn push_items(
    out: &mut String,
    style: JsonStyle,
    utc_offset_s: i32,
    generator: &SampleGenerator<'_>,
    session: &Session,
    minutes: impl IntoIterator<Item = usize>,
    planted: Option<&PlantedRow>,
) {
    for (place, index) in minutes.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let sample = generator.sample(index);
        // Identifiers are in the first item.
        let planted = planted.filter(|_| index == 0);
        let malformation = match planted {
            Some(PlantedRow { without_time: true, .. }) => Some(Malformation::NoTime),
            _ => malformation(session, sample.at, style.malformed_per_million),
        };
        let time = match malformation {
            Some(Malformation::NoTime) => "\"\"".to_owned(),
            _ => style.time(sample.at, utc_offset_s).to_string(),
        };
        ItemWriter { out, style, utc_offset_s, session, malformation, time, planted }.push(&sample);
    }
}

const RECEIVED: &[&str] =
    &["bitrate_received", "latency_received", "jitter_received", "maximum_resolution_received", "framerate_received"];

const SENT: &[&str] = &["bitrate_sent", "latency_sent", "jitter_sent", "maximum_resolution_sent", "framerate_sent"];

struct ItemWriter<'a> {
    out: &'a mut String,
    style: JsonStyle,
    utc_offset_s: i32,
    session: &'a Session,
    malformation: Option<Malformation>,
    /// Of all sections except `cpu_usage`, as JSON.
    time: String,
    planted: Option<&'a PlantedRow>,
}

impl ItemWriter<'_> {
    fn push(mut self, sample: &Sample) {
        let network_time = match self.malformation {
            Some(Malformation::NetworkTimeUnparsable) => "\"25:99\"",
            Some(Malformation::NetworkTimeMissing) => "\"-\"",
            _ => &self.time,
        };
        self.out.push_str("{\"network\":{\"time\":");
        self.out.push_str(network_time);
        match (self.malformation, self.planted.and_then(|planted| planted.quality_wrong.as_deref())) {
            (_, Some(wrong)) => self.text("network_delay", wrong),
            (Some(Malformation::Unparsable), _) => self.text("network_delay", "fast"),
            _ => self.quantity("network_delay", sample.delay_ms, "ms"),
        }
        let received = ["bitrate_received", "packet_loss_avg_received", "packet_loss_max_received"];
        self.traffic(&sample.received, received, self.malformation);
        self.traffic(&sample.sent, ["bitrate_sent", "packet_loss_avg_sent", "packet_loss_max_sent"], None);
        self.out.push('}');
        self.open("audio");
        self.audio(&sample.audio, sample.at);
        self.picture("video", sample.video.as_ref());
        self.picture("screen_sharing", sample.sharing.as_ref());
        match sample.cpu {
            Some(cpu) => {
                if self.malformation != Some(Malformation::NoTime) {
                    // Feishu's sample has no zone here.
                    let times =
                        if self.style.times == TimeFormat::Text { TimeFormat::Zoneless } else { self.style.times };
                    self.time = JsonStyle { times, ..self.style }.time(sample.at + 60, self.utc_offset_s).to_string();
                }
                self.open("cpu_usage");
                self.percent("client_avg_cpu_usage", cpu.client_avg_tenths);
                self.percent("client_max_cpu_usage", cpu.client_max_tenths);
                self.percent("system_avg_cpu_usage", cpu.system_avg_tenths);
                self.percent("system_max_cpu_usage", cpu.system_max_tenths);
                self.out.push('}');
            }
            None => self.without_media("cpu_usage"),
        }
        if let Some(planted) = self.planted {
            self.key("x_capture");
            self.out.push('{');
            self.out.push_str("\"from\":[\"");
            self.out.push_str(&planted.quality_field);
            self.out.push_str("\"]}");
        }
        if self.style.extra_fields {
            self.out.push_str(",\"x_stream_stats\":{\"freeze_count\":\"0\"}");
        }
        self.out.push('}');
    }

    /// Starts a section with its time.
    fn open(&mut self, section: &str) {
        self.key(section);
        self.out.push_str("{\"time\":");
        self.out.push_str(&self.time);
    }

    fn traffic(&mut self, traffic: &Traffic, names: [&str; 3], malformation: Option<Malformation>) {
        let [bitrate, loss_avg, loss_max] = names;
        match malformation {
            Some(Malformation::UnknownUnit) => self.text(bitrate, "12 parsecs"),
            _ => self.quantity(bitrate, traffic.bitrate_kbps, "kbps"),
        }
        match malformation {
            Some(Malformation::OutOfRange) => self.text(loss_avg, "140%"),
            _ => self.percent(loss_avg, traffic.loss_avg_tenths),
        }
        self.percent(loss_max, traffic.loss_max_tenths);
    }

    fn audio(&mut self, audio: &Audio, at: i64) {
        match audio.mic_input_volume_db {
            Some(volume) => self.quantity("mic_input_volume", volume, "dB"),
            None => self.text("mic_input_volume", "-"),
        }
        // A value is missing now and then.
        if unit_interval(derive_key(derive_key(self.session.key, 0x646173), at as u64)) < 0.02 {
            self.text("speaker_volume", "-");
        } else {
            self.quantity("speaker_volume", audio.speaker_volume_db, "dB");
        }
        self.stream(audio.received.as_ref(), &RECEIVED[..3]);
        self.stream(audio.sent.as_ref(), &SENT[..3]);
        self.out.push('}');
    }

    fn picture(&mut self, section: &str, picture: Option<&Picture>) {
        let Some(picture) = picture else { return self.without_media(section) };
        self.open(section);
        self.stream(picture.received.as_ref(), RECEIVED);
        self.stream(picture.sent.as_ref(), SENT);
        self.out.push('}');
    }

    fn stream(&mut self, stream: Option<&Stream>, names: &[&str]) {
        let Some(stream) = stream else { return names.iter().for_each(|name| self.text(name, "-")) };
        self.quantity(names[0], stream.bitrate_kbps, "kbps");
        self.quantity(names[1], stream.latency_ms, "ms");
        self.quantity(names[2], stream.jitter_ms, "ms");
        if let [_, _, _, resolution, framerate] = names {
            match stream.height_px {
                2160 if !self.style.numbers => self.text(resolution, "4K"),
                height => self.quantity(resolution, height, "P"),
            }
            self.quantity(framerate, stream.framerate_fps, "fps");
        }
    }

    fn without_media(&mut self, section: &str) {
        if self.style.null_sections || self.session.key & 1 == 0 {
            self.key(section);
            self.out.push_str(if self.style.null_sections { "null" } else { "{}" });
        }
    }

    fn key(&mut self, name: &str) {
        self.out.push_str(",\"");
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    fn text(&mut self, name: &str, text: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, ",\"{name}\":\"{text}\"");
    }

    fn quantity(&mut self, name: &str, value: impl Display, unit: &str) {
        self.key(name);
        let _ = if self.style.numbers { write!(self.out, "{value}") } else { write!(self.out, "\"{value}{unit}\"") };
    }

    /// `0.8%`, but `8%` without a fraction.
    fn percent(&mut self, name: &str, tenths: u32) {
        match (tenths / 10, tenths % 10) {
            (whole, 0) => self.quantity(name, whole, "%"),
            (whole, tenth) => self.quantity(name, format_args!("{whole}.{tenth}"), "%"),
        }
    }
}
