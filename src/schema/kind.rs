//! The kinds of columns. Everything about a kind is here, so that a new one is added in one place.

use arrow::datatypes::{DataType, TimeUnit};

/// What a column contains: it determines the Arrow type, the DuckDB type, the unit and the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text as sent. Absent, null, empty and blank are NULL.
    Text,
    /// Text, but `-` is NULL too.
    Id,
    /// An integer: a count, a type, a code.
    Count,
    Flag,
    Millis,
    /// Kilobits per second (factor 1000).
    Kbps,
    /// 0 to 100.
    LossPercent,
    /// Can exceed 100 on machines that count cores.
    CpuPercent,
    Decibel,
    FramesPerSecond,
    /// In pixels.
    PictureHeight,
    /// UTC, in microseconds.
    Instant,
    /// Local time as sent, without a zone, in microseconds.
    WallClock,
    /// Offset from UTC in minutes east.
    OffsetMinutes,
    Seconds,
    FractionalSeconds,
    Minutes,
    /// A number whose unit is in another column.
    Number,
    Day,
}

impl Kind {
    /// Text is plain `Utf8`: several readers of Parquet do not support dictionary types.
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

    /// Instants are plain `TIMESTAMP` in UTC, because DuckDB without ICU does not support time zones.
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

    /// Empty for a kind without a unit.
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
}
