-- id: r02
-- title: Worst meetings
-- question: Which meetings lost most participant-minutes to poor quality, and to what?
-- audience: help desk
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: profile text = cqd: Limits to judge by: cqd, strict, huawei-red or custom; the report threshold-sheet
--   lists them.
-- parameter: top integer = 20: Most rows shown.
-- parameter: min_n integer = 60: Fewer judged minutes show no share: it would be chance.
-- column: start: Start on the wall clock that the vendor printed.
-- column: meeting_no: Meeting number; it recurs.
-- column: topic: Topic.
-- column: organizer: Who organised it.
-- column: participants: Participant rows with at least one judged minute.
-- column: affected: Affected participants.
-- column: n min: Participant-minutes that could be judged.
-- column: poor min: Poor participant-minutes.
-- column: poor_pct %: Their share; empty below min_n.
-- column: verdict: poor where at least two, and 20 % of the, participants are affected; else passable.
-- column: main_cause: Cause of most poor minutes.
-- column: main_cause_pct %: Its share of the poor minutes; empty where these are fewer than min_n.
-- column: peak: Most participants with a poor minute at once.
-- column: peak_at: When that was, on the wall clock.
-- column: mos_p10 MOS est.: Opinion score that 10 % of the received audio minutes are below.
-- column: profile: Limits used.
-- threshold: Verdicts by the chosen profile (table thresholds): delay, loss and jitter for audio, frame rate, else loss
--   for video, loss for sharing; a minute is poor where one of its streams is.
-- threshold: A participant is affected with more than 10 % poor minutes or an episode of three poor minutes in a row
--   (own choice).
-- caveat: Minutes without bit rate or metric are unclassified and in no share; the report unclassified counts them.
-- caveat: The vendor tells loss for the whole connection, not for each medium.
-- caveat: The opinion score is an estimate from delay, jitter and loss, not measured.
-- caveat: Ranked by poor minutes, so a large meeting comes before a small one that was worse: see poor_pct.
-- empty: No meeting of this window has a poor minute.
with caused as materialized (
    select r.* from caused_minutes(since := $since, until := $until, profile := $profile) as r
),

people as (
    select
        m.participant_key,
        m.meeting_key,
        m.meeting_date,
        sum(m.judged_minutes) as judged_minutes,
        sum(m.poor_minutes) as poor_minutes,
        count(*) filter (where m.minute_utc = m.stretch_first_utc and m.stretch_minutes >= l.episode_min_minutes) as episodes,
        max(l.participant_poor_minutes_pct) as max_poor_pct,
        max(l.meeting_affected_participants) as least_affected,
        max(l.meeting_affected_pct) as least_affected_pct
    from caused as m
    cross join limits(profile := $profile) as l
    group by m.participant_key, m.meeting_key, m.meeting_date
),

worst as materialized (
    select
        t.*,
        t.affected >= t.least_affected and 100.0 * t.affected / nullif(t.judged, 0) >= t.least_affected_pct as is_poor,
        row_number() over (order by t.poor_minutes desc, t.judged_minutes, t.meeting_key) as place
    from (
        select
            p.meeting_key,
            p.meeting_date,
            count(*) filter (where p.judged_minutes > 0) as judged,
            count(*) filter (where affected_by(p.judged_minutes, p.poor_minutes, p.episodes, p.max_poor_pct)) as affected,
            cast(sum(p.judged_minutes) as bigint) as judged_minutes,
            cast(sum(p.poor_minutes) as bigint) as poor_minutes,
            max(p.least_affected) as least_affected,
            max(p.least_affected_pct) as least_affected_pct
        from people as p
        group by p.meeting_key, p.meeting_date
    ) as t
    where t.poor_minutes > 0
    order by place
    limit cast($top as bigint)
),

causes as (
    select
        b.meeting_key,
        b.cause,
        count(*) as minutes,
        row_number() over (partition by b.meeting_key order by count(*) desc, b.cause) as place
    from caused as b
    where b.cause is not null
    group by b.meeting_key, b.cause
),

peaks as (
    select
        b.meeting_key,
        b.minute_local,
        count(*) as participants,
        row_number() over (partition by b.meeting_key order by count(*) desc, b.minute_local) as place
    from caused as b
    where b.cause is not null
    group by b.meeting_key, b.minute_local
)

select
    k.start_time_local as start,
    k.meeting_no,
    k.meeting_topic as topic,
    k.organizer,
    r.judged as participants,
    r.affected as affected,
    r.judged_minutes as n,
    r.poor_minutes as poor,
    share_pct(r.poor_minutes, r.judged_minutes, $min_n) as poor_pct,
    case when r.is_poor then 'poor' else 'passable' end as verdict,
    c.cause as main_cause,
    round(share_pct(c.minutes, r.poor_minutes, $min_n), 0) as main_cause_pct,
    p.participants as peak,
    p.minute_local as peak_at,
    round(q.mos_p10, 2) as mos_p10,
    cast($profile as varchar) as profile
from worst as r
left join meetings as k on k.meeting_key = r.meeting_key and k.meeting_date = r.meeting_date
left join causes as c on c.meeting_key = r.meeting_key and c.place = 1
left join peaks as p on p.meeting_key = r.meeting_key and p.place = 1
left join (
    select
        b.meeting_key,
        percentile_cont(0.1) within group (order by b.mos_received_estimate) as mos_p10
    from quality_minutes(since := $since, until := $until, profile := $profile) as b
    inner join worst as w on w.meeting_key = b.meeting_key and w.meeting_date = b.meeting_date
    group by b.meeting_key
) as q on q.meeting_key = r.meeting_key
order by r.place
