-- id: r15
-- title: App versions
-- question: Is a version worse than the previous one for the same people?
-- audience: workplace team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: version: App version.
-- column: participants: Participant rows with at least one judged minute.
-- column: people: Distinct people and rooms.
-- column: first_seen local: First day in the window on which the version was used.
-- column: last_seen local: Last day in the window on which the version was used.
-- column: n min: Judged participant-minutes.
-- column: poor min: Poor minutes.
-- column: poor_pct %: Percentage of judged minutes that are poor; empty below min_n.
-- column: status: healthy below 5% poor minutes, degraded below 20%, critical from 20%, empty below min_n; with an
--   incident at least degraded, with a critical one critical.
-- column: main_cause: Most frequent cause of poor minutes: metric and direction.
-- column: cpu min: CPU-limited minutes, poor or not; see cpu-hogs.
-- column: cpu_p95_pct %: 95th percentile of the app's peak CPU usage.
-- column: previous: Next lower version in the window.
-- column: pairs: People and rooms with judged minutes on both versions.
-- column: paired_change_pp pp: Mean change of their poor share compared with the previous version; positive means
--   worse; empty below 10 pairs.
-- column: t: Change in standard errors, by person; values of 3 and above are unlikely to be due to chance.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: Status: degraded from 5% poor minutes, critical from 20% (CQLens).
-- threshold: Incidents count for the status if they overlap the window and the profile is that of the store.
-- caveat: Feishu does not report release dates, so the age of a version is unknown.
-- caveat: Each person counts once, regardless of the number of minutes.
-- empty: The window has no judged minutes.
-- table: version, people, n, poor, poor_pct, status, main_cause | cpu, first_seen, last_seen, previous, paired_change_pp, t,
--   pairs, participants, cpu_p95_pct
-- next: report run devices
-- key: version
with judged as materialized (
    select
        v.participant_key,
        d.dimension_value as version,
        d.who,
        v.meeting_date,
        v.judged_minutes,
        v.poor_minutes,
        v.cause,
        v.cause_minutes,
        v.cause_no
    from verdict_causes(since := $since, until := $until, profile := $profile) as v
    inner join dimension_values(since := $since, until := $until, dimension := 'version') as d
        on d.participant_key = v.participant_key and d.meeting_date = v.meeting_date
),

sessions as (
    select
        j.version,
        j.who,
        j.meeting_date,
        cast(j.judged_minutes as double) as judged,
        cast(j.poor_minutes as double) as poor
    from judged as j
    where j.cause_no = 1
        and j.judged_minutes > 0
),

versions as (
    select
        t.*,
        lag(t.version) over (order by t.part_1, t.part_2, t.part_3, t.version) as previous
    from (
        select
            s.version,
            count(*) as participants,
            count(distinct s.who) as people,
            min(s.meeting_date) as first_seen,
            max(s.meeting_date) as last_seen,
            cast(sum(s.judged) as bigint) as judged,
            cast(sum(s.poor) as bigint) as poor,
            try_cast(split_part(s.version, '.', 1) as integer) as part_1,
            try_cast(split_part(s.version, '.', 2) as integer) as part_2,
            try_cast(split_part(split_part(s.version, '.', 3), '-', 1) as integer) as part_3
        from sessions as s
        group by s.version
    ) as t
),

people as (
    select s.version, s.who, sum(s.poor) / sum(s.judged) as share
    from sessions as s
    group by s.version, s.who
),

pairs as (
    select
        v.version,
        count(*) as pairs,
        avg(a.share - b.share) as change,
        stddev_samp(a.share - b.share) / sqrt(count(*)) as error
    from versions as v
    inner join people as a on a.version = v.version
    inner join people as b on b.version = v.previous and b.who = a.who
    group by v.version
),

causes as (
    select
        j.version,
        j.cause,
        row_number() over (partition by j.version order by sum(j.cause_minutes) desc, j.cause) as place
    from judged as j
    where j.cause is not null
    group by j.version, j.cause
),

processor as (
    select
        c.version,
        counted_percentile(0.95, c.x, c.upto, c.n) as p95
    from (
        select
            u.version,
            u.x,
            sum(u.minutes) over (partition by u.version order by u.x) as upto,
            sum(u.minutes) over (partition by u.version) as n
        from (
            select
                j.version,
                q.client_max_cpu_usage_pct as x,
                cast(count(*) as double) as minutes
            from quality_samples as q
            inner join judged as j
                on j.participant_key = q.participant_key
                and j.meeting_date = q.meeting_date
                and j.cause_no = 1
            where q.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
                and q.meeting_date < coalesce(cast($until as date), date '9999-12-31')
            group by j.version, q.client_max_cpu_usage_pct
        ) as u
        where u.x is not null
    ) as c
    group by c.version
)

select
    v.version,
    v.participants,
    v.people,
    v.first_seen,
    v.last_seen,
    v.judged as n,
    v.poor,
    share_pct(v.poor, v.judged, $min_n) as poor_pct,
    worse_status(
        v.poor, v.judged, $min_n, l.status_degraded_pct, l.status_critical_pct, i.incident_status
    ) as status,
    y.cause as main_cause,
    coalesce(u.minutes, 0) as cpu,
    round(c.p95, 0) as cpu_p95_pct,
    v.previous,
    coalesce(p.pairs, 0) as pairs,
    case when p.pairs >= 10 then round(100 * p.change, 1) end as paired_change_pp,
    case when p.pairs >= 10 and p.error > 0 then round(p.change / p.error, 1) end as t,
    cast($profile as varchar) as profile
from versions as v
cross join limits(profile := $profile) as l
left join pairs as p on p.version = v.version
left join processor as c on c.version = v.version
left join (
    select
        j.version,
        count(*) as minutes
    from cpu_minutes(since := $since, until := $until, profile := $profile) as m
    inner join judged as j
        on j.participant_key = m.participant_key
        and j.meeting_date = m.meeting_date
        and j.cause_no = 1
    group by j.version
) as u on u.version = v.version
left join causes as y on y.version = v.version and y.place = 1
left join incident_statuses(since := $since, until := $until, profile := $profile, dimension := 'app_version') as i
    on i.dimension_value = v.version
order by v.part_1 desc nulls last, v.part_2 desc, v.part_3 desc, v.version desc
