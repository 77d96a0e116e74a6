//! Generates the sessions of each meeting: who attends, from where, on which device, and when they join and leave.
//!
//! Every session of a meeting has its own pair of ID and join second, except the duplicates of a two-device meeting.

use std::collections::HashSet;

use super::calendar::{MeetingKind, ScheduledMeeting};
use crate::model::identifiers::IdentifierKind;
use crate::model::places::{APP_VERSIONS, BUILDINGS, ROOM_NAMES, room_index};
use crate::model::{
    DAY_S, FIRST_INSTANCE, HomeNetwork, INSTANCE_STEP, Identity, Meeting, NetworkAccess, Person, ScreenShare, Session,
    TenantSpec,
};
use crate::random::{SeededRng, derive_key};

/// Turns the calendar into meetings and their sessions.
pub(super) fn generate_attendance(
    spec: &TenantSpec,
    people: &[Person],
    calendar: Vec<ScheduledMeeting>,
) -> (Vec<Meeting>, Vec<Session>) {
    let mut sessions = Vec::new();
    let mut meetings = Vec::with_capacity(calendar.len());
    // The end of each person's last meeting, so that people are rarely in two meetings at once.
    let mut busy_until = vec![i64::MIN; people.len()];
    for (ordinal, scheduled) in calendar.into_iter().enumerate() {
        let first = sessions.len();
        let rng = SeededRng::new(derive_key(derive_key(spec.seed, 0x6D65_6574), ordinal as u64));
        let mut builder = MeetingBuilder { spec, people, scheduled: &scheduled, rng, rows: &mut sessions, first };
        builder.add_sessions(&mut busy_until);
        builder.make_joins_unique();
        meetings.push(builder.build(ordinal as u64));
    }
    (meetings, sessions)
}

struct MeetingBuilder<'a> {
    spec: &'a TenantSpec,
    people: &'a [Person],
    scheduled: &'a ScheduledMeeting,
    rng: SeededRng,
    rows: &'a mut Vec<Session>,
    first: usize,
}

impl MeetingBuilder<'_> {
    fn add_sessions(&mut self, busy_until: &mut [i64]) {
        let attendees = self.choose_attendees(busy_until);
        let panel = 3 + self.rng.index(3);
        for (at, person) in attendees.iter().enumerate() {
            self.add_person(*person, self.scheduled.kind == MeetingKind::Webinar && at >= panel);
        }
        match self.scheduled.kind {
            MeetingKind::External => self.add_external(),
            MeetingKind::Devices => self.add_two_devices(attendees[0], attendees.get(1).copied()),
            MeetingKind::Team | MeetingKind::AllHands if self.rng.chance(0.4) => self.add_room(attendees[0]),
            MeetingKind::ScreenCast => self.add_room(attendees[0]),
            _ => {}
        }
    }

    fn attendee_count(&mut self) -> usize {
        let usual = match self.scheduled.kind {
            MeetingKind::OneToOne | MeetingKind::Devices => 2,
            MeetingKind::ScreenCast => 1,
            MeetingKind::Instant => 1 + self.rng.index(2),
            MeetingKind::External => 2 + self.rng.index(4),
            MeetingKind::Marathon => 4 + self.rng.index(4),
            MeetingKind::AllHands => (self.people.len() * 6 / 10).min(120),
            MeetingKind::Webinar => (8 + self.people.len() / 3).min(220),
            MeetingKind::Team => {
                3 + self.rng.weighted(&[(30, 0), (25, 1), (18, 2), (12, 4), (9, 6), (6, 9)]) + self.rng.index(2)
            }
        };
        self.scheduled.people.unwrap_or(usual).min(self.people.len())
    }

    /// The organiser first, then mostly people of the same department who are free.
    fn choose_attendees(&mut self, busy_until: &mut [i64]) -> Vec<u32> {
        let count = self.attendee_count();
        let organizer = self.scheduled.organizer;
        let mut chosen = vec![organizer];
        let mut taken = HashSet::from([organizer]);
        let home = self.people[organizer as usize].department;
        let mut tries = 0;
        while chosen.len() < count {
            tries += 1;
            let person = self.rng.index(self.people.len());
            let busy = busy_until[person] > self.scheduled.start;
            let elsewhere = self.people[person].department != home;
            // After enough tries, anybody is accepted.
            if tries < count * 12 && (busy || (elsewhere && self.rng.chance(0.7))) {
                continue;
            }
            if taken.insert(person as u32) {
                chosen.push(person as u32);
            }
        }
        // A room that stays open all night blocks nobody.
        if self.scheduled.kind != MeetingKind::Marathon {
            for person in &chosen {
                let until = &mut busy_until[*person as usize];
                *until = (*until).max(self.scheduled.end);
            }
        }
        chosen
    }

    fn add_person(&mut self, ordinal: u32, audience: bool) {
        let person = &self.people[ordinal as usize];
        let day = (self.scheduled.start - self.spec.start()).div_euclid(DAY_S);
        let person_key = derive_key(derive_key(self.spec.seed, 0x686F_6D65), u64::from(ordinal));
        let mut today = SeededRng::new(derive_key(person_key, day as u64));
        let at_home = today.chance(if self.spec.weekday(day as u32) >= 5 { 0.95 } else { person.home_probability });
        let (join, leave) = self.stay();
        let mut session = self.new_session(Identity::Person(ordinal), join, leave);
        if self.rng.chance(0.06) {
            put_on_phone(&mut session, person, &mut self.rng);
        } else if at_home {
            session.access = NetworkAccess::Home(person.home);
            session.public_ip = person.home_ip;
            let [a, b, c] = person.home_net;
            session.internal_ip = [a, b, c, person.desk];
            // Noise does not make a bad home worse than the worst.
            let roughness_pct = self.spec.background.noise_pct * person.home_roughness_pct / 100;
            session.roughness_pct = roughness_pct.min(110);
            session.location = person.home_location;
            session.vpn = person.vpn;
        } else {
            put_in_office(self.spec, &mut session, person.building, ordinal as usize, [person.floor, person.desk]);
            session.access = if person.desk_cable { NetworkAccess::OfficeCable } else { NetworkAccess::OfficeWifi };
        }
        // The computer is overloaded, not the phone.
        session.overloaded = person.overloaded && session.access != NetworkAccess::Mobile;
        session.camera = !audience && self.rng.chance(person.camera_probability);
        session.speaking_share = if audience { 0.0 } else { person.speaking_share };
        session.app_version = person.app_version;
        session.audience = audience;
        self.add_absence(&mut session);
        self.rows.push(session);
    }

    /// Some participants are absent for a few minutes: dropped by a poor network, or out of the room.
    fn add_absence(&mut self, session: &mut Session) {
        let chance = match session.access {
            NetworkAccess::Home(HomeNetwork::BadWifi) => 0.22,
            NetworkAccess::Mobile => 0.15,
            _ => 0.03,
        };
        // The second participant of a two-device meeting always rejoins.
        let always = self.scheduled.kind == MeetingKind::Devices && self.rows.len() == self.first + 1;
        let length = session.leave - session.join;
        if length > 900 && (always || self.rng.chance(chance)) {
            let away = self.rng.between(121, 420.min(length / 3));
            let from = session.join + self.rng.between(180, length - away - 180);
            session.away = Some((from, from + away));
        }
    }

    /// First join and last leave. The first participant is there from start to end.
    fn stay(&mut self) -> (i64, i64) {
        let ScheduledMeeting { start, end, kind, .. } = *self.scheduled;
        let length = end - start;
        if self.rows.len() == self.first || length < 240 {
            return (start, end);
        }
        if kind == MeetingKind::Marathon {
            let join = start + self.rng.between(0, length / 2);
            return (join, (join + self.rng.between(3600, 40_000)).min(end));
        }
        let late = self.rng.weighted(&[(70, 60), (22, 240), (8, 900)]).min(length / 3);
        let early = self.rng.weighted(&[(84, 20), (10, 400), (6, 1500)]).min(length / 3);
        // One in fifty joins by mistake.
        if self.rng.chance(0.02) {
            let join = start + self.rng.between(0, late);
            return (join, join + self.rng.between(5, 25));
        }
        (start + self.rng.between(0, late), end - self.rng.between(0, early))
    }

    fn new_session(&mut self, identity: Identity, join: i64, leave: i64) -> Session {
        Session {
            key: self.rng.next_u64(),
            identity,
            building: None,
            access: NetworkAccess::OfficeWifi,
            device: match identity {
                Identity::Person(person) => self.people[person as usize].computer,
                Identity::Room(_) => "android",
                Identity::External(_) => "mac",
                Identity::Guest(_) => "web",
                Identity::Telephone(_) => "pstn",
            },
            app_version: APP_VERSIONS[0].1,
            public_ip: [203, 0, 113, 1],
            internal_ip: [192, 168, 0, 2],
            location: "",
            vpn: false,
            roughness_pct: self.spec.background.noise_pct,
            overloaded: false,
            camera: false,
            speaking_share: 0.2,
            join,
            leave,
            away: None,
            accept_status: self.rng.weighted(&[(60, 1), (3, 2), (7, 3), (30, 4)]),
            audience: false,
            duplicate: false,
        }
    }

    fn add_room(&mut self, near: u32) {
        let home = self.people[near as usize].building;
        let room = match self.spec.background.varied_networks {
            // Some rooms are used all day.
            true => self.rng.weighted(&[(60, 0), (20, 1), (10, 2), (6, 3), (4, 4)]),
            false => self.rng.index(ROOM_NAMES.len()),
        };
        let room = room_index(home, room);
        let (join, leave) = self.stay();
        let mut session = self.new_session(Identity::Room(room), join, leave);
        put_in_office(self.spec, &mut session, home, 0, [1, 240 + (room % ROOM_NAMES.len()) as u8]);
        session.access = NetworkAccess::OfficeCable;
        session.camera = true;
        session.speaking_share = 0.5;
        self.rows.push(session);
    }

    /// People of another tenant, guests and a caller by telephone.
    fn add_external(&mut self) {
        let foreign = 1 + self.rng.index(2);
        let guests = 1 + self.rng.index(2);
        let phone = usize::from(self.rng.chance(0.35) || self.scheduled.topic.starts_with("Vendor review"));
        for at in 0..foreign + guests + phone {
            let ordinal = self.rng.between(0, 4000) as u32 * 8 + at as u32;
            let identity = match at {
                at if at < foreign => Identity::External(ordinal),
                at if at < foreign + guests => Identity::Guest(ordinal),
                _ => Identity::Telephone(ordinal),
            };
            let (join, leave) = self.stay();
            let mut session = self.new_session(identity, join, leave);
            session.public_ip = [203, 0, 113, self.rng.between(1, 254) as u8];
            if matches!(identity, Identity::Telephone(_)) {
                session.access = NetworkAccess::Telephone;
            }
            session.accept_status = 4;
            self.rows.push(session);
        }
    }

    /// Adds a phone for one person, and for another person a second device that joins in the same second.
    fn add_two_devices(&mut self, person: u32, other: Option<u32>) {
        let ScheduledMeeting { start, end, .. } = *self.scheduled;
        let mut second = self.new_session(Identity::Person(person), start + (end - start) / 5 + 7, end);
        put_on_phone(&mut second, &self.people[person as usize], &mut self.rng);
        self.rows.push(second);
        let row = other.and_then(|other| {
            self.rows[self.first..].iter().find(|row| row.identity == Identity::Person(other)).cloned()
        });
        if let Some(mut duplicate) = row {
            duplicate.duplicate = true;
            duplicate.device = if duplicate.device == "linux" { "windows" } else { "linux" };
            self.rows.push(duplicate);
        }
    }

    /// Moves joins by a second until every pair of ID and join is unique, except the duplicates.
    fn make_joins_unique(&mut self) {
        let mut seen = HashSet::new();
        for row in self.rows[self.first..].iter_mut().filter(|row| !row.duplicate) {
            while !seen.insert((row.identity, row.join)) {
                row.join += 1;
                row.leave = row.leave.max(row.join);
            }
        }
    }

    fn build(mut self, ordinal: u64) -> Meeting {
        let ScheduledMeeting { number, kind, ref topic, start, end, organizer, .. } = *self.scheduled;
        let rows = self.first..self.rows.len();
        let sharing = kind == MeetingKind::ScreenCast
            || (end - start > 300 && kind != MeetingKind::Marathon && self.rng.chance(0.62));
        let share = sharing.then(|| {
            let (mut from, mut until) = (start, end);
            if kind != MeetingKind::ScreenCast {
                from += self.rng.between(60, (end - start) / 3);
                until = from + self.rng.between(120, end - from);
            }
            let panel = self.rows[rows.clone()].iter().filter(|row| !row.audience).count();
            ScreenShare { session: rows.start + self.rng.index(panel.min(3)), from, until }
        });
        let (meeting_type, subtype) = match kind {
            MeetingKind::ScreenCast => (3, 1),
            MeetingKind::Webinar => (2, 8),
            _ => (2, 0),
        };
        let people = &self.rows[rows.clone()];
        Meeting {
            number,
            instance_id: FIRST_INSTANCE + ordinal * INSTANCE_STEP,
            topic: match self.spec.planted_identifiers {
                true => IdentifierKind::Topic.text(ordinal as usize),
                false => topic.clone(),
            },
            meeting_type,
            subtype,
            organizer,
            start,
            end,
            share,
            camera: people.iter().any(|row| row.camera),
            telephone: people.iter().any(|row| matches!(row.identity, Identity::Telephone(_))),
            external: people.iter().any(Session::is_external),
            recording: self.rng.chance(0.12),
            has_related_document: self.rng.chance(0.3),
            ai_note: self.rng.chance(0.15),
            sessions: rows,
        }
    }
}

fn put_in_office(spec: &TenantSpec, session: &mut Session, index: usize, uplink: usize, [floor, host]: [u8; 2]) {
    let building = &BUILDINGS[index];
    session.building = Some(index);
    session.public_ip = match spec.background.varied_networks {
        true => varied_uplink(spec.seed, index, uplink),
        false => building.public_ips[uplink % building.public_ips.len()],
    };
    session.internal_ip = [building.internal_net[0], building.internal_net[1], floor, host];
    session.location = building.location;
}

/// The public address of a building in a tenant with varied networks: most have a public network of their own, some
/// share that of the building before, and some have two.
fn varied_uplink(seed: u64, building: usize, uplink: usize) -> [u8; 4] {
    let net = building as u8;
    match derive_key(derive_key(seed, 0x75_706C), building as u64) % 4 {
        0 if building > 0 => [198, 18, net - 1, 100 + net],
        1 if uplink % 2 == 1 => [198, 18, 100 + net, 10],
        _ => [198, 18, net, 10],
    }
}

fn put_on_phone(session: &mut Session, person: &Person, rng: &mut SeededRng) {
    session.device = person.phone;
    session.access = NetworkAccess::Mobile;
    session.app_version = person.app_version;
    session.public_ip = [203, 0, 113, rng.between(1, 254) as u8];
    session.internal_ip = [10, 180, rng.between(0, 255) as u8, rng.between(2, 250) as u8];
    session.location = person.home_location;
}
