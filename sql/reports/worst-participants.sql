-- id: r03
-- title: Worst participants
-- question: Who repeatedly has poor quality, where, and why?
-- audience: help desk
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: top integer = 20: Maximum number of rows.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: who: ID of the person or room.
-- column: name: Latest known name.
-- column: kind: person, room or guest.
-- column: department: Latest known department.
-- column: sessions: Participant rows with at least one judged minute.
-- column: days: Days with at least one judged minute.
-- column: days_affected: Days with at least one affected participation.
-- column: pattern: chronic (affected on at least three of seven consecutive days), repeated (on at least two days),
--   once, or - if never affected.
-- column: n min: Judged minutes.
-- column: poor min: Poor minutes.
-- column: poor_pct %: Percentage of judged minutes that are poor; empty below min_n.
-- column: main_cause: Most frequent cause of poor minutes: metric and direction.
-- column: cpu min: CPU-limited minutes, poor or not; see cpu-hogs.
-- column: usual_site: Most frequent site, by minutes.
-- column: usual_network: Most frequent network type, by minutes.
-- column: usual_device: Most frequent device, by minutes.
-- column: usual_version: Most frequent app version, by minutes.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: A participant counts as affected if more than 10% of their minutes are poor or they have an episode of
--   three consecutive poor minutes (this project's choice).
-- threshold: Chronic: affected on three of seven consecutive days (this project's choice).
-- caveat: Minutes that lack a bitrate or a required metric are unclassified and excluded from all percentages; see the
--   report unclassified.
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- caveat: Participants that Feishu lists without an ID count as a separate guest for each participation.
-- caveat: Ranked by poor minutes; people with CPU-limited minutes only follow.
-- empty: Nobody had a poor minute in the window, and nobody had a CPU-limited one.
-- table: name, n, poor, poor_pct, main_cause, cpu, pattern, usual_site | days_affected, days, usual_network,
--   usual_device, usual_version, who, department, sessions, kind
-- next: report user {name|who}
-- key: who
with facts_causes as materialized (
    select
        v.participant_key,
        v.meeting_date,
        v.judged_minutes,
        v.poor_minutes,
        v.is_affected,
        v.cause,
        v.cause_minutes,
        v.cause_no,
        f.who,
        f.who_kind,
        f.participant_name,
        f.department,
        f.site,
        f.network_kind,
        f.device,
        f.app_version,
        f.join_time_utc
    from verdict_causes(since := $since, until := $until, profile := $profile) as v
    inner join participant_facts as f on f.participant_key = v.participant_key and f.meeting_date = v.meeting_date
    where v.judged_minutes > 0
),

facts as (
    select
        c.*,
        coalesce(u.minutes, 0) as cpu
    from facts_causes as c
    left join (
        select
            m.participant_key,
            count(*) as minutes
        from cpu_minutes(since := $since, until := $until, profile := $profile) as m
        group by m.participant_key
    ) as u on u.participant_key = c.participant_key
    where c.cause_no = 1
),

worst as (
    select
        a.*,
        row_number() over (order by a.poor desc, a.cpu desc, a.judged, a.sessions, a.first_join_utc, a.who) as place
    from (
        select
            t.who,
            count(*) as sessions,
            count(distinct t.meeting_date) as days,
            count(distinct case when t.is_affected then t.meeting_date end) as days_affected,
            cast(sum(t.judged_minutes) as bigint) as judged,
            cast(sum(t.poor_minutes) as bigint) as poor,
            cast(sum(t.cpu) as bigint) as cpu,
            min(t.join_time_utc) as first_join_utc
        from facts as t
        group by t.who
    ) as a
    where a.poor > 0 or a.cpu > 0
),

latest as (
    select
        t.who,
        t.who_kind,
        t.participant_name,
        t.department,
        row_number() over (partition by t.who order by t.join_time_utc desc, t.participant_key) as place
    from facts as t
),

usual as (
    select
        u.*,
        row_number() over (partition by u.who order by u.minutes desc, u.site, u.network_kind, u.device, u.app_version) as place
    from (
        select t.who, t.site, t.network_kind, t.device, t.app_version, sum(t.judged_minutes) as minutes
        from facts as t
        group by t.who, t.site, t.network_kind, t.device, t.app_version
    ) as u
),

spans as (
    select
        g.who,
        max(g.days_of_seven) as days_of_seven
    from (
        select
            d.who,
            count(*) over (
                partition by d.who order by epoch(d.meeting_date) range between 518400 preceding and current row
            ) as days_of_seven
        from (select distinct t.who, t.meeting_date from facts as t where t.is_affected) as d
    ) as g
    group by g.who
),

causes as (
    select
        c.who,
        c.cause,
        row_number() over (partition by c.who order by sum(c.cause_minutes) desc, c.cause) as place
    from facts_causes as c
    where c.cause is not null
    group by c.who, c.cause
)

select
    w.who,
    n.participant_name as name,
    n.who_kind as kind,
    n.department,
    w.sessions,
    w.days,
    w.days_affected,
    case
        when s.days_of_seven >= l.chronic_days then 'chronic'
        when w.days_affected >= 2 then 'repeated'
        when w.days_affected = 1 then 'once'
        else '-'
    end as pattern,
    w.judged as n,
    w.poor,
    share_pct(w.poor, w.judged, $min_n) as poor_pct,
    c.cause as main_cause,
    w.cpu,
    u.site as usual_site,
    u.network_kind as usual_network,
    u.device as usual_device,
    u.app_version as usual_version,
    cast($profile as varchar) as profile
from worst as w
cross join limits(profile := $profile) as l
inner join latest as n on n.who = w.who and n.place = 1
inner join usual as u on u.who = w.who and u.place = 1
left join spans as s on s.who = w.who
left join causes as c on c.who = w.who and c.place = 1
where w.place <= $top
order by w.place
