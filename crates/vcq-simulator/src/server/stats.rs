//! Counts and a log of the calls, so that a test can assert exactly which calls were made.

use std::collections::{BTreeMap, VecDeque};

use super::{Endpoint, Params};

/// The response to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// HTTP status and the `code` of the envelope.
    Code(u16, i64),
    /// HTTP status of a response that is not Feishu's envelope; 0 if there was no response.
    NoEnvelope(u16),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub endpoint: Endpoint,
    pub params: Params,
    /// Arrival, in milliseconds since the server started.
    pub at_ms: u64,
    pub outcome: Outcome,
}

impl Call {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    pub responses: BTreeMap<(Endpoint, Outcome), u64>,
    /// Responses with 99991400.
    pub throttles: u64,
    /// Maximum number of calls, including refused ones, that arrived within one window of the limit.
    pub peak_calls_in_window: BTreeMap<Endpoint, usize>,
    /// The last calls, oldest first.
    pub log: VecDeque<Call>,
    /// Calls that are no longer in the log.
    pub dropped: u64,
}

impl Stats {
    pub fn calls(&self, endpoint: Endpoint) -> u64 {
        self.count(endpoint, |_| true)
    }

    /// Number of responses of an endpoint with a code; 0 is success.
    pub fn answered(&self, endpoint: Endpoint, code: i64) -> u64 {
        self.count(endpoint, |outcome| matches!(outcome, Outcome::Code(_, known) if *known == code))
    }

    fn count(&self, endpoint: Endpoint, matches: impl Fn(&Outcome) -> bool) -> u64 {
        let counted = self.responses.iter().filter(|((known, outcome), _)| *known == endpoint && matches(outcome));
        counted.map(|(_, count)| count).sum()
    }

    /// Calls to the quality list by (meeting number, ID, join time), as far as they are in the log.
    pub fn quality_calls(&self) -> BTreeMap<(String, String, String), u64> {
        let mut calls = BTreeMap::new();
        for call in self.log.iter().filter(|call| call.endpoint == Endpoint::ParticipantQualityList) {
            let text = |name: &str| call.param(name).unwrap_or_default().to_owned();
            let id = call.param("user_id").or(call.param("room_id")).unwrap_or_default().to_owned();
            *calls.entry((text("meeting_no"), id, text("join_time"))).or_insert(0) += 1;
        }
        calls
    }

    pub(super) fn record(&mut self, call: Call, capacity: usize) {
        *self.responses.entry((call.endpoint, call.outcome)).or_insert(0) += 1;
        self.throttles += u64::from(matches!(call.outcome, Outcome::Code(_, 99_991_400)));
        self.log.push_back(call);
        while self.log.len() > capacity {
            self.log.pop_front();
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(code: i64, join: &str) -> Call {
        let params = [("meeting_no", "123456789"), ("user_id", "ou_1"), ("join_time", join)];
        Call {
            endpoint: Endpoint::ParticipantQualityList,
            params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            at_ms: 0,
            outcome: Outcome::Code(200, code),
        }
    }

    #[test]
    fn the_log_drops_the_oldest_and_counts_stay() {
        let mut stats = Stats::default();
        for join in ["1", "2", "3", "3"] {
            stats.record(call(0, join), 3);
        }
        stats.record(call(99_991_400, "4"), 3);
        assert_eq!(stats.calls(Endpoint::ParticipantQualityList), 5);
        assert_eq!(stats.answered(Endpoint::ParticipantQualityList, 0), 4);
        assert_eq!((stats.throttles, stats.dropped, stats.log.len()), (1, 2, 3));
        let calls = stats.quality_calls();
        assert_eq!(calls[&("123456789".to_owned(), "ou_1".to_owned(), "3".to_owned())], 2);
    }
}
