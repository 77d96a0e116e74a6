//! One incident, and its rows in the tables.

use sha2::{Digest, Sha256};

use crate::schema::cell::{Cell, Row};
use crate::schema::civil_date_text;
use crate::text::hex;

/// Defines an enum whose variants have a name in the tables.
macro_rules! named {
    ($(#[$doc:meta])* $enum:ident { $($variant:ident $name:literal)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum $enum { $($variant),* }

        impl $enum {
            #[allow(dead_code, reason = "not every enum is listed")]
            pub(crate) const ALL: &'static [$enum] = &[$($enum::$variant),*];

            /// The value in the tables.
            pub(crate) fn name(self) -> &'static str {
                match self { $($enum::$variant => $name,)* }
            }
        }
    };
}

named!(Kind { Acute "acute" Chronic "chronic" });

named!(
    /// What the poor minutes of an incident have in common.
    ScopeKind {
        Service "service"
        Site "site"
        Egress "egress"
        Subnet "subnet"
        Room "room"
        Meeting "meeting"
        Person "person"
        AppVersion "app_version"
        Device "device"
        NetworkType "network_type"
        Location "location"
    }
);

named!(Metric { Loss "loss" Delay "delay" Jitter "jitter" FrameRate "frame_rate" Cpu "cpu" });

named!(Direction { Received "received" Sent "sent" Both "both" });

named!(Severity { Minor "minor" Major "major" Critical "critical" });

/// The columns of `incidents` and, by participant, of `incident_participants`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Incident {
    /// See [`Incident::id`].
    pub(crate) incident_id: String,
    pub(crate) kind: Kind,
    pub(crate) scope_kind: ScopeKind,
    pub(crate) scope: String,
    pub(crate) metric: Metric,
    pub(crate) direction: Direction,
    pub(crate) start_utc_us: i64,
    pub(crate) start_local_us: i64,
    pub(crate) end_utc_us: i64,
    pub(crate) end_local_us: i64,
    /// People and rooms, each counted once.
    pub(crate) participants: u32,
    pub(crate) meetings: u32,
    pub(crate) poor_minutes: u32,
    pub(crate) judged_minutes: u32,
    pub(crate) poor_pct: f64,
    pub(crate) usual_poor_pct: Option<f64>,
    pub(crate) elsewhere_poor_pct: Option<f64>,
    pub(crate) q_value: f64,
    pub(crate) severity: Severity,
    pub(crate) summary: String,
    /// Days since 1970-01-01.
    pub(crate) meeting_date: i32,
    /// Participant key and poor minutes.
    pub(crate) sessions: Vec<(String, u32)>,
}

impl Incident {
    /// `2026-11-20-acute-site-1f3a09bc`: the date and the kind come first, because `report_incident` reads from them
    /// which dates it must look at.
    pub(crate) fn id(kind: Kind, scope_kind: ScopeKind, scope: &str, metric: Metric, meeting_date: i32) -> String {
        let date = civil_date_text(meeting_date);
        let mut hash = Sha256::new();
        for part in [&date, kind.name(), scope_kind.name(), scope, metric.name()] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let digits = hex(&hash.finalize());
        format!("{date}-{}-{}-{}", kind.name(), scope_kind.name(), &digits[..8])
    }

    /// The row of `incidents`.
    pub(crate) fn row(&self) -> Row {
        let text = |text: &str| Cell::Text(text.to_owned());
        let whole = |number: u32| Cell::Whole(i64::from(number));
        let real = |number: Option<f64>| number.map_or(Cell::Null, Cell::Real);
        vec![
            text(&self.incident_id),
            text(self.kind.name()),
            text(self.scope_kind.name()),
            text(&self.scope),
            text(self.metric.name()),
            text(self.direction.name()),
            Cell::Micros(self.start_utc_us),
            Cell::Micros(self.start_local_us),
            Cell::Micros(self.end_utc_us),
            Cell::Micros(self.end_local_us),
            whole(self.participants),
            whole(self.meetings),
            whole(self.poor_minutes),
            whole(self.judged_minutes),
            Cell::Real(self.poor_pct),
            real(self.usual_poor_pct),
            real(self.elsewhere_poor_pct),
            Cell::Real(self.q_value),
            text(self.severity.name()),
            text(&self.summary),
            Cell::Day(self.meeting_date),
        ]
    }

    /// The rows of `incident_participants`.
    pub(crate) fn session_rows(&self) -> impl Iterator<Item = Row> {
        self.sessions.iter().map(|(participant_key, poor_minutes)| {
            vec![
                Cell::Text(self.incident_id.clone()),
                Cell::Text(participant_key.clone()),
                Cell::Whole(i64::from(*poor_minutes)),
                Cell::Day(self.meeting_date),
            ]
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::schema::cell::file_batch;
    use crate::schema::{INCIDENT_PARTICIPANTS, INCIDENTS};

    pub(in crate::incidents) fn incident() -> Incident {
        Incident {
            incident_id: Incident::id(Kind::Acute, ScopeKind::Site, "Harbour House", Metric::Jitter, 20_777),
            kind: Kind::Acute,
            scope_kind: ScopeKind::Site,
            scope: "Harbour House".to_owned(),
            metric: Metric::Jitter,
            direction: Direction::Both,
            start_utc_us: 1,
            start_local_us: 2,
            end_utc_us: 3,
            end_local_us: 4,
            participants: 7,
            meetings: 3,
            poor_minutes: 5,
            judged_minutes: 10,
            poor_pct: 50.0,
            usual_poor_pct: Some(0.4),
            elsewhere_poor_pct: None,
            q_value: 0.001,
            severity: Severity::Major,
            summary: "A sentence".to_owned(),
            meeting_date: 20_777,
            sessions: vec![("a".to_owned(), 2), ("b".to_owned(), 3)],
        }
    }

    #[test]
    fn the_rows_are_those_of_the_tables() {
        let incident = incident();
        let row = incident.row();
        assert_eq!(row.len(), INCIDENTS.columns.len());
        assert_eq!(file_batch(&INCIDENTS, &[row]).expect("a batch").num_rows(), 1);
        let sessions: Vec<Row> = incident.session_rows().collect();
        assert_eq!(file_batch(&INCIDENT_PARTICIPANTS, &sessions).expect("a batch").num_rows(), 2);
    }

    #[test]
    fn an_id_begins_with_its_date_and_kind_and_differs_with_every_part() {
        let id = |scope: &str, metric, date| Incident::id(Kind::Acute, ScopeKind::Site, scope, metric, date);
        let first = id("Harbour House", Metric::Jitter, 20_777);
        assert!(first.starts_with("2026-11-20-acute-site-"), "{first}");
        assert_eq!(first.len(), "2026-11-20-acute-site-".len() + 8);
        assert_eq!(first, incident().incident_id);
        let others = [
            id("Harbour", Metric::Jitter, 20_777),
            id("Harbour House", Metric::Loss, 20_777),
            id("Harbour House", Metric::Jitter, 20_778),
        ];
        assert!(others.iter().all(|other| other[22..] != first[22..]), "{others:?}");
    }
}
