//! Puts the generated people, meetings and sessions together.

use std::collections::HashMap;

use super::{attendance, calendar, incidents, people};
use crate::model::{KnownProblems, Tenant, TenantSpec};

/// How many seeds are tried for the incidents that are requested.
const MOST_SEEDS: u64 = 20;

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
        let today = tenant.meetings.split_off(
            tenant
                .spec
                .whole_days_end()
                .map_or(tenant.meetings.len(), |end| tenant.meetings.partition_point(|meeting| meeting.start < end)),
        );
        (tenant.incidents, tenant.unplanted) = incidents::plan(&tenant);
        tenant.meetings.extend(today);
        tenant
    }

    /// Generates the tenant with the first seed, from that of the spec on, with which all requested incidents can be
    /// planted. If none of [`MOST_SEEDS`] is such a seed, the tenant has the seed of the spec.
    pub fn generate_with_all_incidents(spec: &TenantSpec) -> Self {
        let with_seed = |more| Self::generate(&TenantSpec { seed: spec.seed.wrapping_add(more), ..spec.clone() });
        let first = with_seed(0);
        if first.unplanted.is_empty() {
            return first;
        }
        (1..MOST_SEEDS).map(with_seed).find(|tenant| tenant.unplanted.is_empty()).unwrap_or(first)
    }
}
