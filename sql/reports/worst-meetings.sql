-- id: r02
-- title: Worst meetings
-- question: Which meetings had the most poor participant-minutes, and why?
-- audience: help desk
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: top integer = 20: Maximum number of rows.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: start local: Meeting start, local time as reported by Feishu.
-- column: meeting_no: Meeting number; numbers are reused.
-- column: topic: Meeting topic.
-- column: organizer: Meeting organiser.
-- column: participants: Participant rows with at least one judged minute.
-- column: affected: Affected participants.
-- column: n min: Judged participant-minutes.
-- column: poor min: Poor participant-minutes.
-- column: poor_pct %: Percentage of judged minutes that are poor; empty below min_n.
-- column: verdict: poor if at least two participants, and at least 20% of them, are affected; otherwise passable.
-- column: main_cause: Most frequent cause of poor minutes: metric and direction.
-- column: main_cause_pct %: Percentage of poor minutes with the main cause; empty below min_n poor minutes.
-- column: cpu min: CPU-limited minutes, poor or not; see cpu-hogs.
-- column: peak: Maximum number of participants with poor quality in the same minute.
-- column: peak_at local: Local time of the peak.
-- column: mos_p10 MOS est.: MOS estimate, 10th percentile of received audio minutes.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: A participant counts as affected if more than 10% of their minutes are poor or they have an episode of
--   three consecutive poor minutes (this project's choice).
-- caveat: Minutes that lack a bitrate or a required metric are unclassified and excluded from all percentages; see the
--   report unclassified.
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- caveat: MOS is estimated from delay, jitter and loss; it is not measured.
-- caveat: Ranked by number of poor minutes, so a large meeting ranks above a small one with a higher percentage: check
--   poor_pct.
-- empty: No meeting in the window has a poor minute.
-- table: start, topic, poor, poor_pct, main_cause, affected, participants | cpu, n, verdict, organizer, peak, peak_at,
--   meeting_no
-- next: report meeting {meeting_no} --until {start:next_day}
-- key: meeting_no, start
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
    coalesce(u.minutes, 0) as cpu,
    p.participants as peak,
    p.minute_local as peak_at,
    round(q.mos_p10, 2) as mos_p10,
    cast($profile as varchar) as profile
from worst as r
left join meetings as k on k.meeting_key = r.meeting_key and k.meeting_date = r.meeting_date
left join causes as c on c.meeting_key = r.meeting_key and c.place = 1
left join (
    select
        m.meeting_key,
        count(*) as minutes
    from cpu_minutes(since := $since, until := $until, profile := $profile) as m
    group by m.meeting_key
) as u on u.meeting_key = r.meeting_key
left join peaks as p on p.meeting_key = r.meeting_key and p.place = 1
left join (
    select
        b.meeting_key,
        quantile_cont(b.mos_received_estimate, 0.1) as mos_p10
    from quality_minutes(since := $since, until := $until, profile := $profile) as b
    inner join worst as w on w.meeting_key = b.meeting_key and w.meeting_date = b.meeting_date
    group by b.meeting_key
) as q on q.meeting_key = r.meeting_key
order by r.place
