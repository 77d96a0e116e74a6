//! How severe an incident is, by the limits of the profile in the table `thresholds`.

use super::incident::{ScopeKind, Severity};

/// `None` is no limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeverityLimits {
    pub(super) critical_people: Option<f64>,
    pub(super) major_people: Option<f64>,
    pub(super) major_poor_pct: Option<f64>,
}

impl SeverityLimits {
    pub(super) fn severity(self, kind: ScopeKind, people: u32, poor_pct: f64) -> Severity {
        let reached = |limit: Option<f64>, value: f64| limit.is_some_and(|limit| value >= limit);
        if kind == ScopeKind::Service || reached(self.critical_people, people.into()) {
            Severity::Critical
        } else if reached(self.major_people, people.into()) || reached(self.major_poor_pct, poor_pct) {
            Severity::Major
        } else {
            Severity::Minor
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_counts_from_its_value_on_and_the_service_is_critical() {
        let limits =
            SeverityLimits { critical_people: Some(10.0), major_people: Some(5.0), major_poor_pct: Some(50.0) };
        let site = |people, poor_pct| limits.severity(ScopeKind::Site, people, poor_pct);
        assert_eq!(site(4, 49.9), Severity::Minor);
        assert_eq!(site(5, 0.0), Severity::Major);
        assert_eq!(site(3, 50.0), Severity::Major);
        assert_eq!(site(9, 100.0), Severity::Major);
        assert_eq!(site(10, 0.0), Severity::Critical);
        assert_eq!(limits.severity(ScopeKind::Service, 3, 0.0), Severity::Critical);
        let none = SeverityLimits { critical_people: None, major_people: None, major_poor_pct: None };
        assert_eq!(none.severity(ScopeKind::Site, 1_000, 100.0), Severity::Minor);
    }
}
