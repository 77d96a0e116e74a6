-- id: r03
-- title: Worst participants
-- question: Who has trouble again and again, from where, and what is it?
-- audience: help desk
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: profile text = cqd: Limits to judge by: cqd, strict, huawei-red or custom; the report threshold-sheet
--   lists them.
-- parameter: top integer = 20: Most rows shown.
-- parameter: min_n integer = 60: Fewer judged minutes show no share: it would be chance.
-- column: who: Id of the person or room.
-- column: name: Name, the latest seen.
-- column: kind: person, room or guest.
-- column: department: Department, the latest seen.
-- column: sessions: Participant rows with a judged minute.
-- column: days: Days with a judged minute.
-- column: days_affected: Days with at least one affected participation.
-- column: pattern: chronic: affected on three or more of some seven days in a row; repeated: on two or more days; once;
--   - without.
-- column: n min: Judged minutes.
-- column: poor min: Poor minutes.
-- column: poor_pct %: Their share; empty below min_n.
-- column: main_cause: Cause of most of them.
-- column: usual_site: Where from: site of the most minutes.
-- column: usual_network: Network of the most minutes.
-- column: usual_device: Device of the most minutes.
-- column: usual_version: App version of the most minutes.
-- column: profile: Limits used.
-- threshold: Verdicts by the chosen profile (table thresholds): delay, loss and jitter for audio, frame rate, else loss
--   for video, loss for sharing; a minute is poor where one of its streams is.
-- threshold: A participant is affected with more than 10 % poor minutes or an episode of three poor minutes in a row
--   (own choice).
-- threshold: Chronic: affected on three of seven days (own choice).
-- caveat: Minutes without bit rate or metric are unclassified and in no share; the report unclassified counts them.
-- caveat: The vendor tells loss for the whole connection, not for each medium.
-- caveat: Whom the vendor lists without id is one guest for each participation.
-- empty: Nobody had a poor minute in this window.
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
    select c.* from facts_causes as c where c.cause_no = 1
),

worst as (
    select
        a.*,
        row_number() over (order by a.poor desc, a.judged, a.who) as place
    from (
        select
            t.who,
            count(*) as sessions,
            count(distinct t.meeting_date) as days,
            count(distinct case when t.is_affected then t.meeting_date end) as days_affected,
            cast(sum(t.judged_minutes) as bigint) as judged,
            cast(sum(t.poor_minutes) as bigint) as poor
        from facts as t
        group by t.who
    ) as a
    where a.poor > 0
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
                partition by d.who order by d.meeting_date range between interval '6 days' preceding and current row
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
