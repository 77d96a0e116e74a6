-- id: r27
-- title: Outages
-- question: When did several people or rooms at one site have an outage, and what did they have in common?
-- audience: network team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: top integer = 20: Maximum number of rows.
-- parameter: min_participants integer = 2: Minimum number of people and rooms in an outage; one in two
--   meetings counts once.
-- column: start local: First minute, local time.
-- column: minutes min: Duration from the first to the last minute.
-- column: site: Building, or subnet if the building is unknown.
-- column: participants: Participant rows with an episode in the outage.
-- column: people: Distinct people and rooms.
-- column: meetings: Distinct meetings.
-- column: poor min: Poor minutes in these episodes.
-- column: other_sites: Other sites with an outage (of at least min_participants) at the same time; if above 0, look for
--   a shared cause.
-- column: common: What the episodes have in common: one meeting, one person or the site, and the public network,
--   network type or app version if it is the same for all.
-- column: main_cause: Most frequent cause of poor minutes: metric and direction.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: Episode: three consecutive poor minutes (this project's choice, based on Circuit's three samples).
-- caveat: Overlapping episodes at one site count as one outage; at a large unmapped site (home networks) they may be
--   unrelated.
-- caveat: An outage at several sites appears as several rows with the same start.
-- empty: No two people or rooms at one site had overlapping episodes in the window; try min_participants=1.
-- table: start, minutes, site, people, meetings, poor, main_cause | common, participants, other_sites
-- next: report run by-site
-- key: start, site
with stretches as materialized (
    select m.*
    from caused_minutes(since := $since, until := $until, profile := $profile) as m
    cross join limits(profile := $profile) as l
    where m.stretch_minutes >= l.episode_min_minutes
),

hits as materialized (
    select
        e.participant_key,
        e.meeting_key,
        e.meeting_date,
        e.stretch_first_utc as first_minute_utc,
        e.stretch_first_utc + (e.stretch_minutes - 1) * interval '1 minute' as last_minute_utc,
        e.stretch_first_local as first_minute_local,
        e.stretch_minutes as minutes,
        f.who,
        f.site,
        f.egress,
        f.network_kind,
        f.app_version
    from stretches as e
    inner join participant_facts as f on f.participant_key = e.participant_key and f.meeting_date = e.meeting_date
    where e.minute_utc = e.stretch_first_utc
),

begun as (
    select
        h.*,
        case
            when h.first_minute_utc <= max(h.last_minute_utc) over (
                partition by h.site order by h.first_minute_utc, h.last_minute_utc, h.participant_key
                rows between unbounded preceding and 1 preceding
            ) then 0
            else 1
        end as is_first
    from hits as h
),

numbered as (
    select
        b.*,
        sum(b.is_first) over (
            partition by b.site order by b.first_minute_utc, b.last_minute_utc, b.participant_key rows unbounded preceding
        ) as outage_no
    from begun as b
),

outages as (
    select
        n.site,
        n.outage_no,
        min(n.first_minute_utc) as first_minute_utc,
        max(n.last_minute_utc) as last_minute_utc,
        min(n.first_minute_local) as start,
        count(distinct n.participant_key) as participants,
        count(distinct n.who) as people,
        count(distinct n.meeting_key) as meetings,
        count(distinct n.egress) as egresses,
        max(n.egress) as egress,
        count(distinct n.network_kind) as networks,
        max(n.network_kind) as network_kind,
        count(distinct n.app_version) as versions,
        max(n.app_version) as app_version,
        cast(sum(n.minutes) as bigint) as poor
    from numbered as n
    group by n.site, n.outage_no
),

causes as (
    select
        x.site,
        x.outage_no,
        x.cause,
        row_number() over (partition by x.site, x.outage_no order by x.minutes desc, x.cause) as place
    from (
        select n.site, n.outage_no, p.cause, count(*) as minutes
        from numbered as n
        inner join stretches as p on p.participant_key = n.participant_key and p.stretch_first_utc = n.first_minute_utc
        group by n.site, n.outage_no, p.cause
    ) as x
)

select
    r.start,
    r.minutes,
    r.site,
    r.participants,
    r.people,
    r.meetings,
    r.poor,
    r.other_sites,
    r.common,
    c.cause as main_cause,
    cast($profile as varchar) as profile
from (
    select
        o.*,
        cast((epoch(o.last_minute_utc) - epoch(o.first_minute_utc)) / 60 + 1 as bigint) as minutes,
        case
            when o.people = 1 then 'one person'
            when o.meetings = 1 then 'one meeting'
            else 'site'
        end
        || case when o.people > 1 and o.egresses = 1 then ', all by ' || o.egress else '' end
        || case when o.people > 1 and o.networks = 1 then ', ' || o.network_kind else '' end
        || case when o.people > 1 and o.versions = 1 then ', version ' || o.app_version else '' end as common,
        coalesce(w.other_sites, 0) as other_sites,
        row_number() over (order by o.poor desc, o.start, o.site) as place
    from outages as o
    left join (
        select
            a.site,
            a.outage_no,
            count(distinct b.site) as other_sites
        from outages as a
        inner join outages as b
            on b.site <> a.site
            and b.first_minute_utc <= a.last_minute_utc
            and b.last_minute_utc >= a.first_minute_utc
        where a.people >= $min_participants
            and b.people >= $min_participants
        group by a.site, a.outage_no
    ) as w on w.site = o.site and w.outage_no = o.outage_no
    where o.people >= $min_participants
) as r
left join causes as c on c.site = r.site and c.outage_no = r.outage_no and c.place = 1
where r.place <= $top
order by r.place
