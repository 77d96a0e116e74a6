//! What a column can be. All knowledge of a kind stands here, so that a new kind is one place.

use arrow::datatypes::{DataType, TimeUnit};

/// The meaning of a column: it fixes the Arrow type, the DuckDB type, the unit and the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text as sent. Absent, null, empty and blank are NULL.
    Text,
    /// An identifier: text, where `-` is NULL too.
    Id,
    /// A whole number: a count, a type, a code.
    Count,
    Flag,
    /// A delay or jitter in milliseconds.
    Millis,
    /// A bit rate in kilobits a second (factor 1000).
    Kbps,
    /// Packet loss in percent, 0 to 100.
    LossPercent,
    /// CPU use in percent; may pass 100 on machines that count cores.
    CpuPercent,
    /// A level in decibels.
    Decibel,
    /// Frames a second.
    FramesPerSecond,
    /// The height of a picture in pixels.
    PictureHeight,
    /// An instant, UTC, microseconds.
    Instant,
    /// The wall clock that the vendor printed, without a zone, microseconds.
    WallClock,
    /// The offset from UTC of a printed time, in minutes.
    OffsetMinutes,
    /// A length of time in seconds.
    Seconds,
    /// A length of time in seconds, with its fraction.
    FractionalSeconds,
    /// A length of time in minutes.
    Minutes,
    /// A number whose unit another column tells.
    Number,
    Day,
}

impl Kind {
    /// Every kind, for tests and for the data dictionary.
    pub const ALL: &'static [Kind] = &[
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

    /// The Arrow type. Text is plain `Utf8`: dictionary types break several readers of the Parquet files.
    pub fn arrow(self) -> DataType {
        match self {
            Kind::Text | Kind::Id => DataType::Utf8,
            Kind::Flag => DataType::Boolean,
            Kind::Count | Kind::PictureHeight | Kind::OffsetMinutes | Kind::Seconds | Kind::Minutes => DataType::Int64,
            Kind::Millis
            | Kind::Kbps
            | Kind::LossPercent
            | Kind::CpuPercent
            | Kind::Decibel
            | Kind::FramesPerSecond
            | Kind::FractionalSeconds
            | Kind::Number => DataType::Float64,
            Kind::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::WallClock => DataType::Timestamp(TimeUnit::Microsecond, None),
            Kind::Day => DataType::Date32,
        }
    }

    /// The DuckDB type. Instants are plain `TIMESTAMP` in UTC, because a build without ICU can do nothing with zones.
    pub fn duckdb(self) -> &'static str {
        match self.arrow() {
            DataType::Utf8 => "VARCHAR",
            DataType::Boolean => "BOOLEAN",
            DataType::Int64 => "BIGINT",
            DataType::Float64 => "DOUBLE",
            DataType::Date32 => "DATE",
            _ => "TIMESTAMP",
        }
    }

    /// The unit as people write it; empty where there is none.
    pub fn unit(self) -> &'static str {
        match self {
            Kind::Text | Kind::Id | Kind::Count | Kind::Flag | Kind::Number | Kind::Day => "",
            Kind::Millis => "ms",
            Kind::Kbps => "kbps",
            Kind::LossPercent | Kind::CpuPercent => "%",
            Kind::Decibel => "dB",
            Kind::FramesPerSecond => "fps",
            Kind::PictureHeight => "px",
            Kind::Instant => "UTC",
            Kind::WallClock => "local time",
            Kind::OffsetMinutes | Kind::Minutes => "min",
            Kind::Seconds | Kind::FractionalSeconds => "s",
        }
    }

    /// How a column of this kind must end, where the unit is part of the name.
    pub fn name_ending(self) -> Option<&'static str> {
        match self {
            Kind::Text | Kind::Id | Kind::Count | Kind::Flag | Kind::Number => None,
            Kind::Millis => Some("_ms"),
            Kind::Kbps => Some("_kbps"),
            Kind::LossPercent | Kind::CpuPercent => Some("_pct"),
            Kind::Decibel => Some("_db"),
            Kind::FramesPerSecond => Some("_fps"),
            Kind::PictureHeight => Some("_px"),
            Kind::Instant => Some("_utc"),
            Kind::WallClock => Some("_local"),
            Kind::OffsetMinutes => Some("_min"),
            Kind::Minutes => Some("_minutes"),
            Kind::Seconds | Kind::FractionalSeconds => Some("_s"),
            Kind::Day => Some("_date"),
        }
    }
}
