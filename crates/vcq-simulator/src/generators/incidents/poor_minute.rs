//! Which metric makes a minute poor, by the limits of Microsoft's Call Quality Dashboard and, for the CPU, Google's.
//!
//! The simulator's own reading of the published limits: it decides what is planted, and must not share a mistake with
//! the program that judges the samples.

use crate::model::incident::Metric;
use crate::model::quality::{Sample, Stream};

const LOSS_TENTHS: u32 = 100;
const DELAY_MS: u32 = 500;
const JITTER_MS: u32 = 30;
const POOR_FPS: u32 = 7;
/// With a CPU at its limit, fewer frames than this are a loss that one sees.
const SLOW_FPS: u32 = 15;
const CLIENT_CPU_TENTHS: u32 = 800;
const SYSTEM_CPU_TENTHS: u32 = 900;

/// The metric that is furthest over its limit, if any is; `None` for a good minute.
pub(crate) fn poor_metric(sample: &Sample) -> Option<Metric> {
    let audio = [(sample.audio.received, sample.received), (sample.audio.sent, sample.sent)];
    let active = audio.iter().filter_map(|(stream, traffic)| Some((stream.as_ref()?, traffic)));
    let mut worst: Option<(f64, Metric)> = None;
    for (stream, traffic) in active {
        for (metric, value, limit) in [
            (Metric::Loss, traffic.loss_avg_tenths, LOSS_TENTHS),
            (Metric::Delay, sample.delay_ms, DELAY_MS),
            (Metric::Jitter, stream.jitter_ms, JITTER_MS),
        ] {
            let ratio = f64::from(value) / f64::from(limit);
            if value > limit && worst.is_none_or(|(other, _)| ratio > other) {
                worst = Some((ratio, metric));
            }
        }
    }
    if let Some((_, metric)) = worst {
        return Some(metric);
    }
    let picture = |stream: fn(&Sample) -> Option<Stream>| stream(sample).map(|stream| stream.framerate_fps);
    let frames = [
        picture(|sample| sample.video.and_then(|video| video.received)),
        picture(|sample| sample.video.and_then(|video| video.sent)),
    ];
    let slowest = frames.into_iter().flatten().min();
    let hot = sample
        .cpu
        .is_some_and(|cpu| cpu.client_max_tenths >= CLIENT_CPU_TENTHS || cpu.system_max_tenths >= SYSTEM_CPU_TENTHS);
    match slowest {
        Some(fps) if hot && fps < SLOW_FPS => Some(Metric::Cpu),
        Some(fps) if fps < POOR_FPS => Some(Metric::FrameRate),
        _ => None,
    }
}
