-- id: r19
-- title: Significant changes
-- question: What got significantly better or worse compared with the previous days?
-- audience: IT lead
-- parameter: until date: End date (exclusive) of the later period. Default: the day after the latest meeting date.
-- parameter: days integer = 7: Length of each of the two periods, in days.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 300: No verdict with fewer than this many judged minutes in either period.
-- parameter: top integer = 20: Maximum number of rows.
-- column: dimension: Dimension that was compared.
-- column: value: Dimension value.
-- column: verdict: worse, better, no clear change or too few.
-- column: now_pct %: Percentage of poor participant-minutes in the later period; empty below min_n.
-- column: before_pct %: Percentage of poor participant-minutes in the earlier period; empty below min_n.
-- column: change_pp pp: now_pct minus before_pct.
-- column: z: Change in standard errors, clustered by person or room; empty below 10 of them in either period.
-- column: n_now min: Judged minutes in the later period.
-- column: n_before min: Judged minutes in the earlier period.
-- column: people_now: Distinct people and rooms in the later period.
-- column: people_before: Distinct people and rooms in the earlier period.
-- column: part_of_change_pp pp: Contribution to the change in the overall poor share: poor minutes of this value
--   divided by all judged minutes, later minus earlier.
-- column: held_days: Number of days that both periods hold; only these are compared.
-- column: period_days: Number of days of each period.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: A change is significant from 3 standard errors and 0.5 percentage points, with min_n judged minutes in
--   both periods (this project's choice).
-- caveat: The standard error is computed for a ratio over people and rooms because the minutes of one person are
--   correlated. People present in both periods make it slightly too large, so the test is conservative.
-- caveat: A day is held if it has meetings or a complete run covers it. Days of the two periods are paired in order,
--   the first with the first.
-- caveat: About thirty comparisons are made at once; at 3 standard errors, about one report in ten shows a change that
--   is due to chance.
-- caveat: Minutes that lack a bitrate or a required metric are unclassified and excluded from all percentages; see the
--   report unclassified.
-- empty: The later period has no judged minutes, or the store has too few days for two periods.
-- table: dimension, value, verdict, now_pct, before_pct, change_pp | held_days, people_now, people_before, n_now, n_before, z,
--   part_of_change_pp, period_days
-- next: report run daily-summary
-- key: dimension, value
with ends as (
    select coalesce(cast($until as date), k.last_date + 1) as until_date
    from (select max(g.meeting_date) as last_date from meetings as g) as k
),

-- The days of the later period whose counterpart is held too, and these counterparts.
pairs as materialized (
    select
        a.date as meeting_date,
        b.date as before_date
    from held_dates as a
    cross join ends as e
    inner join held_dates as b on b.date = a.date - cast($days as integer)
    where a.date < e.until_date
        and a.date >= e.until_date - cast($days as integer)
),

held_pairs as (
    select p.meeting_date, 1 as is_now from pairs as p
    union all
    select p.before_date as meeting_date, 0 as is_now from pairs as p
),

clusters as (
    select
        s.dimension,
        case s.dimension
            when 'all' then 'all'
            when 'site' then f.site
            when 'network' then f.network_kind
            when 'protocol' then f.protocol
            when 'version' then f.app_version
            when 'device' then f.device
            when 'location' then f.location
            when 'department' then f.department
            when 'kind' then f.who_kind
        end as value,
        t.is_now,
        f.who,
        cast(sum(m.judged) as double) as judged,
        cast(sum(m.poor) as double) as poor
    from (
        select
            q.participant_key,
            q.meeting_date,
            count(q.is_poor) as judged,
            count(*) filter (where q.is_poor) as poor
        from quality_minutes(
            since := cast($until as date) - 2 * cast($days as integer), until := $until, profile := $profile
        ) as q
        group by q.participant_key, q.meeting_date
    ) as m
    inner join participant_facts as f on f.participant_key = m.participant_key and f.meeting_date = m.meeting_date
    inner join held_pairs as t on t.meeting_date = m.meeting_date
    cross join (
        select 'all' as dimension
        union all select 'site' as dimension
        union all select 'network' as dimension
        union all select 'protocol' as dimension
        union all select 'version' as dimension
        union all select 'device' as dimension
        union all select 'location' as dimension
        union all select 'department' as dimension
        union all select 'kind' as dimension
    ) as s
    where m.judged > 0
    group by 1, 2, 3, 4
),

shares as (
    select
        c.*,
        sum(c.judged) over (partition by c.dimension, c.value, c.is_now) as all_judged,
        sum(c.poor) over (partition by c.dimension, c.value, c.is_now) as all_poor,
        sum(c.judged) over (partition by c.dimension, c.is_now) as dimension_judged
    from clusters as c
    where c.value is not null
),

sides as (
    select
        s.dimension,
        s.value,
        s.is_now,
        max(s.all_judged) as judged,
        max(s.all_poor) as poor,
        max(s.all_poor / s.all_judged) as share,
        max(s.all_poor / s.dimension_judged) as part,
        count(*) as people,
        case when count(*) >= 10 then
            sum(power(s.poor - s.all_poor / s.all_judged * s.judged, 2)) / power(max(s.all_judged), 2) * count(*) / (count(*) - 1)
        end as variance
    from shares as s
    group by s.dimension, s.value, s.is_now
),

compared as (
    select
        a.dimension,
        a.value,
        a.judged as judged_now,
        coalesce(b.judged, 0) as judged_before,
        a.people as people_now,
        coalesce(b.people, 0) as people_before,
        100 * a.share as now_pct,
        100 * b.share as before_pct,
        100 * (a.share - b.share) as change_pp,
        100 * (a.part - coalesce(b.part, 0)) as part_of_change_pp,
        case when a.variance + b.variance > 0 then (a.share - b.share) / sqrt(a.variance + b.variance) end as z
    from sides as a
    left join sides as b on b.dimension = a.dimension and b.value = a.value and b.is_now = 0
    where a.is_now = 1
)

select
    r.dimension,
    r.value,
    r.verdict,
    case when r.judged_now >= $min_n then round(r.now_pct, 1) end as now_pct,
    case when r.judged_before >= $min_n then round(r.before_pct, 1) end as before_pct,
    case when r.judged_now >= $min_n and r.judged_before >= $min_n then round(r.change_pp, 1) end as change_pp,
    round(r.z, 1) as z,
    cast(r.judged_now as bigint) as n_now,
    cast(r.judged_before as bigint) as n_before,
    r.people_now,
    r.people_before,
    round(r.part_of_change_pp, 2) as part_of_change_pp,
    h.days as held_days,
    cast($days as bigint) as period_days,
    cast($profile as varchar) as profile
from (
    select
        p.*,
        case
            when p.judged_now < $min_n or p.judged_before < $min_n or p.z is null then 'too few'
            when abs(p.z) >= l.trend_z and p.change_pp >= l.trend_change_pp then 'worse'
            when abs(p.z) >= l.trend_z and p.change_pp <= -l.trend_change_pp then 'better'
            else 'no clear change'
        end as verdict,
        row_number() over (
            order by case when p.dimension = 'all' then 0 else 1 end, abs(p.part_of_change_pp) desc, p.dimension, p.value
        ) as place
    from compared as p
    cross join limits(profile := $profile) as l
) as r
cross join (select count(*) as days from pairs as p) as h
where r.place <= $top or r.verdict in ('worse', 'better')
order by case when r.dimension = 'all' then 0 else 1 end,
    case r.verdict when 'worse' then 0 when 'better' then 1 when 'no clear change' then 2 else 3 end,
    abs(r.part_of_change_pp) desc, r.dimension, r.value
