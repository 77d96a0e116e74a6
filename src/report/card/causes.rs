//! The minutes with a cause: poor minutes, and CPU-limited ones that are not poor.

use std::collections::BTreeMap;

use jiff::civil::DateTime;

use super::error::CardError;
use super::facts::{Dates, Row, Source};
use super::model::{CauseMinutes, poor_pct};
use super::strip::Level;
use super::words::Words;

/// The name of the cause; its minutes need not be poor.
const CPU: &str = "CPU";

/// Minutes by cause, and the CPU minutes that are not poor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Causes {
    /// Most minutes first.
    pub(super) list: Vec<CauseMinutes>,
    /// By participant.
    cpu_limited: BTreeMap<String, Vec<DateTime>>,
}

impl Causes {
    /// Of the participants that a condition on `c` selects.
    pub(super) fn read(source: &Source<'_>, dates: &Dates, condition: &str) -> Result<Causes, CardError> {
        let sql = format!(
            "select
                cause_label(c.metric, c.direction) as cause, c.is_poor,
                case when not c.is_poor then c.participant_key end as participant_key,
                case when not c.is_poor then c.minute_local end as minute_local,
                count(*) as minutes
             from cause_minutes({}) as c
             where {condition} group by all",
            source.arguments(dates)
        );
        let mut causes = Causes::default();
        let mut minutes: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for row in source.rows("the causes", &sql)? {
            let is_poor = row.flag("is_poor") == Some(true);
            let count = row.number("minutes");
            let (all, poor) = minutes.entry(row.text("cause")).or_default();
            *all += count;
            *poor += if is_poor { count } else { 0 };
            if let (Some(key), Some(at)) = (row.optional("participant_key"), row.time("minute_local")) {
                causes.cpu_limited.entry(key).or_default().push(at);
            }
        }
        let cause = |(cause, (minutes, poor))| CauseMinutes { cause, minutes, poor: Some(poor) };
        causes.list = minutes.into_iter().map(cause).collect();
        causes.list.sort_by(|a, b| b.minutes.cmp(&a.minutes).then_with(|| a.cause.cmp(&b.cause)));
        Ok(causes)
    }

    /// CPU-limited minutes that are not poor.
    pub(super) fn cpu_limited(&self) -> i64 {
        self.cpu_limited.values().map(|minutes| minutes.len() as i64).sum()
    }

    /// The same, of one participant.
    pub(super) fn cpu_limited_of(&self, row: &Row) -> i64 {
        self.cpu_limited.get(&row.text("participant_key")).map_or(0, |minutes| minutes.len() as i64)
    }

    /// Poor minutes and those above, of one participant.
    pub(super) fn bad_minutes_of(&self, row: &Row) -> i64 {
        row.number("poor_minutes") + self.cpu_limited_of(row)
    }

    /// The minutes of a participant for a strip.
    pub(super) fn levels_of(&self, row: &Row) -> impl Iterator<Item = (DateTime, Level)> + '_ {
        let minutes = self.cpu_limited.get(&row.text("participant_key"));
        minutes.into_iter().flatten().map(|at| (*at, Level::Cpu))
    }

    /// The minutes of all participants.
    pub(super) fn all_levels(&self) -> impl Iterator<Item = (DateTime, Level)> + '_ {
        self.cpu_limited.values().flatten().map(|at| (*at, Level::Cpu))
    }
}

/// `4/10`, or `4/10, CPU 3`: poor and judged minutes, and CPU-limited ones that are not poor.
pub(super) fn minutes_note(row: &Row, causes: &Causes, words: Words) -> String {
    let (poor, judged) = (row.number("poor_minutes"), row.number("judged_minutes"));
    match causes.cpu_limited_of(row) {
        0 => format!("{poor}/{judged}"),
        cpu => {
            let values = [("poor", poor), ("judged", judged), ("cpu", cpu)].map(|(name, n)| (name, n.to_string()));
            words.fill("card.note.cpu", &values.each_ref().map(|(name, text)| (*name, text.as_str())))
        }
    }
}

/// `jitter both ways 44 min, CPU 5 min (1.2 % of judged minutes, 2 of them poor)`. The CPU is always listed, so that
/// its absence is visible.
pub(super) fn causes_text(causes: &[CauseMinutes], judged_minutes: i64, words: Words) -> String {
    const SHOWN: usize = 3;
    if causes.is_empty() {
        return words.say("card.none");
    }
    let minutes = |cause: &str, n: i64| words.fill("card.cause_minutes", &[("cause", cause), ("n", &n.to_string())]);
    let text = |cause: &CauseMinutes| match (cause.cause == CPU, cause.minutes > 0) {
        (false, _) => minutes(&words.cause(&cause.cause), cause.minutes),
        (true, false) => minutes(CPU, cause.minutes),
        (true, true) => {
            let share = poor_pct(cause.minutes, judged_minutes);
            let key = if share.is_some() { "card.cpu_minutes" } else { "card.cpu_minutes.bare" };
            let (n, poor) = (cause.minutes.to_string(), cause.poor.unwrap_or_default().to_string());
            words.fill(key, &[("n", &n), ("share", &words.pct(share)), ("poor", &poor)])
        }
    };
    let is_cpu = |cause: &&CauseMinutes| cause.cause == CPU;
    let mut shown: Vec<String> = causes.iter().take(SHOWN).map(text).collect();
    let mut more = causes.len().saturating_sub(SHOWN);
    if !causes.iter().take(SHOWN).any(|cause| is_cpu(&cause)) {
        let none = CauseMinutes { cause: CPU.to_owned(), ..CauseMinutes::default() };
        shown.push(text(causes.iter().find(is_cpu).unwrap_or(&none)));
        more -= usize::from(causes.iter().any(|cause| is_cpu(&cause)));
    }
    words.list_and_more("card.and_more", &shown, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_always_among_the_causes() {
        let cause = |cause: &str, minutes, poor| CauseMinutes { cause: cause.to_owned(), minutes, poor: Some(poor) };
        let [loss, delay, jitter, sent] = [("loss received", 9), ("delay", 8), ("jitter sent", 7), ("loss sent", 2)]
            .map(|(name, minutes)| cause(name, minutes, minutes));
        let cpu = cause("CPU", 6, 2);
        assert_eq!(causes_text(&[], 10, Words::default()), "none");
        assert_eq!(causes_text(std::slice::from_ref(&loss), 10, Words::default()), "loss received 9 min, CPU 0 min");
        assert_eq!(
            causes_text(&[cpu.clone(), sent.clone()], 10, Words::default()),
            "CPU 6 min (60.0 % of judged minutes, 2 of them poor), loss sent 2 min"
        );
        assert_eq!(
            causes_text(&[loss, delay, jitter, cpu, sent], 100, Words::default()),
            "loss received 9 min, delay 8 min, jitter sent 7 min, CPU 6 min (6.0 % of judged minutes, 2 of them poor) \
             and 1 more"
        );
    }
}
