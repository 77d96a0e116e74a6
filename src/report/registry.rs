//! The shared definitions and the reports that are part of the program, as data.

/// A report of the program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuiltIn {
    /// The name: that of its file in `sql/reports/`.
    pub name: &'static str,
    pub sql: &'static str,
}

/// Reports that belong together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    /// What they are about: the heading in the list.
    pub title: &'static str,
    /// The reports, in the order in which they are listed.
    pub reports: &'static [BuiltIn],
}

/// A file of shared definitions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    /// The name: that of its file in `sql/views/`.
    pub name: &'static str,
    pub sql: &'static str,
}

macro_rules! built_in {
    ($name:literal) => {
        BuiltIn { name: $name, sql: include_str!(concat!("../../sql/reports/", $name, ".sql")) }
    };
}

macro_rules! view {
    ($name:literal) => {
        View { name: $name, sql: include_str!(concat!("../../sql/views/", $name, ".sql")) }
    };
}

/// Every file of definitions, in the order in which they are installed: each may use those before it.
pub(crate) const VIEWS: &[View] = &[
    view!("010_thresholds"),
    view!("020_participant_facts"),
    view!("030_quality_minutes"),
    view!("040_verdicts"),
    view!("050_summaries"),
    view!("060_periods"),
];

/// Every report, by area, in the order in which they are listed.
pub(crate) const AREAS: &[Area] = &[
    Area {
        title: "Overview",
        reports: &[
            built_in!("scorecard"),
            built_in!("daily-summary"),
            built_in!("sla"),
            built_in!("heatmap"),
            built_in!("trend-regression"),
        ],
    },
    Area {
        title: "Worst first",
        reports: &[
            built_in!("worst-meetings"),
            built_in!("worst-participants"),
            built_in!("meeting-timeline"),
            built_in!("user-timeline"),
            built_in!("episodes"),
        ],
    },
    Area {
        title: "Where",
        reports: &[
            built_in!("by-site"),
            built_in!("missing-subnets"),
            built_in!("inside-outside"),
            built_in!("by-location"),
            built_in!("by-egress"),
        ],
    },
    Area {
        title: "How connected",
        reports: &[
            built_in!("by-network"),
            built_in!("rooms-on-wifi"),
            built_in!("proxy-protocol"),
            built_in!("path-asymmetry"),
        ],
    },
    Area {
        title: "Client",
        reports: &[
            built_in!("diagnosis"),
            built_in!("cpu-hogs"),
            built_in!("app-versions"),
            built_in!("devices"),
            built_in!("percentiles"),
            built_in!("video-experience"),
            built_in!("screen-share"),
        ],
    },
    Area { title: "Rooms", reports: &[built_in!("room-health")] },
    Area { title: "Voice", reports: &[built_in!("mos-bands")] },
    Area {
        title: "Trust in the data",
        reports: &[
            built_in!("coverage"),
            built_in!("unclassified"),
            built_in!("unread-values"),
            built_in!("freshness"),
            built_in!("api-usage"),
            built_in!("duplicates"),
            built_in!("threshold-sheet"),
        ],
    },
];

/// Every report of the program, in the order in which they are listed.
pub(crate) fn built_in() -> impl Iterator<Item = &'static BuiltIn> + Clone {
    AREAS.iter().flat_map(|area| area.reports)
}
