//! The built-in shared definitions and reports.

#[derive(Debug, Clone, Copy)]
pub(super) struct SqlFile {
    /// The file name without its extension.
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

/// A group of reports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    /// The heading in the list of reports.
    pub(super) title: &'static str,
    pub(super) reports: &'static [SqlFile],
}

macro_rules! sql_files {
    ($folder:literal, [$($name:literal),+ $(,)?]) => {
        &[$(SqlFile { name: $name, sql: include_str!(concat!("../../sql/", $folder, "/", $name, ".sql")) }),+]
    };
}

macro_rules! area {
    ($title:literal, $names:tt) => {
        Area { title: $title, reports: sql_files!("reports", $names) }
    };
}

/// The shared definitions in the order of installation: each may use the ones before it.
pub(super) const VIEWS: &[SqlFile] = sql_files!(
    "views",
    [
        "010_thresholds",
        "020_participant_facts",
        "030_quality_minutes",
        "040_verdicts",
        "045_causes",
        "050_summaries",
        "060_periods",
        "070_not_covered",
        "080_incidents",
        "090_minutes_flat",
    ]
);

/// The reports by area, in the order of the list. A new report needs a file `sql/reports/<name>.sql` and its name here.
pub(super) const AREAS: &[Area] = &[
    area!("Overview", ["incidents", "incident", "scorecard", "daily-summary", "sla", "heatmap", "trend-regression"]),
    area!(
        "Worst meetings and participants",
        ["worst-meetings", "worst-participants", "meeting-timeline", "user-timeline", "episodes"]
    ),
    area!("Locations", ["by-site", "missing-subnets", "inside-outside", "by-location", "by-egress"]),
    area!("Connections", ["by-network", "rooms-on-wifi", "proxy-protocol", "path-asymmetry"]),
    area!(
        "Clients",
        ["diagnosis", "cpu-hogs", "app-versions", "devices", "percentiles", "video-experience", "screen-share"]
    ),
    area!("Rooms", ["room-health", "room-alarms", "room-use"]),
    area!("Audio", ["mos-bands"]),
    area!(
        "Data quality",
        [
            "coverage",
            "reconcile",
            "unclassified",
            "unread-values",
            "freshness",
            "api-usage",
            "duplicates",
            "threshold-sheet"
        ]
    ),
];

/// The threshold profiles, which are defined in `sql/views/010_thresholds.sql`, and what they are.
pub(crate) const PROFILES: &[(&str, &str)] = &[
    ("cqd", "Microsoft's Call Quality Dashboard"),
    ("strict", "The strictest published limits"),
    ("huawei-red", "Huawei Cloud Meeting"),
    ("custom", "cqd with the changes of the settings"),
];

/// The reports in the order of the list.
pub(super) fn built_in() -> impl Iterator<Item = &'static SqlFile> + Clone {
    AREAS.iter().flat_map(|area| area.reports)
}
