//! `quality_samples`: a row a minute of one participant, from participant_quality_list.
//!
//! Received and sent are seen from the participant's client. Packet loss exists only for the connection, not for each
//! stream. The sections of one item can carry different minutes, so each keeps its own time.

use super::MEETING_DATE;
use crate::schema::Column as C;
use crate::schema::Kind::{
    CpuPercent, Decibel, FramesPerSecond, Id, Instant, Kbps, LossPercent, Millis, OffsetMinutes, PictureHeight,
    WallClock,
};
use crate::schema::{Storage, Table};

/// One object of an item and the columns it feeds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section {
    /// The vendor's name of the object.
    pub name: &'static str,
    /// The column that holds the object's own time.
    pub time_column: &'static str,
}

/// The sections in the order in which their times make the sample time.
pub(crate) const SECTIONS: &[Section] = &[
    Section { name: "network", time_column: "network_time_utc" },
    Section { name: "audio", time_column: "audio_time_utc" },
    Section { name: "video", time_column: "video_time_utc" },
    Section { name: "screen_sharing", time_column: "screen_sharing_time_utc" },
    Section { name: "cpu_usage", time_column: "cpu_usage_time_utc" },
];

/// One row a minute of one participant.
pub const QUALITY_SAMPLES: Table = Table {
    name: "quality_samples",
    doc: "One row for each minute of a participant, from participant_quality_list.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["participant_key", "sample_time_utc"],
    time_column: "sample_time_utc",
    columns: &[
        C::key("participant_key", "", Id, "The participant."),
        C::optional("meeting_key", "", Id, "The meeting."),
        C::key(
            "sample_time_utc",
            "",
            Instant,
            "The minute: the first time present of network, audio, video, screen_sharing, cpu_usage.",
        ),
        C::optional("sample_time_local", "", WallClock, "The minute on the wall clock that the vendor printed."),
        C::optional("utc_offset_min", "", OffsetMinutes, "Offset from UTC of the minute, minutes east."),
        C::optional(
            "network_time_utc",
            "/network/time",
            Instant,
            "The connection as a whole: its own time; may differ from the sample time by a minute.",
        ),
        C::optional("network_delay_ms", "/network/network_delay", Millis, "Delay of the connection."),
        C::optional(
            "network_bitrate_received_kbps",
            "/network/bitrate_received",
            Kbps,
            "Bit rate received over the connection.",
        ),
        C::optional(
            "network_packet_loss_avg_received_pct",
            "/network/packet_loss_avg_received",
            LossPercent,
            "Packet loss received, average of the minute.",
        ),
        C::optional(
            "network_packet_loss_max_received_pct",
            "/network/packet_loss_max_received",
            LossPercent,
            "Packet loss received, worst of the minute.",
        ),
        C::optional("network_bitrate_sent_kbps", "/network/bitrate_sent", Kbps, "Bit rate sent over the connection."),
        C::optional(
            "network_packet_loss_avg_sent_pct",
            "/network/packet_loss_avg_sent",
            LossPercent,
            "Packet loss sent, average of the minute.",
        ),
        C::optional(
            "network_packet_loss_max_sent_pct",
            "/network/packet_loss_max_sent",
            LossPercent,
            "Packet loss sent, worst of the minute.",
        ),
        C::optional(
            "audio_time_utc",
            "/audio/time",
            Instant,
            "Audio: its own time; may differ from the sample time by a minute.",
        ),
        C::optional("audio_mic_input_volume_db", "/audio/mic_input_volume", Decibel, "Level of the microphone."),
        C::optional("audio_speaker_volume_db", "/audio/speaker_volume", Decibel, "Level of the loudspeaker."),
        C::optional("audio_bitrate_received_kbps", "/audio/bitrate_received", Kbps, "Audio bit rate received."),
        C::optional("audio_latency_received_ms", "/audio/latency_received", Millis, "Latency of received audio."),
        C::optional("audio_jitter_received_ms", "/audio/jitter_received", Millis, "Jitter of received audio."),
        C::optional("audio_bitrate_sent_kbps", "/audio/bitrate_sent", Kbps, "Audio bit rate sent."),
        C::optional("audio_latency_sent_ms", "/audio/latency_sent", Millis, "Latency of sent audio."),
        C::optional("audio_jitter_sent_ms", "/audio/jitter_sent", Millis, "Jitter of sent audio."),
        C::optional(
            "video_time_utc",
            "/video/time",
            Instant,
            "Video: its own time; may differ from the sample time by a minute.",
        ),
        C::optional("video_bitrate_received_kbps", "/video/bitrate_received", Kbps, "Bit rate of received video."),
        C::optional("video_latency_received_ms", "/video/latency_received", Millis, "Latency of received video."),
        C::optional("video_jitter_received_ms", "/video/jitter_received", Millis, "Jitter of received video."),
        C::optional(
            "video_maximum_resolution_received_px",
            "/video/maximum_resolution_received",
            PictureHeight,
            "Largest picture of received video in the minute, its height; 0 = no stream.",
        ),
        C::optional(
            "video_framerate_received_fps",
            "/video/framerate_received",
            FramesPerSecond,
            "Frame rate of received video.",
        ),
        C::optional("video_bitrate_sent_kbps", "/video/bitrate_sent", Kbps, "Bit rate of sent video."),
        C::optional("video_latency_sent_ms", "/video/latency_sent", Millis, "Latency of sent video."),
        C::optional("video_jitter_sent_ms", "/video/jitter_sent", Millis, "Jitter of sent video."),
        C::optional(
            "video_maximum_resolution_sent_px",
            "/video/maximum_resolution_sent",
            PictureHeight,
            "Largest picture of sent video in the minute, its height; 0 = no stream.",
        ),
        C::optional("video_framerate_sent_fps", "/video/framerate_sent", FramesPerSecond, "Frame rate of sent video."),
        C::optional(
            "screen_sharing_time_utc",
            "/screen_sharing/time",
            Instant,
            "Screen sharing: its own time; may differ from the sample time by a minute.",
        ),
        C::optional(
            "screen_sharing_bitrate_received_kbps",
            "/screen_sharing/bitrate_received",
            Kbps,
            "Bit rate of received screen sharing.",
        ),
        C::optional(
            "screen_sharing_latency_received_ms",
            "/screen_sharing/latency_received",
            Millis,
            "Latency of received screen sharing.",
        ),
        C::optional(
            "screen_sharing_jitter_received_ms",
            "/screen_sharing/jitter_received",
            Millis,
            "Jitter of received screen sharing.",
        ),
        C::optional(
            "screen_sharing_maximum_resolution_received_px",
            "/screen_sharing/maximum_resolution_received",
            PictureHeight,
            "Largest picture of received screen sharing in the minute, its height; 0 = no stream.",
        ),
        C::optional(
            "screen_sharing_framerate_received_fps",
            "/screen_sharing/framerate_received",
            FramesPerSecond,
            "Frame rate of received screen sharing.",
        ),
        C::optional(
            "screen_sharing_bitrate_sent_kbps",
            "/screen_sharing/bitrate_sent",
            Kbps,
            "Bit rate of sent screen sharing.",
        ),
        C::optional(
            "screen_sharing_latency_sent_ms",
            "/screen_sharing/latency_sent",
            Millis,
            "Latency of sent screen sharing.",
        ),
        C::optional(
            "screen_sharing_jitter_sent_ms",
            "/screen_sharing/jitter_sent",
            Millis,
            "Jitter of sent screen sharing.",
        ),
        C::optional(
            "screen_sharing_maximum_resolution_sent_px",
            "/screen_sharing/maximum_resolution_sent",
            PictureHeight,
            "Largest picture of sent screen sharing in the minute, its height; 0 = no stream.",
        ),
        C::optional(
            "screen_sharing_framerate_sent_fps",
            "/screen_sharing/framerate_sent",
            FramesPerSecond,
            "Frame rate of sent screen sharing.",
        ),
        C::optional(
            "cpu_usage_time_utc",
            "/cpu_usage/time",
            Instant,
            "CPU use: its own time; may differ from the sample time by a minute.",
        ),
        C::optional(
            "client_avg_cpu_usage_pct",
            "/cpu_usage/client_avg_cpu_usage",
            CpuPercent,
            "CPU use of the app, average of the minute.",
        ),
        C::optional(
            "client_max_cpu_usage_pct",
            "/cpu_usage/client_max_cpu_usage",
            CpuPercent,
            "CPU use of the app, peak of the minute.",
        ),
        C::optional(
            "system_avg_cpu_usage_pct",
            "/cpu_usage/system_avg_cpu_usage",
            CpuPercent,
            "CPU use of the whole machine, average of the minute.",
        ),
        C::optional(
            "system_max_cpu_usage_pct",
            "/cpu_usage/system_max_cpu_usage",
            CpuPercent,
            "CPU use of the whole machine, peak of the minute.",
        ),
        MEETING_DATE,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_has_its_time_and_the_vendors_leaves_are_all_there() {
        for section in SECTIONS {
            assert!(QUALITY_SAMPLES.position(section.time_column).is_some(), "{}", section.name);
        }
        // The vendor documents 44 leaves: 39 metrics and 5 times.
        assert_eq!(QUALITY_SAMPLES.columns.iter().filter(|column| !column.source.is_empty()).count(), 44);
    }
}
