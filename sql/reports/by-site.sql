-- id: r05
-- title: By site
-- question: Which building or subnet do the poor minutes come from?
-- audience: network team
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: profile text = cqd: Limits to judge by: cqd, strict, huawei-red or custom; the report threshold-sheet
--   lists them.
-- parameter: top integer = 50: Most rows shown.
-- parameter: min_n integer = 60: Fewer judged minutes show no share: it would be chance.
-- parameter: dimension text = site | building | floor | subnet: What a row is; a site is a building, else a subnet,
--   else a public network.
-- column: site: Which one; unknown where nothing is known.
-- column: participants: Participant rows with a judged minute.
-- column: people: Different people and rooms.
-- column: hours h: Distinct participant-minutes held / 60.
-- column: n min: Judged participant-minutes.
-- column: poor min: Poor participant-minutes.
-- column: poor_pct %: Their share; empty below min_n.
-- column: of_all_poor_pct %: Its part of all poor minutes: where to begin.
-- column: affected_pct %: Affected participants; empty below 10.
-- column: affected_low_pct %: Wilson's 95 % interval of it, from.
-- column: affected_high_pct %: To.
-- column: status: healthy under 5 % poor minutes, degraded under 20 %, critical from there; empty below min_n.
-- column: main_cause: Cause of most poor minutes.
-- column: delay_p50_ms ms: Median delay.
-- column: delay_p95_ms ms: Delay that 5 % of the minutes are above.
-- column: loss_in_p95_pct %: The same for loss received.
-- column: loss_out_p95_pct %: For loss sent.
-- column: jitter_in_p95_ms ms: For audio jitter received.
-- column: mos_p10 MOS est.: Opinion score that 10 % of the received audio minutes are below.
-- column: profile: Limits used.
-- threshold: Verdicts by the chosen profile (table thresholds): delay, loss and jitter for audio, frame rate, else loss
--   for video, loss for sharing; a minute is poor where one of its streams is.
-- threshold: A participant is affected with more than 10 % poor minutes or an episode of three poor minutes in a row
--   (own choice).
-- threshold: Status from 5 % and 20 % poor minutes (CQLens).
-- caveat: Minutes without bit rate or metric are unclassified and in no share; the report unclassified counts them.
-- caveat: The vendor tells loss for the whole connection, not for each medium.
-- caveat: The opinion score is an estimate from delay, jitter and loss, not measured.
-- caveat: Without an imported building file a site is a /24 of the internal address (a /48 for IPv6); addresses in
--   ranges of home routers are told apart by their public network only.
-- caveat: One person with a bad cable makes a small site look bad: see people.
-- empty: Nothing was judged in this window; see why_no_rows, or the reports coverage and unclassified.
select
    q.dimension_value as site,
    q.judged_participants as participants,
    q.people,
    round(q.minutes / 60.0, 1) as hours,
    q.judged_minutes as n,
    q.poor_minutes as poor,
    share_pct(q.poor_minutes, q.judged_minutes, $min_n) as poor_pct,
    round(100.0 * q.poor_minutes / nullif(q.all_poor_minutes, 0), 1) as of_all_poor_pct,
    share_pct(q.affected_participants, q.judged_participants, 10) as affected_pct,
    case when q.judged_participants >= 10 then round(abs(q.affected_low_pct), 1) end as affected_low_pct,
    case when q.judged_participants >= 10 then round(q.affected_high_pct, 1) end as affected_high_pct,
    case
        when q.judged_minutes < $min_n or q.judged_minutes = 0 then null
        when 100.0 * q.poor_minutes / q.judged_minutes >= l.status_critical_pct then 'critical'
        when 100.0 * q.poor_minutes / q.judged_minutes >= l.status_degraded_pct then 'degraded'
        else 'healthy'
    end as status,
    q.main_cause,
    round(q.delay_p50_ms, 0) as delay_p50_ms,
    round(q.delay_p95_ms, 0) as delay_p95_ms,
    round(q.loss_received_p95_pct, 1) as loss_in_p95_pct,
    round(q.loss_sent_p95_pct, 1) as loss_out_p95_pct,
    round(q.jitter_received_p95_ms, 0) as jitter_in_p95_ms,
    round(q.mos_p10_estimate, 2) as mos_p10,
    cast($profile as varchar) as profile
from quality_by(since := $since, until := $until, profile := $profile, dimension := $dimension) as q
cross join limits(profile := $profile) as l
order by q.poor_minutes desc, q.judged_minutes desc, q.dimension_value
limit cast($top as bigint)
