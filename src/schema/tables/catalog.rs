//! All tables.

use super::buildings::{ADDRESS_BUILDINGS, BUILDINGS};
use super::census::{CENSUS_DAILY, CENSUS_USERS, RESERVATIONS, ROOM_ALERTS, ROOMS};
use super::incidents::{INCIDENT_PARTICIPANTS, INCIDENTS, JUDGED_PARTICIPANTS};
use super::lists::{MEETINGS, PARTICIPANTS};
use super::quality::QUALITY_SAMPLES;
use super::store::{
    COVERAGE, META, MISALIGNED_PARTICIPANTS, PUBLISHED_FILES, REJECTS, RUNS, SCHEMA_MIGRATIONS, THRESHOLDS,
};
use super::stored_minutes::{STORED_AUDIO_STREAMS, STORED_CPU_MINUTES, STORED_LIMITS, STORED_MARKED_MINUTES};
use crate::schema::Table;

/// The version of the tables: the number of the last file in `migrations/`. A column that is added, removed or changes
/// its type raises it.
pub(crate) const SCHEMA_VERSION: u32 = 8;

/// Every table, in the order of the data dictionary.
pub const TABLES: &[Table] = &[
    MEETINGS,
    PARTICIPANTS,
    QUALITY_SAMPLES,
    COVERAGE,
    REJECTS,
    ROOMS,
    ROOM_ALERTS,
    RESERVATIONS,
    CENSUS_DAILY,
    CENSUS_USERS,
    INCIDENTS,
    INCIDENT_PARTICIPANTS,
    RUNS,
    THRESHOLDS,
    BUILDINGS,
    ADDRESS_BUILDINGS,
    MISALIGNED_PARTICIPANTS,
    STORED_MARKED_MINUTES,
    STORED_CPU_MINUTES,
    STORED_AUDIO_STREAMS,
    STORED_LIMITS,
    JUDGED_PARTICIPANTS,
    META,
    PUBLISHED_FILES,
    SCHEMA_MIGRATIONS,
];

/// The documented fields of a table's items without a column: they do not count as unknown fields.
pub(crate) fn unused_fields(table: &str) -> &'static [&'static str] {
    UNUSED_FIELDS.iter().find(|(name, _)| *name == table).map_or(&[], |(_, fields)| fields)
}

const UNUSED_FIELDS: &[(&str, &[&str])] = &[
    (MEETINGS.name, &["reserved_rooms"]),
    (PARTICIPANTS.name, &[]),
    (ROOM_ALERTS.name, &["alert_rule_id", "notify_methods"]),
    (
        CENSUS_USERS.name,
        &[
            "date",
            "department_path",
            "create_time",
            "user_active_flag",
            "register_time",
            "suite_active_flag",
            "last_active_time",
            "im_active_flag",
            "send_messenger_num",
            "docs_active_flag",
            "create_docs_num",
            "cal_active_flag",
            "create_cal_num",
            "active_os",
            "create_task_num",
            "app_package_type",
            "os_name",
            "email_send_count",
            "email_receive_count",
            "email_send_ext_count",
            "email_receive_ext_count",
            "email_send_in_count",
            "email_receive_in_count",
            "search_active_flag",
            "total_search_count",
            "quick_search_count",
            "tab_search_count",
        ],
    ),
    (
        ROOMS.name,
        &[
            "path",
            "room_status/disable_start_time",
            "room_status/disable_end_time",
            "room_status/contact_ids",
            "room_status/disable_notice",
            "room_status/resume_notice",
        ],
    ),
];

#[cfg(test)]
pub(crate) fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::schema::{Kind, PARTITION_COLUMN, Storage};

    /// How the name of a column of this kind must end, if the unit is part of it.
    fn name_suffix(kind: Kind) -> Option<&'static str> {
        match kind {
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

    #[test]
    fn names_are_unique_and_end_with_their_unit() {
        let mut tables = HashSet::new();
        for table in TABLES {
            assert!(tables.insert(table.name), "{} twice", table.name);
            let mut names = HashSet::new();
            for column in table.columns {
                assert!(names.insert(column.name), "{}.{} twice", table.name, column.name);
                if let Some(suffix) = name_suffix(column.kind) {
                    assert!(column.name.ends_with(suffix), "{}.{} must end in {suffix}", table.name, column.name);
                }
            }
        }
    }

    #[test]
    fn docs_are_sentences_and_sources_are_pointers() {
        for table in TABLES {
            assert!(table.doc.ends_with('.'), "{}", table.name);
            for column in table.columns {
                assert!(column.doc.ends_with('.'), "{}.{}", table.name, column.name);
                assert!(column.source.is_empty() || column.source.starts_with('/'), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn a_source_has_one_column_of_a_kind() {
        for table in TABLES {
            let mut seen = HashSet::new();
            for column in table.columns.iter().filter(|column| !column.source.is_empty()) {
                assert!(seen.insert((column.source, column.kind)), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn sort_and_time_columns_exist_and_parquet_tables_end_in_the_partition() {
        for table in TABLES {
            for name in table.sort.iter().chain((!table.time_column.is_empty()).then_some(&table.time_column)) {
                assert!(table.position(name).is_some(), "{}.{name}", table.name);
            }
            assert!(table.key().next().is_some() || table.name == "meta", "{} has no key", table.name);
            if table.storage == Storage::ParquetAndDuckdb {
                assert!(table.position(PARTITION_COLUMN).is_some(), "{}", table.name);
            }
        }
    }
}
