//! Every number of the method, in one place. docs/INCIDENTS.md shows them. The limits of severities are thresholds.

use super::data::Family;
use super::incident::ScopeKind;

/// Days before a date that its incidents depend on.
pub(super) const HISTORY_DAYS: i32 = 28;

/// Affected, from lightly to heavily: minutes with a cause, and their share of the judged ones, at least.
pub(super) const AFFECTED: [(f64, f64); 4] = [(3.0, 0.1), (5.0, 0.2), (8.0, 0.4), (8.0, 0.5)];
/// The share that is enough for a session of the history, because a part of it may have been worse.
pub(super) const LEAST_HISTORY_SHARE: [f64; 4] = [0.05, 0.05, 0.05, 0.35];
/// The last level compares with whole sessions, so this share of a session must lie in the window.
pub(super) const LEAST_SESSION_COVER: f64 = 0.7;
/// Judged minutes in the window below which a person does not count.
pub(super) const LEAST_JUDGED_MINUTES: f64 = 5.0;

/// People in a shared scope, and meetings of a person or room, that must be affected.
pub(super) const LEAST_AFFECTED: usize = 3;
/// Share of the people present that must be affected.
pub(super) const LEAST_SHARE: f64 = 0.2;
/// Times the expectation that must be affected.
pub(super) const LEAST_RATIO: f64 = 3.0;

/// False-discovery rate.
pub(super) const FALSE_DISCOVERY_RATE: f64 = 0.05;
/// Dates that a reader looks at together: the rate holds over all their scopes.
pub(super) const DATES_READ: f64 = 100.0;

/// Usual length of a poor spell: it may lie partly outside of a window.
pub(super) const SPELL_MINUTES: f64 = 5.0;
/// Shortest acute incident.
pub(super) const LEAST_WINDOW_MINUTES: i32 = 10;
/// Earlier dates without which a person or room is not judged, and a home not known.
pub(super) const LEAST_OWN_DATES: f64 = 4.0;

/// Weight of the stratum, in sessions, against a person's own sessions.
pub(super) const PRIOR_SESSIONS: f64 = 4.0;
/// Weight of the assumption below against the tenant's history, in sessions.
pub(super) const ASSUMED_SESSIONS: f64 = 25.0;
/// Share of affected sessions that is assumed without history, light and heavy.
pub(super) const ASSUMED_SHARE: [f64; 4] = [0.03, 0.015, 0.01, 0.005];
/// With fewer earlier dates, more is assumed: only severe incidents are found.
pub(super) const LEAST_HISTORY_DAYS: usize = 3;
pub(super) const SHARE_WITHOUT_HISTORY: [f64; 4] = [0.15, 0.11, 0.08, 0.06];
/// The same at home and on cellular networks.
pub(super) const NATURAL_SHARE_WITHOUT_HISTORY: [f64; 4] = [0.5, 0.4, 0.3, 0.25];
/// No session is expected to be affected with a smaller probability.
pub(super) const LEAST_PROBABILITY: [f64; 4] = [0.004, 0.003, 0.002, 0.0015];

/// Minutes of a bin of the window search.
pub(super) const BIN_MINUTES: i32 = 5;
/// Ratios of poor people to expected ones that the window search looks for.
pub(super) const WINDOW_RATIOS: [f64; 3] = [1.8, 3.0, 10.0];

/// The least chance of a poor minute in a bin, so that single poor minutes do not stretch a window.
pub(super) const LEAST_BIN_CHANCE: f64 = 0.02;

/// Two windows of one scope with at most this between them are one incident.
pub(super) const MERGE_MINUTES: i32 = 120;

/// A narrower scope is the explanation if it has this share of the poor minutes and this many times the share of
/// people.
pub(super) const NARROWER_COVER: f64 = 0.9;
pub(super) const NARROWER_RATIO: f64 = 1.3;

/// Explanations with this share of the best score are compared closely; those with nearly the same people that differ
/// by no more than this share of the score are as good, so the more specific kind is named.
pub(super) const RIVAL_SCORE: f64 = 0.75;
pub(super) const TIE_SCORE: f64 = 0.05;
/// A part of a scope is named if those outside of it are affected at most this often, in comparison.
pub(super) const OUTSIDE_RATIO: f64 = 0.25;

/// A problem continues with the scope of the days before if that explains this share of the best explanation (as
/// log-likelihood ratio) and affects this share of its people.
pub(super) const CONTINUED_SCORE: f64 = 0.75;
pub(super) const CONTINUED_SHARE: f64 = 0.7;
/// A chronic problem keeps its scope with this share of the best score if that concerns this share of the best one's
/// people.
pub(super) const KEPT_SCORE: f64 = 0.4;
pub(super) const KEPT_PEOPLE: f64 = 0.8;
/// Number of tests that count for the question whether a known problem continues.
pub(super) const CONTINUED_TESTS: f64 = 10.0;

/// A chronic problem: bad days among the last used days, and the days in which these are looked for.
pub(super) const CHRONIC_BAD_DAYS: usize = 5;
pub(super) const CHRONIC_USED_DAYS: usize = 10;
pub(super) const CHRONIC_LOOK_BACK_DAYS: i32 = 21;
/// Dates on which nearly the same days are judged.
pub(super) const CHRONIC_DATES: f64 = 10.0;
/// A bad day of a person or room: share of judged minutes, or half of the meetings and the second share.
pub(super) const BAD_DAY_SHARE: f64 = 0.2;
pub(super) const BAD_DAY_SHARE_MEETINGS: f64 = 0.1;
/// A bad day of a shared scope: affected people beyond the expectation.
pub(super) const BAD_DAY_EXCESS: f64 = 0.1;
/// Times the peers that a bad day must reach.
pub(super) const BAD_DAY_RATIO: f64 = 3.0;

/// Used days before the first bad one that a change needs.
pub(super) const LEAST_DAYS_BEFORE: usize = 5;
/// People differ at least so much: at work, and at home or on cellular networks.
pub(super) const LEAST_CORRELATION: (f64, f64) = (0.03, 0.08);
/// Share of people affected beyond the expectation from which a scope is bad even if many are affected everywhere.
pub(super) const LEAST_NATURAL_EXCESS: f64 = 0.35;
/// The share of minutes of a day that is bad most of the time.
pub(super) const HEAVY_DAY_SHARE: f64 = 0.5;
/// The share of an incident's minutes that a metric must have to be explained by it.
pub(super) const LEAST_METRIC_SHARE: f64 = 0.2;
/// Person-days of peers below which a shared scope is not judged.
pub(super) const LEAST_PEER_DAYS: f64 = 30.0;

/// A problem continues on a day if at least this share of its people is affected.
pub(super) const RUN_SHARE: f64 = 0.5;
/// A problem continues on the next day if nearly all use of the scope was within it: at most this share of the minutes
/// lies after its end on the first day, or before its start on the next.
pub(super) const OVERNIGHT_SHARE: f64 = 0.2;

/// Days between the days of one acute problem at most, a weekend included.
pub(super) const LONGEST_LINK_DAYS: i32 = 4;

/// Of the minutes that name the metric, the share that must have one direction to be named after it.
pub(super) const DIRECTION_SHARE: f64 = 0.8;

/// The number of hypotheses, so that each kind of scope and family of metrics has the same chance to be found.
pub(super) fn hypotheses(scopes_of_kind: f64) -> f64 {
    (ScopeKind::ALL.len() * Family::ALL.len()) as f64 * scopes_of_kind * DATES_READ
}

/// Whether an explanation is better than one of a kind of scope that comes before: scopes with the same people tie.
pub(super) fn is_better(score: f64, best: f64) -> bool {
    score > best + 1e-6
}
