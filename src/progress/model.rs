//! How far a run is: events folded into numbers. A function of the events and of `now`, the time since the run began.

use std::time::Duration;

use crate::pipeline::{Calls, Event};

/// For how long calls are remembered for the rate, seconds.
const RATE_SECONDS: usize = 60;

/// Before so much has been seen, the quota says more about the rate than the few calls there were.
const RATE_SEEN_AFTER: Duration = Duration::from_secs(20);

/// A wait in progress.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// When it ends.
    pub until: Duration,
    /// For what, in words that follow "waiting 41 s ".
    pub why: String,
}

/// How far a run is.
#[derive(Debug, Clone)]
pub struct Model {
    /// Meetings found so far.
    pub meetings: u64,
    /// True once the meeting list is complete.
    pub meetings_complete: bool,
    /// Meetings whose participants must be listed.
    pub to_list: u64,
    /// Of those, how many have been.
    pub listed: u64,
    /// Participant rows known.
    pub participants: u64,
    /// Participants that must be asked for quality, as far as known.
    pub to_ask: u64,
    /// Of those, how many are done.
    pub done: u64,
    /// Of those, how many failed.
    pub failed: u64,
    /// Samples answered.
    pub samples: u64,
    /// Requests sent.
    pub calls: Calls,
    /// Requests refused for their rate.
    pub throttles: u64,
    /// Dates being published now.
    pub publishing: Option<u64>,
    /// The last generation published.
    pub generation: Option<u64>,
    /// Why the run is ending early.
    pub stopping: Option<String>,
    wait: Option<Wait>,
    quality_calls_estimate: u64,
    quality_calls_known: u64,
    quality_calls_per_minute: u32,
    first_quality_call: Option<Duration>,
    quality_rate: Rate,
    rate: Rate,
}

impl Model {
    /// Nothing has happened. `calls_per_minute` is the quota of each endpoint.
    pub fn new(calls_per_minute: u32) -> Model {
        Model {
            meetings: 0,
            meetings_complete: false,
            to_list: 0,
            listed: 0,
            participants: 0,
            to_ask: 0,
            done: 0,
            failed: 0,
            samples: 0,
            calls: Calls::default(),
            throttles: 0,
            publishing: None,
            generation: None,
            stopping: None,
            wait: None,
            quality_calls_estimate: 0,
            quality_calls_known: 0,
            quality_calls_per_minute: calls_per_minute,
            first_quality_call: None,
            quality_rate: Rate::default(),
            rate: Rate::default(),
        }
    }

    /// Takes note of one event that happened at `now`.
    pub fn apply(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Started { .. } => {}
            Event::MeetingPage { meetings } => self.meetings = *meetings,
            Event::MeetingsListed { meetings, to_list, quality_calls_estimate } => {
                self.meetings = *meetings;
                self.meetings_complete = true;
                self.to_list = *to_list;
                self.quality_calls_estimate = *quality_calls_estimate;
            }
            Event::MeetingListed { participants, to_ask, quality_calls } => {
                self.listed += 1;
                self.participants += participants;
                self.to_ask += to_ask;
                self.quality_calls_known += quality_calls;
            }
            Event::ParticipantDone { status, samples } => {
                self.done += 1;
                self.failed += u64::from(*status == "failed");
                self.samples += samples;
            }
            Event::Call { endpoint } => self.call(endpoint, now),
            Event::Throttled { .. } => self.throttles += 1,
            Event::Waiting { wait, why, .. } => {
                let until = now + *wait;
                // Several requests can wait at once: the longest wait is the one that holds the run up.
                if self.wait.as_ref().is_none_or(|wait| wait.until < until) {
                    self.wait = Some(Wait { until, why: why.clone() });
                }
            }
            Event::Publishing { dates } => self.publishing = Some(*dates),
            Event::Published { generation, .. } => {
                self.publishing = None;
                self.generation = Some(*generation);
            }
            Event::Stopping { why } => self.stopping = Some(why.clone()),
        }
    }

    fn call(&mut self, endpoint: &str, now: Duration) {
        self.rate.add(now);
        match endpoint {
            "meeting_list" => self.calls.meeting_list += 1,
            "participant_list" => self.calls.participant_list += 1,
            _ => {
                self.calls.participant_quality_list += 1;
                self.first_quality_call.get_or_insert(now);
                self.quality_rate.add(now);
            }
        }
    }

    /// Calls to all endpoints in the last minute.
    pub fn calls_last_minute(&self, now: Duration) -> u64 {
        self.rate.last_minute(now)
    }

    /// What is being waited for at `now`.
    pub fn wait(&self, now: Duration) -> Option<&Wait> {
        self.wait.as_ref().filter(|wait| wait.until > now)
    }

    /// Quality calls that are still owed, as far as known; a guess while meetings are still to be listed.
    pub fn quality_calls_owed(&self) -> u64 {
        let unlisted = self.to_list.saturating_sub(self.listed);
        // More meetings reported than were to be listed: some were listed by an earlier run and are only asked for, so
        // the share of meetings says nothing about the rest, and what the estimate has left over does.
        let guessed = match self.to_list {
            to_list if self.listed > to_list || to_list == 0 => {
                self.quality_calls_estimate.saturating_sub(self.quality_calls_known)
            }
            to_list => (u128::from(self.quality_calls_estimate) * u128::from(unlisted) / u128::from(to_list)) as u64,
        };
        let by_calls = (self.quality_calls_known + guessed).saturating_sub(self.calls.participant_quality_list);
        // Retries spend calls without an answer: each participant that is left takes one at least.
        by_calls.max(self.to_ask.saturating_sub(self.done))
    }

    /// How long the rest will take: the owed quality calls at the rate seen, before that at the quota. `None` while the
    /// meeting list is not complete and once nothing is owed.
    pub fn left(&self, now: Duration) -> Option<Duration> {
        let owed = self.quality_calls_owed();
        if !self.meetings_complete || owed == 0 || self.stopping.is_some() {
            return None;
        }
        let wait = self.wait(now).map_or(Duration::ZERO, |wait| wait.until - now);
        Some(wait + Duration::from_secs_f64(owed as f64 * 60.0 / self.quality_calls_a_minute(now)))
    }

    fn quality_calls_a_minute(&self, now: Duration) -> f64 {
        let quota = f64::from(self.quality_calls_per_minute.max(1));
        let Some(seen_for) = self.first_quality_call.map(|first| now.saturating_sub(first)) else { return quota };
        let seen = self.quality_rate.last_minute(now) as f64;
        if seen_for < RATE_SEEN_AFTER || seen == 0.0 || self.wait(now).is_some() {
            return quota;
        }
        (seen * 60.0 / seen_for.as_secs_f64().min(RATE_SECONDS as f64)).min(quota)
    }
}

/// Calls of the last minute, counted by the second: as small for a hundred calls as for a hundred thousand.
#[derive(Debug, Clone)]
struct Rate {
    /// For each second modulo 60: which second it was, and its calls.
    seconds: [(u64, u64); RATE_SECONDS],
}

impl Default for Rate {
    fn default() -> Rate {
        Rate { seconds: [(0, 0); RATE_SECONDS] }
    }
}

impl Rate {
    fn add(&mut self, now: Duration) {
        let second = now.as_secs();
        let slot = &mut self.seconds[(second % RATE_SECONDS as u64) as usize];
        if slot.0 != second {
            *slot = (second, 0);
        }
        slot.1 += 1;
    }

    fn last_minute(&self, now: Duration) -> u64 {
        let now = now.as_secs();
        let recent = |second: u64| second <= now && now - second < RATE_SECONDS as u64;
        self.seconds.iter().filter(|(second, _)| recent(*second)).map(|(_, calls)| calls).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUALITY: Event = Event::Call { endpoint: "participant_quality_list" };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn listed(to_list: u64, estimate: u64) -> Model {
        let mut model = Model::new(100);
        model.apply(
            &Event::MeetingsListed { meetings: to_list, to_list, quality_calls_estimate: estimate },
            Duration::ZERO,
        );
        model
    }

    #[test]
    fn what_is_known_replaces_what_was_guessed() {
        let mut model = listed(2, 100);
        assert_eq!(model.quality_calls_owed(), 100);
        model.apply(&Event::MeetingListed { participants: 30, to_ask: 30, quality_calls: 30 }, at(1));
        assert_eq!(model.quality_calls_owed(), 30 + 50);
        model.apply(&Event::MeetingListed { participants: 5, to_ask: 4, quality_calls: 5 }, at(1));
        assert_eq!(model.quality_calls_owed(), 35);
        model.apply(&QUALITY, at(2));
        model.apply(&Event::ParticipantDone { status: "complete", samples: 60 }, at(2));
        assert_eq!((model.quality_calls_owed(), model.samples, model.done), (34, 60, 1));
    }

    #[test]
    fn meetings_that_an_earlier_run_listed_keep_their_calls() {
        let mut model = listed(1, 100);
        for _ in 0..3 {
            model.apply(&Event::MeetingListed { participants: 10, to_ask: 10, quality_calls: 10 }, at(0));
        }
        assert_eq!(model.quality_calls_owed(), 100);
        let mut none_to_list = listed(0, 40);
        none_to_list.apply(&Event::MeetingListed { participants: 10, to_ask: 10, quality_calls: 10 }, at(0));
        assert_eq!(none_to_list.quality_calls_owed(), 40);
    }

    #[test]
    fn retries_do_not_eat_what_is_owed() {
        let mut model = listed(1, 2);
        model.apply(&Event::MeetingListed { participants: 2, to_ask: 2, quality_calls: 2 }, at(0));
        for _ in 0..10 {
            model.apply(&QUALITY, at(1));
        }
        assert_eq!(model.quality_calls_owed(), 2);
    }

    #[test]
    fn the_rest_is_priced_at_the_quota_first_and_then_at_the_rate_seen() {
        let mut model = listed(1, 1_000);
        model.apply(&Event::MeetingListed { participants: 1_000, to_ask: 1_000, quality_calls: 1_000 }, at(0));
        assert_eq!(model.left(at(0)), Some(at(600)));
        // One call a second: 60 a minute, below the quota of 100.
        for second in 0..60 {
            model.apply(&QUALITY, at(second));
            model.apply(&Event::ParticipantDone { status: "complete", samples: 1 }, at(second));
        }
        assert_eq!(model.calls_last_minute(at(59)), 60);
        let left = model.left(at(59)).expect("an estimate").as_secs();
        assert!((900..=960).contains(&left), "{left}");
        assert_eq!(model.calls_last_minute(at(130)), 0);
    }

    #[test]
    fn nothing_is_estimated_before_the_list_or_after_the_end() {
        assert_eq!(Model::new(100).left(at(5)), None);
        let mut model = listed(1, 10);
        model.apply(&Event::Stopping { why: "interrupted".to_owned() }, at(1));
        assert_eq!(model.left(at(1)), None);
        let mut model = listed(1, 1);
        model.apply(&Event::MeetingListed { participants: 1, to_ask: 1, quality_calls: 1 }, at(1));
        model.apply(&QUALITY, at(1));
        model.apply(&Event::ParticipantDone { status: "failed", samples: 0 }, at(1));
        assert_eq!((model.left(at(2)), model.failed), (None, 1));
    }

    #[test]
    fn the_longest_wait_counts_and_ends_by_itself() {
        let mut model = listed(1, 100);
        let waiting = |seconds: u64, why: &str| Event::Waiting {
            endpoint: "participant_quality_list",
            wait: at(seconds),
            why: why.to_owned(),
        };
        model.apply(&waiting(41, "for the vendor's limit"), at(0));
        model.apply(&waiting(2, "to retry after a timeout"), at(1));
        assert_eq!(model.wait(at(2)).map(|wait| wait.why.as_str()), Some("for the vendor's limit"));
        assert_eq!(model.left(at(1)), Some(at(100)));
        assert_eq!(model.wait(at(41)), None);
    }

    proptest! {
        #[test]
        fn the_rate_counts_each_call_of_the_last_minute_once(mut seconds in prop::collection::vec(0_u64..300, 0..200)) {
            seconds.sort_unstable();
            let mut rate = Rate::default();
            for second in &seconds {
                rate.add(at(*second));
            }
            let now = seconds.last().copied().unwrap_or_default();
            let expected = seconds.iter().filter(|second| now - **second < 60).count() as u64;
            prop_assert_eq!(rate.last_minute(at(now)), expected);
        }
    }
}
