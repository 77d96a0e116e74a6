-- id: r23
-- title: Room health
-- question: Which rooms need a visit?
-- audience: room team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: room: Name of the room, from the list of rooms if available, or its ID.
-- column: building: Building of the room, if known: from its address, otherwise from the list of rooms.
-- column: site: Latest site.
-- column: network: Latest network type.
-- column: proxied_pct %: Percentage of meetings behind a proxy or over TCP; empty below 5 meetings.
-- column: meetings: Meetings with minutes.
-- column: hours h: Participant-minutes in the store, in hours.
-- column: n min: Judged minutes.
-- column: poor min: Poor minutes.
-- column: poor_pct %: Percentage of judged minutes that are poor; empty below min_n.
-- column: status: healthy below 5% poor minutes, degraded below 20%, critical from 20%, empty below min_n; with an
--   incident at least degraded, with a critical one critical.
-- column: peers_pct %: Percentage of the judged minutes of all other rooms that are poor; empty below min_n.
-- column: rank: Rank by poor_pct, 1 is the worst; empty below min_n.
-- column: days: Days with meetings.
-- column: days_affected: Days with at least one affected meeting.
-- column: pattern: chronic (affected on at least three of seven consecutive days), repeated (on at least two days),
--   once, or - if never affected.
-- column: last_good_day local: Latest day with minutes and no affected meeting.
-- column: main_cause: Most frequent cause of poor minutes: metric and direction.
-- column: cpu min: CPU-limited minutes, poor or not; see cpu-hogs.
-- column: cpu_p95_pct %: 95th percentile of the system's peak CPU usage.
-- column: loss_in_p95_pct %: 95th percentile of received packet loss.
-- column: loss_out_p95_pct %: 95th percentile of sent packet loss.
-- column: mos_p10 MOS est.: MOS estimate, 10th percentile of received audio minutes.
-- column: minutes_missing: Meetings of the room without minutes; see the report coverage.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: A participant counts as affected if more than 10% of their minutes are poor or they have an episode of
--   three consecutive poor minutes (this project's choice).
-- threshold: Status: degraded from 5% poor minutes, critical from 20% (CQLens).
-- threshold: Incidents count for the status if they overlap the window and the profile is that of the store.
-- threshold: Chronic: affected on three of seven consecutive days (this project's choice).
-- caveat: Minutes that lack a bitrate or a required metric are unclassified and excluded from all percentages; see the
--   report unclassified.
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- caveat: Feishu does not report the device model of a room; peers are all other rooms.
-- caveat: Unused rooms are not listed.
-- caveat: Rooms without poor minutes are sorted by MOS: check rooms with a low MOS or high loss before they become
--   poor, or use profile=strict.
-- empty: The window has no meetings with rooms.
-- table: room, building, n, poor, poor_pct, status, main_cause, cpu, pattern | peers_pct, rank, days_affected, days, network,
--   meetings, last_good_day
-- next: report user {room}
-- key: room, building
with rooms_of as (
    select f.*
    from participant_facts as f
    where f.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and f.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        and f.who_kind = 'room'
),

judged as materialized (
    select
        f.*,
        v.minutes,
        v.judged_minutes,
        v.poor_minutes,
        v.is_affected,
        v.cause,
        v.cause_minutes,
        coalesce(v.cause_no, 1) as cause_no
    from rooms_of as f
    left join verdict_causes(since := $since, until := $until, profile := $profile) as v on v.participant_key = f.participant_key and v.meeting_date = f.meeting_date
),

facts as (
    select
        j.*,
        row_number() over (partition by j.room_id order by j.join_time_utc desc, j.participant_key) as newest
    from judged as j
    where j.cause_no = 1
),

days as (
    select
        t.room_id,
        t.meeting_date,
        count(*) filter (where t.is_affected) as affected,
        count(t.minutes) as with_minutes
    from facts as t
    group by t.room_id, t.meeting_date
),

spans as (
    select g.room_id, max(g.days_of_seven) as days_of_seven
    from (
        select
            d.room_id,
            count(*) over (
                partition by d.room_id order by epoch(d.meeting_date) range between 518400 preceding and current row
            ) as days_of_seven
        from days as d
        where d.affected > 0
    ) as g
    group by g.room_id
),

day_sums as (
    select
        d.room_id,
        count(*) filter (where d.with_minutes > 0) as days,
        count(*) filter (where d.affected > 0) as days_affected,
        max(case when d.with_minutes > 0 and d.affected = 0 then d.meeting_date end) as last_good_day
    from days as d
    group by d.room_id
),

room_sums as (
    select
        t.room_id,
        max(case when t.newest = 1 then coalesce(t.participant_name, t.room_id) end) as room,
        max(case when t.newest = 1 then t.building end) as building,
        max(case when t.newest = 1 then t.site end) as site,
        max(case when t.newest = 1 then t.network_kind end) as network,
        count(*) as all_meetings,
        count(*) filter (where t.use_rtc_proxy or t.protocol = 'tcp') as proxied,
        count(t.minutes) as meetings,
        cast(sum(coalesce(t.minutes, 0)) as bigint) as minutes,
        cast(sum(coalesce(t.judged_minutes, 0)) as bigint) as judged,
        cast(sum(coalesce(t.poor_minutes, 0)) as bigint) as poor
    from facts as t
    group by t.room_id
),

shares as (
    select
        r.*,
        case when r.judged > 0 and r.judged >= $min_n then 100.0 * r.poor / r.judged end as poor_pct
    from room_sums as r
),

causes as (
    select
        j.room_id,
        j.cause,
        row_number() over (partition by j.room_id order by sum(j.cause_minutes) desc, j.cause) as place
    from judged as j
    where j.cause is not null
    group by j.room_id, j.cause
),

processor as (
    select t.room_id, quantile_cont(q.system_max_cpu_usage_pct, 0.95) as p95
    from quality_samples as q
    inner join rooms_of as t on t.participant_key = q.participant_key and t.meeting_date = q.meeting_date
    where q.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and q.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    group by t.room_id
),

opinion as (
    select
        t.room_id,
        quantile_cont(m.loss_received_pct, 0.95) as loss_in,
        quantile_cont(m.loss_sent_pct, 0.95) as loss_out,
        quantile_cont(m.mos_received_estimate, 0.1) as p10
    from quality_minutes(since := $since, until := $until, profile := $profile) as m
    inner join rooms_of as t on t.participant_key = m.participant_key and t.meeting_date = m.meeting_date
    group by t.room_id
),

peers as (
    select
        a.room_id,
        cast(sum(b.judged) as bigint) as judged,
        cast(sum(b.poor) as bigint) as poor
    from shares as a
    inner join shares as b on b.room_id <> a.room_id
    group by a.room_id
)

select
    coalesce(w.room_name, s.room) as room,
    s.building,
    s.site,
    s.network,
    share_pct(s.proxied, s.all_meetings, 5) as proxied_pct,
    s.meetings,
    round(s.minutes / 60.0, 1) as hours,
    s.judged as n,
    s.poor,
    round(s.poor_pct, 1) as poor_pct,
    worse_status(
        s.poor, s.judged, $min_n, l.status_degraded_pct, l.status_critical_pct, i.incident_status
    ) as status,
    share_pct(e.poor, e.judged, $min_n) as peers_pct,
    case when s.poor_pct is not null then rank() over (order by s.poor_pct desc nulls last) end as rank,
    d.days,
    d.days_affected,
    case
        when g.days_of_seven >= l.chronic_days then 'chronic'
        when d.days_affected >= 2 then 'repeated'
        when d.days_affected = 1 then 'once'
        else '-'
    end as pattern,
    d.last_good_day,
    c.cause as main_cause,
    coalesce(u.minutes, 0) as cpu,
    round(y.p95, 0) as cpu_p95_pct,
    round(o.loss_in, 1) as loss_in_p95_pct,
    round(o.loss_out, 1) as loss_out_p95_pct,
    round(o.p10, 2) as mos_p10,
    s.all_meetings - s.meetings as minutes_missing,
    cast($profile as varchar) as profile
from shares as s
cross join limits(profile := $profile) as l
left join day_sums as d on d.room_id = s.room_id
left join spans as g on g.room_id = s.room_id
left join causes as c on c.room_id = s.room_id and c.place = 1
left join (
    select
        t.room_id,
        count(*) as minutes
    from cpu_minutes(since := $since, until := $until, profile := $profile) as m
    inner join rooms_of as t on t.participant_key = m.participant_key and t.meeting_date = m.meeting_date
    group by t.room_id
) as u on u.room_id = s.room_id
left join processor as y on y.room_id = s.room_id
left join opinion as o on o.room_id = s.room_id
left join peers as e on e.room_id = s.room_id
left join rooms as w on w.room_id = s.room_id
left join incident_statuses(since := $since, until := $until, profile := $profile, dimension := 'room') as i
    on i.dimension_value = s.room_id
order by s.poor_pct desc nulls last, s.poor desc, o.p10, coalesce(w.room_name, s.room)
