//! All answers of a tenant, meeting by meeting, without HTTP: for tests and benchmarks of what comes after fetching.

use super::json::{JsonStyle, ListWriter, push_items};
use crate::generators::identifiers::planted_row;
use crate::generators::quality::SampleGenerator;
use crate::model::ids::UserIdType;
use crate::model::places::BUILDINGS;
use crate::model::{Meeting, QualityAvailability, Tenant};

/// What the three lists say about a meeting, each as one page of any length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Unix seconds.
    pub start: i64,
    /// `<meeting number>-<start>`.
    pub meeting_key: String,
    pub meeting: String,
    pub participants: String,
    /// Of each participant with quality data: `<meeting key>/<ID>/<join time>`, and the page.
    pub quality: Vec<(String, String)>,
}

fn page(list: &str, items: &str) -> String {
    format!("{{\"code\":0,\"msg\":\"success\",\"data\":{{\"has_more\":false,\"{list}\":[{items}]}}}}")
}

impl Tenant {
    /// In the order of the meetings. Users have open IDs.
    pub fn answers(&self) -> impl Iterator<Item = Answer> {
        self.meetings.iter().map(|meeting| self.answer(meeting))
    }

    fn answer(&self, meeting: &Meeting) -> Answer {
        let style = JsonStyle::default();
        let writer = ListWriter { tenant: self, style, id_type: UserIdType::OpenId, now: self.spec.end() };
        let rows: Vec<String> = meeting.sessions.clone().map(|row| writer.participant(meeting, row)).collect();
        let mut quality = Vec::new();
        for row in meeting.sessions.clone() {
            let session = &self.sessions[row];
            if session.duplicate || meeting.quality_availability(session) != QualityAvailability::Available {
                continue;
            }
            let generator = SampleGenerator::new(self, meeting, row);
            let mut items = String::new();
            let minutes = 0..meeting.sample_count(session);
            let planted = self.spec.planted_identifiers.then(|| planted_row(row));
            push_items(&mut items, style, self.spec.utc_offset_s, &generator, session, minutes, planted.as_ref());
            let (user, room) = (writer.user_id(session), writer.room_id(session));
            quality.push((
                format!("{}/{user}{room}/{}", meeting.key(), session.join),
                page("participant_quality_list", &items),
            ));
        }
        Answer {
            start: meeting.start,
            meeting_key: meeting.key(),
            meeting: page("meeting_list", &writer.meeting(meeting)),
            participants: page("participants", &rows.join(",")),
            quality,
        }
    }

    /// A building file with the floors of the tenant's buildings.
    pub fn building_file(&self) -> String {
        let mut text = "cidr,building,floor,city\n".to_owned();
        for building in BUILDINGS.iter().take(self.spec.background.buildings) {
            let [a, b] = building.internal_net;
            for floor in 1..=building.floors {
                text.push_str(&format!("{a}.{b}.{floor}.0/24,{},F{floor},{}\n", building.name, building.location));
            }
        }
        text
    }
}
