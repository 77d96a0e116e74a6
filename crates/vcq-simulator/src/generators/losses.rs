//! Deliberate losses: what the lists leave out although it took place and Feishu's own counts include it.
//!
//! What is lost follows from the tenant's seed and the shares alone. A lost meeting is in no list; a lost participant
//! is absent with all devices, but `number_of_participants` counts it; minutes are lost in runs of two to ten, because
//! a single minute cannot be distinguished from a participant's short absence.

use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

use crate::model::ids::{self, UserIdType};
use crate::model::{DAY_S, Identity, Meeting, Session, Tenant};
use crate::random::{SeededRng, derive_key, unit_interval};

/// The share (0..1) that is lost of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LossShares {
    pub meetings: f64,
    pub participants: f64,
    pub minutes: f64,
}

#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("invalid loss {text:?}: expected a share such as 0.1%, or shares by kind such as meetings=0.1%,minutes=2%")]
pub struct LossError {
    pub text: String,
}

impl FromStr for LossShares {
    type Err = LossError;

    /// Parses `SHARE` for all kinds, or `KIND=SHARE,...`; KIND is `meetings`, `participants` or `minutes`, and SHARE a
    /// percentage from `0%` to `100%`. At most about a fifth of the minutes is lost.
    fn from_str(text: &str) -> Result<Self, LossError> {
        let fail = || LossError { text: text.to_owned() };
        let share = |text: &str| {
            let percent = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
            percent.filter(|percent| (0.0..=100.0).contains(percent)).map(|percent| percent / 100.0).ok_or_else(fail)
        };
        if !text.contains('=') {
            let all = share(text)?;
            return Ok(Self { meetings: all, participants: all, minutes: all });
        }
        let mut shares = Self::default();
        for part in text.split(',') {
            let (kind, value) = part.split_once('=').ok_or_else(fail)?;
            *match kind {
                "meetings" => &mut shares.meetings,
                "participants" => &mut shares.participants,
                "minutes" => &mut shares.minutes,
                _ => return Err(fail()),
            } = share(value)?;
        }
        Ok(shares)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    Meeting,
    Participant,
    Minutes,
}

/// Something that the lists leave out. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loss {
    pub kind: LossKind,
    /// Local date of the meeting's start.
    pub day: String,
    pub meeting_instance_id: String,
    pub meeting_no: String,
    pub start_time: i64,
    /// Open ID; empty for rooms, participants without an ID and meetings.
    pub user: String,
    /// Empty for all but rooms.
    pub room: String,
    /// Of lost minutes.
    pub join_time: Option<i64>,
    /// Minutes in the meeting of a lost participant; lost quality minutes; the length of a lost meeting.
    pub minutes: i64,
    /// By how much `number_of_participants` of the lists falls short: by none for the audience of a webinar, and for
    /// minutes.
    pub participants: usize,
    /// The tenant's people who miss a meeting, each once.
    pub users: Vec<String>,
}

/// Minutes in which one run of lost minutes may begin.
const BLOCK: usize = 30;

/// A run has 2 to 10 minutes, 6 on average.
const MEAN_RUN: f64 = 6.0;

impl LossShares {
    pub(crate) fn loses_meeting(&self, seed: u64, meeting: &Meeting) -> bool {
        unit_interval(derive_key(derive_key(seed, 0x6C6F_736D), meeting.instance_id)) < self.meetings
    }

    pub(crate) fn loses_participant(&self, seed: u64, meeting: &Meeting, identity: Identity) -> bool {
        let (kind, ordinal) = match identity {
            Identity::Person(ordinal) => (0, u64::from(ordinal)),
            Identity::Room(room) => (1, room as u64),
            Identity::External(ordinal) => (2, u64::from(ordinal)),
            Identity::Guest(ordinal) => (3, u64::from(ordinal)),
            Identity::Telephone(ordinal) => (4, u64::from(ordinal)),
        };
        let meeting = derive_key(derive_key(seed, 0x6C6F_7370), meeting.instance_id);
        unit_interval(derive_key(derive_key(meeting, kind), ordinal)) < self.participants
    }

    /// Indices of the minutes of a session that its quality list has.
    pub(crate) fn kept_minutes(&self, session: &Session) -> Vec<usize> {
        let count = session.minute_count();
        if self.minutes == 0.0 {
            return (0..count).collect();
        }
        let mut kept = vec![true; count];
        for block in (0..count).step_by(BLOCK) {
            let mut rng = SeededRng::new(derive_key(derive_key(session.key, 0x6C6F_7374), block as u64));
            let length = BLOCK.min(count - block);
            // A last minute alone is not lost, unless it is the only one.
            if (length > 1 || count == 1) && rng.chance(self.minutes * length as f64 / MEAN_RUN) {
                let run = (2 + rng.index(9)).min(length);
                let first = block + rng.index(length - run + 1);
                kept[first..first + run].fill(false);
            }
        }
        (0..count).filter(|index| kept[*index]).collect()
    }
}

impl Tenant {
    /// Everything that lists with these shares leave out, in the order of the meetings. What is part of a larger loss
    /// is not named again.
    pub fn losses(&self, shares: &LossShares) -> Vec<Loss> {
        let mut losses = Vec::new();
        for meeting in &self.meetings {
            self.add_losses(shares, meeting, &mut losses);
        }
        losses
    }

    fn add_losses(&self, shares: &LossShares, meeting: &Meeting, losses: &mut Vec<Loss>) {
        let seed = self.spec.seed;
        let user = |identity| match identity {
            Identity::Person(ordinal) => ids::user_id(seed, ordinal, UserIdType::OpenId),
            Identity::External(ordinal) => ids::foreign_user_id(seed, ordinal, UserIdType::OpenId),
            _ => String::new(),
        };
        let loss = |kind, identity: Option<Identity>, minutes| Loss {
            kind,
            day: local_date(meeting.start, self.spec.utc_offset_s),
            meeting_instance_id: meeting.instance_id.to_string(),
            meeting_no: meeting.number.to_string(),
            start_time: meeting.start,
            user: identity.map(user).unwrap_or_default(),
            room: match identity {
                Some(Identity::Room(room)) => ids::room_id(seed, room),
                _ => String::new(),
            },
            join_time: None,
            minutes,
            participants: 0,
            users: Vec::new(),
        };
        let sessions = self.sessions_of(meeting);
        let mut identities: Vec<Identity> = sessions.iter().map(|session| session.identity).collect();
        identities.sort_unstable();
        identities.dedup();
        if shares.loses_meeting(seed, meeting) {
            let people = identities.into_iter().filter(|identity| matches!(identity, Identity::Person(_)));
            let users = people.map(user).collect();
            let participants = self.participant_count(meeting);
            losses.push(Loss { participants, users, ..loss(LossKind::Meeting, None, meeting.length_s() / 60) });
            return;
        }
        for identity in identities {
            let of_identity = || sessions.iter().filter(|session| session.identity == identity);
            if shares.loses_participant(seed, meeting, identity) {
                let stay_s = of_identity().map(Session::stay_s).max().unwrap_or(0);
                let participants = usize::from(of_identity().any(|session| !session.audience));
                let users = if matches!(identity, Identity::Person(_)) { vec![user(identity)] } else { Vec::new() };
                losses.push(Loss { participants, users, ..loss(LossKind::Participant, Some(identity), stay_s / 60) });
                continue;
            }
            for session in of_identity() {
                let count = meeting.sample_count(session);
                let lost = if count == 0 { 0 } else { count - shares.kept_minutes(session).len() };
                if lost > 0 {
                    let loss = loss(LossKind::Minutes, Some(identity), lost as i64);
                    losses.push(Loss { join_time: Some(session.join), ..loss });
                }
            }
        }
    }
}

/// The date of a time (Unix seconds), `YYYY-MM-DD`.
fn local_date(at: i64, utc_offset_s: i32) -> String {
    let local = jiff::Timestamp::from_second((at + i64::from(utc_offset_s)).div_euclid(DAY_S) * DAY_S);
    jiff::tz::Offset::UTC.to_datetime(local.unwrap_or_default()).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantSpec;

    fn tenant() -> Tenant {
        Tenant::generate(&TenantSpec { days: 20, people: 200, meetings_per_day: 60, ..TenantSpec::default() })
    }

    #[test]
    fn shares_are_parsed() {
        let share = |text: &str| text.parse::<LossShares>();
        assert_eq!(share("0.1%"), Ok(LossShares { meetings: 0.001, participants: 0.001, minutes: 0.001 }));
        assert_eq!(
            share("minutes=5%,meetings=1%"),
            Ok(LossShares { meetings: 0.01, participants: 0.0, minutes: 0.05 })
        );
        for text in ["", "0.1", "-1%", "101%", "rooms=1%", "meetings=1%,", "meetings"] {
            assert!(share(text).is_err(), "{text:?} should be invalid");
        }
    }

    #[test]
    fn the_shares_are_kept() {
        let tenant = tenant();
        let totals = tenant.totals();
        let losses = tenant.losses(&LossShares { meetings: 0.05, participants: 0.02, minutes: 0.03 });
        let count = |kind| losses.iter().filter(|loss| loss.kind == kind).count() as f64;
        let about =
            |value: f64, expected: f64| assert!((0.7..1.3).contains(&(value / expected)), "{value} of {expected}");
        about(count(LossKind::Meeting), totals.meetings as f64 * 0.05);
        about(count(LossKind::Participant), totals.participants as f64 * 0.95 * 0.02);
        let minutes: i64 = losses.iter().filter(|loss| loss.kind == LossKind::Minutes).map(|loss| loss.minutes).sum();
        about(minutes as f64, totals.samples as f64 * 0.95 * 0.98 * 0.03);
        assert!(tenant.losses(&LossShares::default()).is_empty());
    }

    #[test]
    fn lost_minutes_are_runs_of_at_least_two() {
        let tenant = tenant();
        let shares = LossShares { minutes: 0.05, ..LossShares::default() };
        for session in tenant.sessions.iter().filter(|session| session.minute_count() > 2) {
            let kept = shares.kept_minutes(session);
            let mut edges: Vec<i64> = kept.iter().map(|index| *index as i64).collect();
            edges.insert(0, -1);
            edges.push(session.minute_count() as i64);
            assert!(edges.windows(2).all(|pair| pair[1] - pair[0] != 2), "one minute is lost alone: {kept:?}");
        }
    }
}
