//! Puts the generated people, meetings and sessions together.

use std::collections::HashMap;

use super::{attendance, calendar, people};
use crate::model::{Incidents, Tenant, TenantSpec};

impl Tenant {
    /// Generates the tenant that a spec describes: the same spec produces the same tenant on every machine.
    pub fn generate(spec: &TenantSpec) -> Self {
        let spec = TenantSpec { people: spec.people.max(8), ..spec.clone() };
        let people = people::generate_people(spec.seed, spec.people);
        let calendar = calendar::generate_calendar(&spec);
        let (meetings, sessions) = attendance::generate_attendance(&spec, &people, calendar);
        let mut by_number: HashMap<u32, Vec<usize>> = HashMap::new();
        for (index, meeting) in meetings.iter().enumerate() {
            by_number.entry(meeting.number).or_default().push(index);
        }
        let incidents = Incidents::schedule(&spec);
        Self { spec, people, meetings, sessions, incidents, by_number }
    }
}
