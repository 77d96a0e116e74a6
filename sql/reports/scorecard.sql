-- id: r25
-- title: Scorecard
-- question: How was this period compared with the targets and the previous period?
-- audience: management
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: before_since date: Start date (inclusive) of the previous period. Default: directly before since, same
--   length.
-- parameter: before_until date: End date (exclusive) of the previous period. Default: same length as the period.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: measure: poor_minutes, poor_audio_streams, affected_participants, poor_meetings, meetings, participants,
--   hours, mos_p50, mos_p10 (MOS est.), unclassified, coverage (of minutes that can be requested) or covered (of all
--   expected minutes).
-- column: value: Value of the measure in the given unit; empty if n is too small.
-- column: unit: Unit: %, h or MOS est.; empty for a count.
-- column: n: Sample size for value: judged minutes, streams, participants or meetings; minutes in the store; or
--   coverage rows.
-- column: before: Value of the measure in the previous period, on the days that both periods hold.
-- column: before_n: Sample size for before.
-- column: change: Difference to before on the days that both periods hold; in percentage points if the unit is %.
-- column: held_days: Days that both periods hold: each is counted from the first day of its period. Empty without since.
-- column: period_days: Days of the period. Empty without since.
-- column: target: Target: a maximum, except for coverage, where it is a minimum.
-- column: verdict: met or missed; empty without a target or a value.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: A participant counts as affected if more than 10% of their minutes are poor or they have an episode of
--   three consecutive poor minutes (this project's choice).
-- threshold: Targets: 3% poor audio streams overall (Microsoft Quality of Experience Review guide); 98% coverage (this
--   project's choice).
-- caveat: Minutes that lack a bitrate or a required metric are unclassified and excluded from all percentages; see the
--   report unclassified.
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- caveat: MOS is estimated from delay, jitter and loss; it is not measured. p10 is the 10th percentile over minutes.
-- caveat: A difference of 0.1 percentage points may be due to chance because the minutes of one person are not
--   independent; see trend-regression.
-- caveat: Percentages are hidden below 30 streams, 10 participants or 5 meetings.
-- empty: The window has no data.
-- next: report run worst-meetings
-- key: measure
with windows as (
    select
        v.first_day,
        v.end_day,
        coalesce(cast($before_since as date), v.first_day - cast(v.end_day - v.first_day as integer)) as before_first_day,
        coalesce(
            cast($before_until as date),
            case when $before_since is null then v.first_day
                else cast($before_since as date) + cast(v.end_day - v.first_day as integer) end
        ) as before_end_day
    from (
        select
            cast($since as date) as first_day,
            coalesce(cast($until as date), (select max(c.meeting_date) + 1 from coverage as c)) as end_day
    ) as v
),

-- Without since there is no earlier period, so nothing is held.
held as materialized (
    select
        coalesce(string_agg(cast(d.date as varchar), ','), '') as dates,
        coalesce(string_agg(cast(d.before_date as varchar), ','), '') as before_dates,
        count(d.date) as held_days
    from windows as w
    left join held_days(
        since := (select x.first_day from windows as x),
        until := (select x.end_day from windows as x),
        before_since := (select x.before_first_day from windows as x),
        before_until := (select x.before_end_day from windows as x)
    ) as d on true
),

totals as materialized (
    select t.*
    from held_totals(
        since := $since,
        until := $until,
        profile := $profile,
        on_dates := (select h.dates from held as h)
    ) as t
)

select
    m.measure,
    round(m.value, 2) as value,
    m.unit,
    m.n,
    round(m.before, 2) as before,
    m.before_n,
    round(m.held_value - m.before, 2) as change,
    m.held_days,
    m.period_days,
    m.target,
    case
        when m.target is null or m.value is null then null
        when m.at_least then case when m.value < m.target then 'missed' else 'met' end
        when m.value > m.target then 'missed'
        else 'met'
    end as verdict,
    cast($profile as varchar) as profile
from (
    select
        k.place,
        k.measure,
        k.unit,
        case k.measure
            when 'poor_minutes' then share_pct(a.poor_minutes, a.judged_minutes, $min_n)
            when 'poor_audio_streams' then share_pct(a.poor_streams, a.judged_streams, 30)
            when 'affected_participants' then share_pct(a.affected_participants, a.judged_participants, 10)
            when 'poor_meetings' then a.poor_meetings
            when 'meetings' then a.meetings
            when 'participants' then a.participants
            when 'hours' then round(a.minutes / 60.0, 1)
            when 'mos_p50' then case when a.mos_minutes >= $min_n then round(a.mos_p50, 2) end
            when 'mos_p10' then case when a.mos_minutes >= $min_n then round(a.mos_p10, 2) end
            when 'unclassified' then share_pct(a.minutes - a.judged_minutes, a.minutes, $min_n)
            when 'coverage' then round(a.askable_pct, 1)
            when 'covered' then round(a.covered_pct, 1)
        end as value,
        case k.measure
            when 'poor_minutes' then share_pct(h.poor_minutes, h.judged_minutes, $min_n)
            when 'poor_audio_streams' then share_pct(h.poor_streams, h.judged_streams, 30)
            when 'affected_participants' then share_pct(h.affected_participants, h.judged_participants, 10)
            when 'poor_meetings' then h.poor_meetings
            when 'meetings' then h.meetings
            when 'participants' then h.participants
            when 'hours' then round(h.minutes / 60.0, 1)
            when 'mos_p50' then case when h.mos_minutes >= $min_n then round(h.mos_p50, 2) end
            when 'mos_p10' then case when h.mos_minutes >= $min_n then round(h.mos_p10, 2) end
            when 'unclassified' then share_pct(h.minutes - h.judged_minutes, h.minutes, $min_n)
            when 'coverage' then round(h.askable_pct, 1)
            when 'covered' then round(h.covered_pct, 1)
        end as held_value,
        case k.measure
            when 'poor_minutes' then a.judged_minutes
            when 'poor_audio_streams' then a.judged_streams
            when 'affected_participants' then a.judged_participants
            when 'poor_meetings' then a.judged_meetings
            when 'mos_p50' then a.mos_minutes
            when 'mos_p10' then a.mos_minutes
            when 'unclassified' then a.minutes
            when 'coverage' then a.coverage_rows
            when 'covered' then a.coverage_rows
        end as n,
        case k.measure
            when 'poor_minutes' then share_pct(b.poor_minutes, b.judged_minutes, $min_n)
            when 'poor_audio_streams' then share_pct(b.poor_streams, b.judged_streams, 30)
            when 'affected_participants' then share_pct(b.affected_participants, b.judged_participants, 10)
            when 'poor_meetings' then case when b.coverage_rows > 0 then b.poor_meetings end
            when 'meetings' then case when b.coverage_rows > 0 then b.meetings end
            when 'participants' then case when b.coverage_rows > 0 then b.participants end
            when 'hours' then case when b.coverage_rows > 0 then round(b.minutes / 60.0, 1) end
            when 'mos_p50' then case when b.mos_minutes >= $min_n then round(b.mos_p50, 2) end
            when 'mos_p10' then case when b.mos_minutes >= $min_n then round(b.mos_p10, 2) end
            when 'unclassified' then share_pct(b.minutes - b.judged_minutes, b.minutes, $min_n)
            when 'coverage' then round(b.askable_pct, 1)
            when 'covered' then round(b.covered_pct, 1)
        end as before,
        case k.measure
            when 'poor_minutes' then b.judged_minutes
            when 'poor_audio_streams' then b.judged_streams
            when 'affected_participants' then b.judged_participants
            when 'poor_meetings' then b.judged_meetings
            when 'mos_p50' then b.mos_minutes
            when 'mos_p10' then b.mos_minutes
            when 'unclassified' then b.minutes
            when 'coverage' then b.coverage_rows
            when 'covered' then b.coverage_rows
        end as before_n,
        case k.measure
            when 'poor_audio_streams' then l.target_overall_pct
            when 'coverage' then l.coverage_gate_pct
        end as target,
        k.measure = 'coverage' as at_least,
        case when $since is not null then e.held_days end as held_days,
        (select cast(w.end_day - w.first_day as bigint) from windows as w) as period_days
    from (
                  select 1 as place, 'poor_minutes' as measure, '%' as unit
        union all select 2, 'poor_audio_streams', '%'
        union all select 3, 'affected_participants', '%'
        union all select 4, 'poor_meetings', null
        union all select 5, 'meetings', null
        union all select 6, 'participants', null
        union all select 7, 'hours', 'h'
        union all select 8, 'mos_p50', 'MOS est.'
        union all select 9, 'mos_p10', 'MOS est.'
        union all select 10, 'unclassified', '%'
        union all select 11, 'coverage', '%'
        union all select 12, 'covered', '%'
    ) as k
    inner join totals as a on not a.is_held
    inner join totals as h on h.is_held
    cross join period_totals(
        since := (select w.before_first_day from windows as w),
        until := (select w.before_end_day from windows as w),
        profile := $profile,
        on_dates := (select h.before_dates from held as h)
    ) as b
    cross join held as e
    cross join limits(profile := $profile) as l
    where a.coverage_rows > 0
) as m
order by m.place
