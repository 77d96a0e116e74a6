//! One quality sample: a minute of one session. Loss and CPU are in tenths of a percent.

/// One direction of a media stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) bitrate_kbps: u32,
    pub(crate) latency_ms: u32,
    pub(crate) jitter_ms: u32,
    /// Height of the largest picture; 0 for audio.
    pub(crate) height_px: u32,
    /// 0 for audio.
    pub(crate) framerate_fps: u32,
}

/// One direction of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) bitrate_kbps: u32,
    pub(crate) loss_avg_tenths: u32,
    pub(crate) loss_max_tenths: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Audio {
    /// `None` while muted.
    pub(crate) mic_input_volume_db: Option<i32>,
    pub(crate) speaker_volume_db: i32,
    pub(crate) received: Option<Stream>,
    pub(crate) sent: Option<Stream>,
}

/// Camera or screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) received: Option<Stream>,
    pub(crate) sent: Option<Stream>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cpu {
    pub(crate) client_avg_tenths: u32,
    pub(crate) client_max_tenths: u32,
    pub(crate) system_avg_tenths: u32,
    pub(crate) system_max_tenths: u32,
}

/// One item of participant_quality_list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Start of the minute, Unix seconds.
    pub(crate) at: i64,
    pub(crate) delay_ms: u32,
    pub(crate) received: Traffic,
    pub(crate) sent: Traffic,
    pub(crate) audio: Audio,
    pub(crate) video: Option<Picture>,
    pub(crate) sharing: Option<Picture>,
    pub(crate) cpu: Option<Cpu>,
}
