//! `quality_samples`: one row for each minute of a participant, from participant_quality_list.
//!
//! Received and sent are from the point of view of the participant's client. Packet loss exists only for the connection
//! as a whole. The sections of one item can belong to different minutes, so each has its own time.

use crate::schema::Kind::{
    CpuPercent, Decibel, FramesPerSecond, Id, Instant, Kbps, LossPercent, Millis, OffsetMinutes, PictureHeight,
    WallClock,
};
use crate::schema::column::MEETING_DATE;
use crate::schema::{Column as C, Storage, Table};

/// Builds the columns, and the names of the sections in the order in which their times make the sample time. A section
/// lists column, field, kind and doc; the first field is its time.
macro_rules! sections {
    ($($section:literal { $($column:literal $field:literal $kind:ident $doc:literal;)* })*) => {
        pub(crate) const SECTIONS: &[&str] = &[$($section),*];

        const COLUMNS: &[C] = &[
            C::key("participant_key", Id, "The participant."),
            C::derived("meeting_key", Id, "The meeting."),
            C::key(
                "sample_time_utc",
                Instant,
                "The minute: the first time present of network, audio, video, screen_sharing, cpu_usage.",
            ),
            C::derived("sample_time_local", WallClock, "The minute in local time, as sent."),
            C::derived("utc_offset_min", OffsetMinutes, "Offset of sample_time_local from UTC, in minutes east."),
            $($(C::optional($column, concat!("/", $section, "/", $field), $kind, $doc),)*)*
            MEETING_DATE,
        ];
    };
}

sections! {
    "network" {
        "network_time_utc" "time" Instant "Time of the network section; can differ from the sample time by a minute.";
        "network_delay_ms" "network_delay" Millis "Network delay.";
        "network_bitrate_received_kbps" "bitrate_received" Kbps "Bitrate received over the connection.";
        "network_packet_loss_avg_received_pct" "packet_loss_avg_received" LossPercent "Average packet loss received.";
        "network_packet_loss_max_received_pct" "packet_loss_max_received" LossPercent "Maximum packet loss received.";
        "network_bitrate_sent_kbps" "bitrate_sent" Kbps "Bitrate sent over the connection.";
        "network_packet_loss_avg_sent_pct" "packet_loss_avg_sent" LossPercent "Average packet loss sent.";
        "network_packet_loss_max_sent_pct" "packet_loss_max_sent" LossPercent "Maximum packet loss sent.";
    }
    "audio" {
        "audio_time_utc" "time" Instant "Time of the audio section; can differ from the sample time by a minute.";
        "audio_mic_input_volume_db" "mic_input_volume" Decibel "Input level of the microphone.";
        "audio_speaker_volume_db" "speaker_volume" Decibel "Output level of the loudspeaker.";
        "audio_bitrate_received_kbps" "bitrate_received" Kbps "Bitrate of received audio.";
        "audio_latency_received_ms" "latency_received" Millis "Latency of received audio.";
        "audio_jitter_received_ms" "jitter_received" Millis "Jitter of received audio.";
        "audio_bitrate_sent_kbps" "bitrate_sent" Kbps "Bitrate of sent audio.";
        "audio_latency_sent_ms" "latency_sent" Millis "Latency of sent audio.";
        "audio_jitter_sent_ms" "jitter_sent" Millis "Jitter of sent audio.";
    }
    "video" {
        "video_time_utc" "time" Instant "Time of the video section; can differ from the sample time by a minute.";
        "video_bitrate_received_kbps" "bitrate_received" Kbps "Bitrate of received video.";
        "video_latency_received_ms" "latency_received" Millis "Latency of received video.";
        "video_jitter_received_ms" "jitter_received" Millis "Jitter of received video.";
        "video_maximum_resolution_received_px" "maximum_resolution_received" PictureHeight
            "Height of the largest picture of received video; 0: no stream.";
        "video_framerate_received_fps" "framerate_received" FramesPerSecond "Frame rate of received video.";
        "video_bitrate_sent_kbps" "bitrate_sent" Kbps "Bitrate of sent video.";
        "video_latency_sent_ms" "latency_sent" Millis "Latency of sent video.";
        "video_jitter_sent_ms" "jitter_sent" Millis "Jitter of sent video.";
        "video_maximum_resolution_sent_px" "maximum_resolution_sent" PictureHeight
            "Height of the largest picture of sent video; 0: no stream.";
        "video_framerate_sent_fps" "framerate_sent" FramesPerSecond "Frame rate of sent video.";
    }
    "screen_sharing" {
        "screen_sharing_time_utc" "time" Instant
            "Time of the screen_sharing section; can differ from the sample time by a minute.";
        "screen_sharing_bitrate_received_kbps" "bitrate_received" Kbps "Bitrate of received screen sharing.";
        "screen_sharing_latency_received_ms" "latency_received" Millis "Latency of received screen sharing.";
        "screen_sharing_jitter_received_ms" "jitter_received" Millis "Jitter of received screen sharing.";
        "screen_sharing_maximum_resolution_received_px" "maximum_resolution_received" PictureHeight
            "Height of the largest picture of received screen sharing; 0: no stream.";
        "screen_sharing_framerate_received_fps" "framerate_received" FramesPerSecond
            "Frame rate of received screen sharing.";
        "screen_sharing_bitrate_sent_kbps" "bitrate_sent" Kbps "Bitrate of sent screen sharing.";
        "screen_sharing_latency_sent_ms" "latency_sent" Millis "Latency of sent screen sharing.";
        "screen_sharing_jitter_sent_ms" "jitter_sent" Millis "Jitter of sent screen sharing.";
        "screen_sharing_maximum_resolution_sent_px" "maximum_resolution_sent" PictureHeight
            "Height of the largest picture of sent screen sharing; 0: no stream.";
        "screen_sharing_framerate_sent_fps" "framerate_sent" FramesPerSecond "Frame rate of sent screen sharing.";
    }
    "cpu_usage" {
        "cpu_usage_time_utc" "time" Instant
            "Time of the cpu_usage section; can differ from the sample time by a minute.";
        "client_avg_cpu_usage_pct" "client_avg_cpu_usage" CpuPercent "Average CPU usage of the app.";
        "client_max_cpu_usage_pct" "client_max_cpu_usage" CpuPercent "Maximum CPU usage of the app.";
        "system_avg_cpu_usage_pct" "system_avg_cpu_usage" CpuPercent "Average CPU usage of the computer.";
        "system_max_cpu_usage_pct" "system_max_cpu_usage" CpuPercent "Maximum CPU usage of the computer.";
    }
}

pub const QUALITY_SAMPLES: Table = Table {
    name: "quality_samples",
    doc: "One row for each minute of a participant, from participant_quality_list.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["participant_key", "sample_time_utc"],
    time_column: "sample_time_utc",
    columns: COLUMNS,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_has_its_time_and_every_documented_value_has_a_column() {
        for section in SECTIONS {
            assert!(QUALITY_SAMPLES.position(&format!("{section}_time_utc")).is_some(), "{section}");
        }
        // Feishu documents 44 values: 39 metrics and 5 times.
        assert_eq!(QUALITY_SAMPLES.columns.iter().filter(|column| !column.source.is_empty()).count(), 44);
    }
}
