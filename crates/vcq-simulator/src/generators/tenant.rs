//! Puts the generated people, meetings and sessions together.

use std::collections::HashMap;

use super::{attendance, calendar, incidents, people};
use crate::model::{KnownProblems, Tenant, TenantSpec};

impl Tenant {
    /// Generates the tenant that a spec describes: the same spec produces the same tenant on every machine.
    pub fn generate(spec: &TenantSpec) -> Self {
        let spec = TenantSpec { people: spec.people.max(8), ..spec.clone() };
        let people = people::generate_people(&spec);
        let calendar = calendar::generate_calendar(&spec);
        let (meetings, sessions) = attendance::generate_attendance(&spec, &people, calendar);
        let mut by_number: HashMap<u32, Vec<usize>> = HashMap::new();
        for (index, meeting) in meetings.iter().enumerate() {
            by_number.entry(meeting.number).or_default().push(index);
        }
        let problems = KnownProblems::schedule(&spec);
        let (incidents, unplanted) = (Vec::new(), Vec::new());
        let mut tenant = Self { spec, people, meetings, sessions, problems, incidents, unplanted, by_number };
        (tenant.incidents, tenant.unplanted) = incidents::plan(&tenant);
        tenant
    }
}
