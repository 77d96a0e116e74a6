-- id: r11
-- title: Proxy and protocol
-- question: How much worse are proxies and TCP than direct UDP from the same site?
-- audience: network team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: path: direct or proxy, and the transport protocol.
-- column: participants: Participant rows with at least one judged minute.
-- column: participants_pct %: Percentage of all participant rows.
-- column: people: Distinct people and rooms.
-- column: n min: Judged participant-minutes.
-- column: poor min: Poor minutes.
-- column: poor_pct %: Percentage of judged minutes that are poor; empty below min_n.
-- column: delay_p50_ms ms: Median delay.
-- column: delay_p95_ms ms: 95th percentile of delay.
-- column: same_sites: Sites with both this path and direct UDP.
-- column: excess_pp pp: Difference in poor share from direct UDP at the same sites, weighted (Mantel-Haenszel); empty
--   below min_n comparable minutes on either side.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: Use as few TCP streams as possible (Microsoft Quality of Experience Review guide).
-- caveat: People behind a proxy differ in more than the site from those who are not; the difference is a hint, not
--   proof.
-- caveat: Minutes that lack a bitrate or a required metric are unclassified and excluded from all percentages; see the
--   report unclassified.
-- empty: The window has no judged minutes.
-- table: path, people, n, poor, poor_pct, excess_pp | participants, participants_pct, delay_p50_ms, delay_p95_ms,
--   same_sites
-- next: report run by-egress
-- key: path
with sessions as (
    select
        d.dimension_value as path,
        f.site,
        f.who,
        v.judged_minutes,
        v.poor_minutes
    from participant_verdicts(since := $since, until := $until, profile := $profile) as v
    inner join dimension_values(since := $since, until := $until, dimension := 'path') as d
        on d.participant_key = v.participant_key and d.meeting_date = v.meeting_date
    inner join participant_facts as f on f.participant_key = v.participant_key and f.meeting_date = v.meeting_date
    where v.judged_minutes > 0
),

sites as (
    select
        s.path,
        s.site,
        cast(sum(s.judged_minutes) as double) as judged,
        cast(sum(s.poor_minutes) as double) as poor
    from sessions as s
    group by s.path, s.site
),

excess as (
    select
        a.path,
        count(*) as same_sites,
        sum(a.judged) as judged,
        sum(b.judged) as judged_direct,
        sum(a.judged * b.judged / (a.judged + b.judged) * (a.poor / a.judged - b.poor / b.judged))
            / sum(a.judged * b.judged / (a.judged + b.judged)) as difference
    from sites as a
    inner join sites as b on b.site = a.site and b.path = 'direct udp'
    where a.path <> 'direct udp'
    group by a.path
),

delays as (
    select
        c.path,
        counted_percentile(0.5, c.x, c.upto, c.n) as p50,
        counted_percentile(0.95, c.x, c.upto, c.n) as p95
    from (
        select
            u.path,
            u.x,
            sum(u.minutes) over (partition by u.path order by u.x) as upto,
            sum(u.minutes) over (partition by u.path) as n
        from (
            select
                d.dimension_value as path,
                m.delay_ms as x,
                cast(count(*) as double) as minutes
            from aligned_minutes(since := $since, until := $until) as m
            inner join dimension_values(since := $since, until := $until, dimension := 'path') as d
                on d.participant_key = m.participant_key and d.meeting_date = m.meeting_date
            group by d.dimension_value, m.delay_ms
        ) as u
        where u.x is not null
    ) as c
    group by c.path
)

select
    t.path,
    t.participants,
    round(100.0 * t.participants / sum(t.participants) over (), 1) as participants_pct,
    t.people,
    t.judged as n,
    t.poor,
    share_pct(t.poor, t.judged, $min_n) as poor_pct,
    round(y.p50, 0) as delay_p50_ms,
    round(y.p95, 0) as delay_p95_ms,
    e.same_sites,
    case when e.judged >= $min_n and e.judged_direct >= $min_n then round(100 * e.difference, 1) end as excess_pp,
    cast($profile as varchar) as profile
from (
    select
        s.path,
        count(*) as participants,
        count(distinct s.who) as people,
        cast(sum(s.judged_minutes) as bigint) as judged,
        cast(sum(s.poor_minutes) as bigint) as poor
    from sessions as s
    group by s.path
) as t
left join excess as e on e.path = t.path
left join delays as y on y.path = t.path
order by t.participants desc, t.path
