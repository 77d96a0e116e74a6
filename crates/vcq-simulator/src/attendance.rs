//! Who comes to a meeting, from where, on which device, and when they come and go.
//!
//! Owns the participant rows. Every row of a meeting has its own pair of id and join second, the staged duplicates excepted.

use std::collections::HashSet;

use super::calendar::{Kind, Occasion};
use super::dice::{Dice, key};
use super::network::Access;
use super::people::Person;
use super::places::{APP_VERSIONS, BUILDINGS, ROOM_NAMES, room_index};
use super::tenant::{Meeting, Session, Share, TenantSpec, Who};

/// Turns the calendar into meetings and their participant rows.
pub(super) fn fill(spec: &TenantSpec, people: &[Person], occasions: Vec<Occasion>) -> (Vec<Meeting>, Vec<Session>) {
    let mut sessions = Vec::new();
    let mut meetings = Vec::with_capacity(occasions.len());
    // Until when each person is busy, so that nobody sits in two meetings where it can be helped.
    let mut busy_until = vec![i64::MIN; people.len()];
    for (ordinal, occasion) in occasions.into_iter().enumerate() {
        let first = sessions.len();
        let dice = Dice::new(key(key(spec.seed, 0x6D65_6574), ordinal as u64));
        let mut hall = Hall { spec, people, occasion: &occasion, dice, rows: &mut sessions, first };
        hall.seat(&mut busy_until);
        hall.keep_joins_apart();
        let meeting = hall.describe(ordinal as u64);
        meetings.push(meeting);
    }
    (meetings, sessions)
}

/// A meeting while it is being filled.
struct Hall<'a> {
    spec: &'a TenantSpec,
    people: &'a [Person],
    occasion: &'a Occasion,
    dice: Dice,
    rows: &'a mut Vec<Session>,
    first: usize,
}

impl Hall<'_> {
    fn seat(&mut self, busy_until: &mut [i64]) {
        let wanted = self.wanted();
        let attendees = self.choose(wanted, busy_until);
        let webinar = self.occasion.kind == Kind::Webinar;
        let panel = 3 + self.dice.index(3);
        for (at, person) in attendees.iter().enumerate() {
            self.seat_person(*person, webinar && at >= panel);
        }
        match self.occasion.kind {
            Kind::External => self.seat_strangers(),
            Kind::Devices => self.seat_devices(attendees[0], attendees.get(1).copied()),
            Kind::Team | Kind::AllHands if self.dice.chance(0.4) => self.seat_room(attendees[0]),
            Kind::Cast => self.seat_room(attendees[0]),
            _ => {}
        }
    }

    fn wanted(&mut self) -> usize {
        match self.occasion.kind {
            Kind::OneToOne | Kind::Devices => 2,
            Kind::Cast => 1,
            Kind::Instant => 1 + self.dice.index(2),
            Kind::External => 2 + self.dice.index(4),
            Kind::Marathon => 4 + self.dice.index(4),
            Kind::AllHands => (self.people.len() * 6 / 10).min(120),
            Kind::Webinar => (8 + self.people.len() / 3).min(220),
            Kind::Team => {
                3 + self.dice.weighted(&[(30, 0), (25, 1), (18, 2), (12, 4), (9, 6), (6, 9)]) + self.dice.index(2)
            }
        }
        .min(self.people.len())
    }

    /// The organiser first, then people of the same department, free ones before busy ones.
    fn choose(&mut self, wanted: usize, busy_until: &mut [i64]) -> Vec<u32> {
        let organizer = self.occasion.organizer;
        let mut chosen = vec![organizer];
        let mut taken = HashSet::from([organizer]);
        let home = self.people[organizer as usize].department;
        let mut tries = 0;
        while chosen.len() < wanted {
            tries += 1;
            let person = self.dice.index(self.people.len());
            let busy = busy_until[person] > self.occasion.start;
            let stranger = self.people[person].department != home;
            // Choosy at first, content with anybody in the end.
            if tries < wanted * 12 && (busy || (stranger && self.dice.chance(0.7))) {
                continue;
            }
            if taken.insert(person as u32) {
                chosen.push(person as u32);
            }
        }
        // Nobody is blocked for a whole night by a room that stays open.
        if self.occasion.kind != Kind::Marathon {
            for person in &chosen {
                let until = &mut busy_until[*person as usize];
                *until = (*until).max(self.occasion.end);
            }
        }
        chosen
    }

    fn seat_person(&mut self, ordinal: u32, audience: bool) {
        let person = &self.people[ordinal as usize];
        let day = (self.occasion.start - self.spec.start()).div_euclid(86_400);
        let mut today = Dice::new(key(key(key(self.spec.seed, 0x686F_6D65), u64::from(ordinal)), day as u64));
        let at_home = today.chance(if self.spec.weekday(day as u32) >= 5 { 0.95 } else { person.works_from_home });
        let (join, leave) = self.stay();
        let mut session = self.blank(Who::Person(ordinal), join, leave);
        if self.dice.chance(0.06) {
            put_on_phone(&mut session, person, &mut self.dice);
        } else if at_home {
            session.access = Access::Home(person.home);
            session.public_ip = person.home_ip;
            session.internal_ip = [192, 168, 1, person.desk];
            session.location = person.home_location;
            session.vpn = person.vpn;
        } else {
            let building = &BUILDINGS[person.building];
            session.building = Some(person.building);
            session.access = if person.desk_cable { Access::OfficeCable } else { Access::OfficeWifi };
            session.public_ip = building.public_ips[ordinal as usize % building.public_ips.len()];
            session.internal_ip = [building.internal_net[0], building.internal_net[1], person.floor, person.desk];
            session.location = building.location;
        }
        // It is the laptop that is overloaded, not the person.
        session.overloaded = person.overloaded && session.access != Access::Mobile;
        session.camera = !audience && self.dice.chance(person.camera_habit);
        session.talkative = if audience { 0.0 } else { person.talkative };
        session.app_version = person.app_version;
        session.audience = audience;
        self.leave_for_a_while(&mut session);
        self.rows.push(session);
    }

    /// Bad radio drops people for some minutes; others step out.
    fn leave_for_a_while(&mut self, session: &mut Session) {
        let chance = match session.access {
            Access::Home(super::people::HomeNetwork::BadWifi) => 0.22,
            Access::Mobile => 0.15,
            _ => 0.03,
        };
        // The staged case holds for certain: the second to join it comes back.
        let staged = self.occasion.kind == Kind::Devices && self.rows.len() == self.first + 1;
        let length = session.leave - session.join;
        if length > 900 && (staged || self.dice.chance(chance)) {
            let away = self.dice.between(121, 420.min(length / 3));
            let from = session.join + self.dice.between(180, length - away - 180);
            session.away = Some((from, from + away));
        }
    }

    /// First join and last leave. The first in the room joins when the meeting starts and leaves when it ends.
    fn stay(&mut self) -> (i64, i64) {
        let Occasion { start, end, kind, .. } = *self.occasion;
        let length = end - start;
        if self.rows.len() == self.first || length < 240 {
            return (start, end);
        }
        if kind == Kind::Marathon {
            let join = start + self.dice.between(0, length / 2);
            return (join, (join + self.dice.between(3600, 40_000)).min(end));
        }
        let late = self.dice.weighted(&[(70, 60), (22, 240), (8, 900)]).min(length / 3);
        let early = self.dice.weighted(&[(84, 20), (10, 400), (6, 1500)]).min(length / 3);
        // One in fifty looks in by mistake.
        if self.dice.chance(0.02) {
            let join = start + self.dice.between(0, late);
            return (join, join + self.dice.between(5, 25));
        }
        (start + self.dice.between(0, late), end - self.dice.between(0, early))
    }

    fn blank(&mut self, who: Who, join: i64, leave: i64) -> Session {
        Session {
            key: self.dice.bits(),
            who,
            building: None,
            access: Access::OfficeWifi,
            device: match who {
                Who::Person(person) => self.people[person as usize].computer,
                Who::Room(_) => "android",
                Who::Foreign(_) => "mac",
                Who::Guest(_) => "web",
                Who::Phone(_) => "pstn",
            },
            app_version: APP_VERSIONS[0].1,
            public_ip: [203, 0, 113, 1],
            internal_ip: [192, 168, 0, 2],
            location: "",
            vpn: false,
            overloaded: false,
            camera: false,
            talkative: 0.2,
            join,
            leave,
            away: None,
            accept_status: self.dice.weighted(&[(60, 1), (3, 2), (7, 3), (30, 4)]),
            audience: false,
            duplicate: false,
        }
    }

    fn seat_room(&mut self, near: u32) {
        let home = self.people[near as usize].building;
        let room = room_index(home, self.dice.index(ROOM_NAMES.len()));
        let (join, leave) = self.stay();
        let mut session = self.blank(Who::Room(room), join, leave);
        let building = &BUILDINGS[home];
        session.building = Some(home);
        session.access = Access::OfficeCable;
        session.public_ip = building.public_ips[0];
        session.internal_ip =
            [building.internal_net[0], building.internal_net[1], 1, 240 + (room % ROOM_NAMES.len()) as u8];
        session.location = building.location;
        session.camera = true;
        session.talkative = 0.5;
        self.rows.push(session);
    }

    /// People of another tenant with and without an id, guests and a telephone line.
    fn seat_strangers(&mut self) {
        let foreign = 1 + self.dice.index(2);
        let guests = 1 + self.dice.index(2);
        let phone = usize::from(self.dice.chance(0.35) || self.occasion.topic.starts_with("Vendor review"));
        for at in 0..foreign + guests + phone {
            let ordinal = self.dice.between(0, 4000) as u32 * 8 + at as u32;
            let who = match at {
                at if at < foreign => Who::Foreign(ordinal),
                at if at < foreign + guests => Who::Guest(ordinal),
                _ => Who::Phone(ordinal),
            };
            let (join, leave) = self.stay();
            let mut session = self.blank(who, join, leave);
            session.public_ip = [203, 0, 113, self.dice.between(1, 254) as u8];
            if matches!(who, Who::Phone(_)) {
                session.access = Access::Telephone;
            }
            session.accept_status = 4;
            self.rows.push(session);
        }
    }

    /// A laptop and a phone of one person, and for another two devices that join in the same second.
    fn seat_devices(&mut self, person: u32, other: Option<u32>) {
        let Occasion { start, end, .. } = *self.occasion;
        let mut second = self.blank(Who::Person(person), start + (end - start) / 5 + 7, end);
        put_on_phone(&mut second, &self.people[person as usize], &mut self.dice);
        self.rows.push(second);
        let row =
            other.and_then(|other| self.rows[self.first..].iter().find(|row| row.who == Who::Person(other)).cloned());
        if let Some(mut duplicate) = row {
            duplicate.duplicate = true;
            duplicate.device = if duplicate.device == "linux" { "windows" } else { "linux" };
            self.rows.push(duplicate);
        }
    }

    /// Moves joins by a second until every pair of id and join is its own; a duplicate goes with its row.
    fn keep_joins_apart(&mut self) {
        let mut seen = HashSet::new();
        for row in self.rows[self.first..].iter_mut().filter(|row| !row.duplicate) {
            let name = match row.who {
                Who::Person(ordinal) => (0, u64::from(ordinal)),
                Who::Room(room) => (1, room as u64),
                Who::Foreign(ordinal) => (2, u64::from(ordinal)),
                Who::Guest(ordinal) | Who::Phone(ordinal) => (3, u64::from(ordinal)),
            };
            while !seen.insert((name, row.join)) {
                row.join += 1;
                row.leave = row.leave.max(row.join);
            }
        }
    }

    fn describe(mut self, ordinal: u64) -> Meeting {
        let Occasion { number, kind, ref topic, start, end, organizer } = *self.occasion;
        let rows = self.first..self.rows.len();
        let sharing = kind == Kind::Cast || (end - start > 300 && kind != Kind::Marathon && self.dice.chance(0.62));
        let share = sharing.then(|| {
            let length = end - start;
            let from = if kind == Kind::Cast { start } else { start + self.dice.between(60, length / 3) };
            let until = if kind == Kind::Cast { end } else { from + self.dice.between(120, length - (from - start)) };
            let panel = self.rows[rows.clone()].iter().filter(|row| !row.audience).count();
            Share { session: rows.start + self.dice.index(panel.min(3)), from, until }
        });
        let (meeting_type, subtype) = match kind {
            Kind::Cast => (3, 1),
            Kind::Webinar => (2, 8),
            _ => (2, 0),
        };
        let people = &self.rows[rows.clone()];
        Meeting {
            number,
            // Nineteen digits, past 2^53 as the vendor's are, and growing with time.
            instance_id: 7_529_416_531_681_214_468 + ordinal * 1_000_003,
            topic: topic.clone(),
            meeting_type,
            subtype,
            organizer,
            start,
            end,
            share,
            camera: people.iter().any(|row| row.camera),
            telephone: people.iter().any(|row| matches!(row.who, Who::Phone(_))),
            external: people.iter().any(Session::is_external),
            recording: self.dice.chance(0.12),
            has_related_document: self.dice.chance(0.3),
            ai_note: self.dice.chance(0.15),
            sessions: rows,
        }
    }
}

fn put_on_phone(session: &mut Session, person: &Person, dice: &mut Dice) {
    session.device = person.phone;
    session.access = Access::Mobile;
    session.app_version = person.app_version;
    session.public_ip = [203, 0, 113, dice.between(1, 254) as u8];
    session.internal_ip = [10, 180, dice.between(0, 255) as u8, dice.between(2, 250) as u8];
    session.location = person.home_location;
}
