//! Planted incidents: what is bad, for whom, and when; and what a user may request to be planted.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

use super::meeting::{Identity, Meeting, NetworkAccess, Session};
use crate::random::{derive_key, smooth_noise, unit_interval};

/// What those who are affected have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    Service,
    /// A building.
    Site,
    /// The /24 of the public address.
    Egress,
    /// The /24 of the internal address.
    Subnet,
    Room,
    Meeting,
    Person,
    AppVersion,
    Device,
    NetworkType,
    Location,
}

impl ScopeKind {
    pub const ALL: &'static [ScopeKind] = &[
        ScopeKind::Service,
        ScopeKind::Site,
        ScopeKind::Egress,
        ScopeKind::Subnet,
        ScopeKind::Room,
        ScopeKind::Meeting,
        ScopeKind::Person,
        ScopeKind::AppVersion,
        ScopeKind::Device,
        ScopeKind::NetworkType,
        ScopeKind::Location,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            ScopeKind::Service => "service",
            ScopeKind::Site => "site",
            ScopeKind::Egress => "egress",
            ScopeKind::Subnet => "subnet",
            ScopeKind::Room => "room",
            ScopeKind::Meeting => "meeting",
            ScopeKind::Person => "person",
            ScopeKind::AppVersion => "app_version",
            ScopeKind::Device => "device",
            ScopeKind::NetworkType => "network_type",
            ScopeKind::Location => "location",
        }
    }

    /// Whether it is about one person or one room.
    pub(crate) const fn is_single(self) -> bool {
        matches!(self, ScopeKind::Room | ScopeKind::Person)
    }

    /// The metrics that can be bad in it, with their weights.
    pub(crate) const fn metrics(self) -> &'static [(u32, Metric)] {
        use Metric::{Cpu, Delay, FrameRate, Jitter, Loss};
        match self {
            ScopeKind::AppVersion | ScopeKind::Device => &[(5, Cpu), (4, FrameRate), (1, Jitter)],
            ScopeKind::Person => &[(3, Loss), (2, Delay), (3, Jitter), (3, Cpu), (1, FrameRate)],
            ScopeKind::Room => &[(4, Loss), (1, Delay), (4, Jitter), (1, Cpu), (1, FrameRate)],
            _ => &[(4, Loss), (2, Delay), (4, Jitter)],
        }
    }

    /// How long it can last.
    pub(crate) const fn lengths(self) -> &'static [(u32, IncidentLength)] {
        use IncidentLength::{Chronic, Days, Hours};
        match self {
            ScopeKind::Service | ScopeKind::Meeting => &[(1, Hours)],
            ScopeKind::AppVersion | ScopeKind::Device => &[(1, Days), (5, Chronic)],
            ScopeKind::Person | ScopeKind::Room => &[(3, Hours), (4, Chronic)],
            ScopeKind::NetworkType | ScopeKind::Location => &[(4, Hours), (1, Days), (2, Chronic)],
            _ => &[(6, Hours), (1, Days), (2, Chronic)],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Loss,
    Delay,
    Jitter,
    FrameRate,
    Cpu,
}

impl Metric {
    pub const ALL: &'static [Metric] = &[Metric::Loss, Metric::Delay, Metric::Jitter, Metric::FrameRate, Metric::Cpu];

    pub const fn name(self) -> &'static str {
        match self {
            Metric::Loss => "loss",
            Metric::Delay => "delay",
            Metric::Jitter => "jitter",
            Metric::FrameRate => "frame_rate",
            Metric::Cpu => "cpu",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Received,
    Sent,
    Both,
}

/// How long an incident lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IncidentLength {
    /// At most a day.
    Hours,
    /// Two to four days.
    Days,
    /// From a day on until the tenant's last.
    Chronic,
}

const LENGTHS: &[(&str, IncidentLength)] =
    &[("hours", IncidentLength::Hours), ("days", IncidentLength::Days), ("chronic", IncidentLength::Chronic)];

/// An incident to plant; what is not given is chosen by the tenant's seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plant {
    pub scope_kind: ScopeKind,
    /// As in the published tables, such as the name of a building.
    pub scope: Option<String>,
    pub metric: Option<Metric>,
    pub length: Option<IncidentLength>,
    /// Of an incident of hours.
    pub minutes: Option<u16>,
}

/// In the form of the flag `--plant`.
impl fmt::Display for Plant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.scope_kind.name())?;
        if let Some(scope) = &self.scope {
            write!(f, "={scope}")?;
        }
        if let Some(metric) = self.metric {
            write!(f, ":{}", metric.name())?;
        }
        match (self.minutes, LENGTHS.iter().find(|(_, length)| self.length == Some(*length))) {
            (Some(minutes), _) => write!(f, ":{minutes}min"),
            (None, Some((name, _))) => write!(f, ":{name}"),
            (None, None) => Ok(()),
        }
    }
}

/// Why an incident could not be planted, sorted by how close the attempt came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    NoScope,
    NotThen,
    InTheWay,
    TooFew,
    SamePeople,
}

impl Obstacle {
    pub const fn reason(self) -> &'static str {
        match self {
            Obstacle::NoScope => "no participant is in such a scope",
            Obstacle::NotThen => "nobody in the scope meets on the days of acute incidents",
            Obstacle::InTheWay => "another incident has the same scope, people or time",
            Obstacle::TooFew => "too few people, meetings or days in the scope",
            Obstacle::SamePeople => "its people share another scope too, so it could not be identified",
        }
    }
}

/// An incident that was requested and could not be planted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplanted {
    pub plant: Plant,
    pub obstacle: Obstacle,
}

/// Which incidents a tenant has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Planting {
    #[default]
    None,
    /// One to four of any kind, chosen by the seed.
    Random,
    /// These. Those of hours or days begin in the last complete week, from Monday to Sunday.
    These(Vec<Plant>),
}

#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error(
    "invalid incidents {text:?}: expected none, random, or a list of KIND[=SCOPE][:METRIC][:LENGTH] such as \
     site:jitter:hours,person:cpu:chronic"
)]
pub struct PlantingError {
    pub text: String,
}

impl FromStr for Planting {
    type Err = PlantingError;

    fn from_str(text: &str) -> Result<Self, PlantingError> {
        match text {
            "none" => Ok(Planting::None),
            "random" => Ok(Planting::Random),
            list => {
                let plants = list.split(',').map(|part| plant(part.trim()));
                let fail = || PlantingError { text: text.to_owned() };
                plants.collect::<Option<Vec<_>>>().map(Planting::These).ok_or_else(fail)
            }
        }
    }
}

fn plant(text: &str) -> Option<Plant> {
    let mut parts = text.split(':');
    let first = parts.next()?;
    let (kind, scope) = match first.split_once('=') {
        Some((_, "")) => return None,
        Some((kind, scope)) => (kind, Some(scope.to_owned())),
        None => (first, None),
    };
    let scope_kind = *ScopeKind::ALL.iter().find(|one| one.name() == kind)?;
    let mut plant = Plant { scope_kind, scope, metric: None, length: None, minutes: None };
    for part in parts {
        if let Some(metric) = Metric::ALL.iter().find(|metric| metric.name() == part)
            && plant.metric.is_none()
        {
            plant.metric = Some(*metric);
        } else {
            let minutes = part.strip_suffix("min").map(str::parse::<u16>);
            let length = match minutes {
                Some(minutes) => {
                    plant.minutes = Some(minutes.ok()?);
                    IncidentLength::Hours
                }
                None => LENGTHS.iter().find(|(name, _)| *name == part)?.1,
            };
            plant.length = plant.length.is_none().then_some(length);
            plant.length?;
        }
    }
    Some(plant)
}

/// A scope with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope {
    Service,
    Site(usize),
    Egress([u8; 3]),
    Subnet([u8; 3]),
    Room(usize),
    /// By instance ID.
    Meeting(u64),
    Person(u32),
    AppVersion(&'static str),
    Device(&'static str),
    NetworkType(&'static str),
    Location(&'static str),
}

/// Ranges of home routers: the same in many homes, so not a place.
const HOME_RANGES: &[[u8; 3]] =
    &[[10, 0, 0], [192, 168, 0], [192, 168, 1], [192, 168, 2], [172, 20, 10], [192, 168, 43]];

impl Scope {
    pub(crate) const fn kind(self) -> ScopeKind {
        match self {
            Scope::Service => ScopeKind::Service,
            Scope::Site(_) => ScopeKind::Site,
            Scope::Egress(_) => ScopeKind::Egress,
            Scope::Subnet(_) => ScopeKind::Subnet,
            Scope::Room(_) => ScopeKind::Room,
            Scope::Meeting(_) => ScopeKind::Meeting,
            Scope::Person(_) => ScopeKind::Person,
            Scope::AppVersion(_) => ScopeKind::AppVersion,
            Scope::Device(_) => ScopeKind::Device,
            Scope::NetworkType(_) => ScopeKind::NetworkType,
            Scope::Location(_) => ScopeKind::Location,
        }
    }

    /// The scope of a kind to which a session belongs.
    pub(crate) fn of(kind: ScopeKind, meeting: &Meeting, session: &Session) -> Option<Scope> {
        let net = |[a, b, c, _]: [u8; 4]| [a, b, c];
        match kind {
            ScopeKind::Service => Some(Scope::Service),
            ScopeKind::Site => session.building.map(Scope::Site),
            ScopeKind::Egress => Some(Scope::Egress(net(session.public_ip))),
            ScopeKind::Subnet => {
                let net = net(session.internal_ip);
                (!HOME_RANGES.contains(&net)).then_some(Scope::Subnet(net))
            }
            ScopeKind::Room => match session.identity {
                Identity::Room(room) => Some(Scope::Room(room)),
                _ => None,
            },
            ScopeKind::Meeting => Some(Scope::Meeting(meeting.instance_id)),
            ScopeKind::Person => match session.identity {
                Identity::Person(person) => Some(Scope::Person(person)),
                _ => None,
            },
            ScopeKind::AppVersion => Some(Scope::AppVersion(session.app_version)),
            // Feishu's spelling differs between computers.
            ScopeKind::Device if session.device == "WINDOWS" => Some(Scope::Device("windows")),
            ScopeKind::Device => Some(Scope::Device(session.device)),
            ScopeKind::NetworkType => match session.access {
                NetworkAccess::Telephone => None,
                NetworkAccess::Mobile => Some(Scope::NetworkType("cellular")),
                access if access.network_type() == "LAN" => Some(Scope::NetworkType("wired")),
                _ => Some(Scope::NetworkType("wifi")),
            },
            ScopeKind::Location => (!session.location.is_empty()).then_some(Scope::Location(session.location)),
        }
    }

    pub(crate) fn contains(self, meeting: &Meeting, session: &Session) -> bool {
        Scope::of(self.kind(), meeting, session) == Some(self)
    }
}

/// A planted incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incident {
    pub(crate) key: u64,
    pub(crate) scope: Scope,
    pub(crate) metric: Metric,
    pub(crate) direction: Direction,
    pub(crate) length: IncidentLength,
    /// In Unix seconds, in order.
    pub(crate) periods: Vec<Range<i64>>,
    /// How many of the people in the scope are affected.
    pub(crate) people_pct: u32,
    /// In how many of the minutes they are.
    pub(crate) minutes_pct: u32,
}

impl Incident {
    pub(crate) fn start(&self) -> i64 {
        self.periods.first().map_or(0, |period| period.start)
    }

    pub(crate) fn end(&self) -> i64 {
        self.periods.last().map_or(0, |period| period.end)
    }

    /// Whether a session is affected while the incident lasts.
    pub(crate) fn concerns(&self, meeting: &Meeting, session: &Session) -> bool {
        let (kind, ordinal) = match session.identity {
            Identity::Person(person) => (0, u64::from(person)),
            Identity::Room(room) => (1, room as u64),
            _ => return false,
        };
        let chosen = unit_interval(derive_key(derive_key(self.key, kind), ordinal)) * 100.0;
        // A phone is not slowed down by the computer of its owner.
        let is_own_device = !(self.metric == Metric::Cpu && session.access == NetworkAccess::Mobile);
        self.scope.contains(meeting, session)
            && chosen < f64::from(self.people_pct)
            && (is_own_device || !self.scope.kind().is_single())
    }

    /// How bad it is in a minute, 0 to 1: the same for everybody affected. `None` outside of its periods.
    pub(crate) fn level(&self, at: i64) -> Option<MinuteLevel> {
        let after = self.periods.partition_point(|period| period.end <= at);
        self.periods.get(after).filter(|period| period.contains(&at))?;
        let minute = at.div_euclid(60);
        let wave = 0.5 + 0.5 * smooth_noise(derive_key(self.key, 2), minute, 7);
        let depth = unit_interval(derive_key(derive_key(self.key, 3), minute as u64));
        Some(MinuteLevel { is_bad: self.minutes_pct >= 100 || wave * 100.0 < f64::from(self.minutes_pct), depth })
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MinuteLevel {
    /// Beyond the limits by which a minute is called poor.
    pub(crate) is_bad: bool,
    /// 0 to 1.
    pub(crate) depth: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plantings_are_parsed() {
        let parse = |text: &str| text.parse::<Planting>();
        assert_eq!(parse("none"), Ok(Planting::None));
        assert_eq!(parse("random"), Ok(Planting::Random));
        let site = Plant { scope_kind: ScopeKind::Site, scope: None, metric: None, length: None, minutes: None };
        let hot = Plant {
            scope_kind: ScopeKind::Person,
            scope: None,
            metric: Some(Metric::Cpu),
            length: Some(IncidentLength::Chronic),
            minutes: None,
        };
        assert_eq!(parse("site, person:cpu:chronic"), Ok(Planting::These(vec![site.clone(), hot])));
        let named = Plant { scope: Some("Old Mill".to_owned()), ..site.clone() };
        assert_eq!(parse("site=Old Mill"), Ok(Planting::These(vec![named])));
        for text in ["service", "site=Old Mill:jitter:150min", "person:cpu:chronic", "room:days"] {
            let Ok(Planting::These(plants)) = parse(text) else { panic!("{text:?} should be valid") };
            assert_eq!(plants[0].to_string(), text);
        }
        let short = Plant { length: Some(IncidentLength::Hours), minutes: Some(150), ..site };
        assert_eq!(parse("site:150min"), Ok(Planting::These(vec![short])));
        for text in [
            "",
            "sites",
            "site:",
            "site:hot",
            "site:cpu:cpu",
            "site:days:hours",
            "site,,room",
            "site:min",
            "site:9min:days",
            "site=:loss",
        ] {
            assert!(parse(text).is_err(), "{text:?} should be invalid");
        }
    }

    #[test]
    fn an_incident_is_bad_in_the_given_share_of_its_minutes() {
        let incident = Incident {
            key: 5,
            scope: Scope::Service,
            metric: Metric::Loss,
            direction: Direction::Both,
            length: IncidentLength::Days,
            periods: vec![0..600_000, 660_000..1_200_000],
            people_pct: 100,
            minutes_pct: 40,
        };
        assert_eq!(incident.level(-60), None);
        assert_eq!(incident.level(630_000), None, "between two periods");
        assert_eq!(incident.level(1_200_000), None);
        let levels: Vec<MinuteLevel> = (0..10_000).filter_map(|minute| incident.level(minute * 60)).collect();
        assert_eq!(levels.len(), 10_000);
        let bad = levels.iter().filter(|level| level.is_bad).count();
        assert!((3_000..5_000).contains(&bad), "{bad} of 10000");
    }
}
