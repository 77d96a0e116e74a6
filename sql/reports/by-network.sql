-- id: r10
-- title: By kind of network
-- question: How much worse are wifi and cellular than cable, and do they meet their targets?
-- audience: network team
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: profile text = cqd: Limits to judge by: cqd, strict, huawei-red or custom; the report threshold-sheet
--   lists them.
-- parameter: top integer = 50: Most rows shown.
-- parameter: min_n integer = 60: Fewer judged minutes show no share: it would be chance.
-- column: network: Which one; unknown where nothing is known.
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
-- column: allowed_pct %: Target: at most so many poor audio streams.
-- column: audio_streams_pct %: Poor audio streams, averaged first and then judged; empty below 30.
-- column: streams: Judged audio streams.
-- column: profile: Limits used.
-- threshold: Verdicts by the chosen profile (table thresholds): delay, loss and jitter for audio, frame rate, else loss
--   for video, loss for sharing; a minute is poor where one of its streams is.
-- threshold: A participant is affected with more than 10 % poor minutes or an episode of three poor minutes in a row
--   (own choice).
-- threshold: Status from 5 % and 20 % poor minutes (CQLens).
-- threshold: Targets: wired 1 %, wifi 2 %, else 3 % poor audio streams (Microsoft Quality of Experience Review guide).
-- caveat: Minutes without bit rate or metric are unclassified and in no share; the report unclassified counts them.
-- caveat: The vendor tells loss for the whole connection, not for each medium.
-- caveat: The opinion score is an estimate from delay, jitter and loss, not measured.
-- caveat: The guide tells 5 GHz (as wired) from 2.4 GHz; the vendor only says wifi.
-- empty: Nothing was judged in this window.
select
    q.dimension_value as network,
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
    case q.dimension_value
        when 'wired' then l.target_wired_pct
        when 'wifi' then l.target_wifi_pct
        else l.target_overall_pct
    end as allowed_pct,
    case
        when s.streams < 30 then null
        else round(100.0 * s.poor_streams / s.streams, 1)
    end as audio_streams_pct,
    s.streams,
    cast($profile as varchar) as profile
from quality_by(since := $since, until := $until, profile := $profile, dimension := 'network') as q
cross join limits(profile := $profile) as l
left join (
    select
        d.dimension_value,
        count(*) as streams,
        count(*) filter (where v.verdict = 'poor') as poor_streams
    from audio_stream_verdicts(since := $since, until := $until, profile := $profile) as v
    inner join dimension_values(since := $since, until := $until, dimension := 'network') as d
        on d.participant_key = v.participant_key and d.meeting_date = v.meeting_date
    where v.verdict <> 'unclassified'
    group by d.dimension_value
) as s on s.dimension_value = q.dimension_value
order by q.poor_minutes desc, q.judged_minutes desc, q.dimension_value
limit cast($top as bigint)
