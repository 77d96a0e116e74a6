-- Causes of poor minutes: the metric and its direction. All macros take since (inclusive), until (exclusive) and profile.

-- The metric of a poor minute: of loss, delay and jitter beyond their thresholds, the one with the largest ratio of value
-- to threshold (ties: loss, delay, jitter). If none of them is, the picture alone is poor: because of the computer if the
-- CPU is over its threshold in that minute, otherwise the frame rate.
create or replace macro metric_of(marks, is_cpu_high) as
case
    when marks & 4096 <> 0 and marks & 384 <> 0 then 'jitter'
    when marks & 2048 <> 0 and marks & 64 <> 0 then 'delay'
    when marks & 48 <> 0 then 'loss'
    when marks & 64 <> 0 then 'delay'
    when marks & 384 <> 0 then 'jitter'
    when is_cpu_high then 'cpu'
    else 'frame_rate'
end;

-- received, sent or both, from two flags.
create or replace macro direction_of_both(is_received, is_sent) as
case when is_received and is_sent then 'both' when is_received then 'received' when is_sent then 'sent' else 'both' end;

-- The direction of the metric; for the picture, that of the poor streams. A delay has no direction.
create or replace macro direction_of(metric, marks) as
case metric
    when 'loss' then direction_of_both(marks & 16 <> 0, marks & 32 <> 0)
    when 'jitter' then direction_of_both(marks & 128 <> 0, marks & 256 <> 0)
    when 'delay' then 'both'
    else direction_of_both(marks & 8 <> 0, marks & 512 <> 0)
end;

-- A cause in words: loss received, jitter both ways, delay, frame rate sent, CPU.
create or replace macro cause_label(metric, direction) as
case
    when metric = 'cpu' then 'CPU'
    when metric = 'delay' then 'delay'
    else replace(metric, '_', ' ') || case direction when 'both' then ' both ways' else ' ' || direction end
end;

-- Every cause, so that a list of causes also has those without minutes. The directions of the CPU have one label.
create or replace view cause_names as
select
    m.place * 3 + d.place as place,
    m.metric,
    d.direction,
    cause_label(m.metric, d.direction) as label
from (
    select 0 as place, 'loss' as metric
    union all select 1, 'delay'
    union all select 2, 'jitter'
    union all select 3, 'frame_rate'
    union all select 4, 'cpu'
) as m
cross join (
    select 1 as place, 'received' as direction
    union all select 2, 'sent'
    union all select 3, 'both'
) as d
where m.metric <> 'delay' or d.direction = 'both';

-- Minutes with the CPU of the app or the computer over its threshold, by the timestamp of the CPU section. None for
-- thresholds whose minutes are stored.
create or replace macro hot_minutes(since := null, until := null, profile := 'cqd') as table
select distinct
    q.participant_key,
    q.meeting_date,
    date_trunc('minute', coalesce(q.cpu_usage_time_utc, q.sample_time_utc)) as minute_utc
from quality_samples as q
cross join limits(profile := profile) as k
cross join differing_limits(profile := profile) as d
where d.differences > 0
    and q.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
    and q.meeting_date < coalesce(cast(until as date), date '9999-12-31')
    and (q.client_max_cpu_usage_pct > k.cpu_client_max_pct or q.system_max_cpu_usage_pct > k.cpu_system_max_pct);

-- The participants with such a minute, likewise. Grouped first, so that DuckDB estimates few rows and builds joins on this side.
create or replace macro hot_participants(since := null, until := null, profile := 'cqd') as table
select
    p.participant_key,
    p.meeting_date
from (
    select
        q.participant_key,
        q.meeting_date,
        max(q.client_max_cpu_usage_pct) as client_pct,
        max(q.system_max_cpu_usage_pct) as system_pct
    from quality_samples as q
    cross join differing_limits(profile := profile) as d
    where d.differences > 0
        and q.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
        and q.meeting_date < coalesce(cast(until as date), date '9999-12-31')
    group by q.participant_key, q.meeting_date
) as p
cross join limits(profile := profile) as k
where greatest(p.client_pct - k.cpu_client_max_pct, p.system_pct - k.cpu_system_max_pct) > 0;

-- The rows of computed_marked_minutes; poor minutes have a metric.
create or replace macro computed_caused_minutes(since := null, until := null, profile := 'cqd') as table
select
    m.*,
    h.minute_utc is not null as is_cpu_high,
    case when m.marks & 7 <> 0 then metric_of(m.marks, h.minute_utc is not null) end as metric
from computed_marked_minutes(since := since, until := until, profile := profile) as m
left join hot_minutes(since := since, until := until, profile := profile) as h
    on h.participant_key = m.participant_key
    and h.meeting_date = m.meeting_date
    and h.minute_utc = m.minute_utc;

-- The rows of marked_minutes; poor minutes have a metric, a direction and a cause.
create or replace macro caused_minutes(since := null, until := null, profile := 'cqd') as table
select
    c.*,
    direction_of(c.metric, c.marks) as direction,
    cause_label(c.metric, direction_of(c.metric, c.marks)) as cause
from (
    select
        s.participant_key,
        s.meeting_key,
        s.meeting_date,
        s.minute_utc,
        s.minute_local,
        s.marks,
        s.minutes,
        s.judged_minutes,
        s.poor_minutes,
        s.first_judged_utc,
        s.last_judged_utc,
        s.stretch_first_utc,
        s.stretch_first_local,
        s.stretch_minutes,
        s.is_cpu_high,
        s.metric
    from stored_marked_minutes as s
    cross join differing_limits(profile := profile) as d
    where d.differences = 0
        and s.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
        and s.meeting_date < coalesce(cast(until as date), date '9999-12-31')
    union all
    select m.* from computed_caused_minutes(since := since, until := until, profile := profile) as m
) as c;

-- What else is known about a poor minute:
-- is_service_wide    at least half of at least 10 judged participants of the meeting date are poor in this minute, and
--                    the poor ones use at least 3 public networks, so a problem at one office is not a service outage
-- is_far_end         a received stream is poor, the participant's loss, delay and sent jitter are within thresholds,
--                    and another participant in the meeting sent with poor quality in this minute (sent loss or jitter,
--                    or poor sent video or sharing)
-- is_licence_capped  the hour is capped (licence_capped_hours) and the participant's resolution is at or below the cap

-- All poor minutes with their causes, and signs of a cause beyond the participant.
create or replace macro poor_minutes(since := null, until := null, profile := 'cqd') as table
with caused as materialized (
    select r.* from caused_minutes(since := since, until := until, profile := profile) as r
),

-- Minutes with enough poor participants on enough networks for a service outage; the share of judged ones is checked
-- below.
crowds as (
    select
        p.meeting_date,
        p.minute_utc,
        count(*) as poor
    from caused as p
    inner join participant_facts as w on w.participant_key = p.participant_key and w.meeting_date = p.meeting_date
    cross join limits(profile := profile) as k
    where p.metric is not null
        and w.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
        and w.meeting_date < coalesce(cast(until as date), date '9999-12-31')
    group by p.meeting_date, p.minute_utc
    having 100.0 * count(*) >= max(k.service_poor_pct) * max(k.service_participants)
        and count(distinct coalesce(w.egress, w.site)) >= max(k.service_sites)
)

select
    m.participant_key,
    m.meeting_key,
    m.meeting_date,
    m.minute_utc,
    m.minute_local,
    m.cause,
    m.metric,
    m.direction,
    m.marks & 1 <> 0 as is_audio_poor,
    m.marks & 2 <> 0 as is_video_poor,
    m.marks & 4 <> 0 as is_share_poor,
    m.marks & 48 <> 0 as is_loss_bad,
    m.marks & 64 <> 0 as is_delay_bad,
    m.marks & 384 <> 0 as is_jitter_bad,
    m.is_cpu_high,
    s.minute_utc is not null as is_service_wide,
    m.marks & 8 <> 0 and m.marks & 368 = 0
        and coalesce(f.bad_senders, 0) - case when m.marks & 800 <> 0 then 1 else 0 end > 0 as is_far_end,
    h.hour_utc is not null and m.marks & 1024 <> 0 as is_licence_capped
from caused as m
left join (
    select
        b.meeting_key,
        b.meeting_date,
        b.minute_utc,
        count(*) as bad_senders
    from caused as b
    where b.marks & 800 <> 0
    group by b.meeting_key, b.meeting_date, b.minute_utc
) as f
    on f.meeting_key = m.meeting_key
    and f.meeting_date = m.meeting_date
    and f.minute_utc = m.minute_utc
left join (
    select
        n.meeting_date,
        n.minute_utc
    from crowds as n
    inner join quality_minutes(since := since, until := until, profile := profile) as j
        on j.meeting_date = n.meeting_date
        and j.minute_utc = n.minute_utc
    cross join limits(profile := profile) as k
    where j.is_poor is not null
    group by n.meeting_date, n.minute_utc
    having count(*) >= max(k.service_participants)
        and 100.0 * max(n.poor) / count(*) >= max(k.service_poor_pct)
) as s on s.meeting_date = m.meeting_date and s.minute_utc = m.minute_utc
left join licence_capped_hours(since := since, until := until, profile := profile) as h
    on h.meeting_date = m.meeting_date
    and h.hour_utc = date_trunc('hour', m.minute_utc)
where m.metric is not null;

-- The rows of cpu_minutes for thresholds whose minutes are not stored.
create or replace macro computed_cpu_minutes(since := null, until := null, profile := 'cqd') as table
-- All minutes of the participants with a minute of high CPU load.
with pictures as materialized (
    select
        m.participant_key,
        m.meeting_key,
        m.meeting_date,
        m.minute_utc,
        m.minute_local,
        coalesce(m.video_bitrate_received_kbps > 0 and m.video_framerate_received_fps < l.cpu_framerate_fps, false)
            as is_framerate_received_low,
        coalesce(m.video_bitrate_sent_kbps > 0 and m.video_framerate_sent_fps < l.cpu_framerate_fps, false)
            as is_framerate_sent_low,
        coalesce(m.video_bitrate_received_kbps > 0 and m.video_framerate_received_fps < l.video_framerate_fps, false)
            as is_received_poor,
        coalesce(m.video_bitrate_sent_kbps > 0 and m.video_framerate_sent_fps < l.video_framerate_fps, false) as is_sent_poor,
        case
            when m.video_bitrate_received_kbps > 0
                and coalesce(m.share_bitrate_received_kbps, 0) = 0
                and coalesce(m.share_bitrate_sent_kbps, 0) = 0 then m.video_height_received_px
        end as received_px,
        case when m.video_bitrate_sent_kbps > 0 then m.video_height_sent_px end as sent_px,
        case when m.share_bitrate_sent_kbps > 0 then m.share_height_sent_px end as shared_px,
        coalesce(
            greatest(
                m.delay_ms - l.network_delay_ms,
                m.loss_received_pct - l.network_loss_pct,
                m.loss_sent_pct - l.network_loss_pct,
                case when m.audio_bitrate_received_kbps > 0 then m.audio_jitter_received_ms - l.audio_jitter_ms end,
                case when m.audio_bitrate_sent_kbps > 0 then m.audio_jitter_sent_ms - l.audio_jitter_ms end,
                case when m.video_bitrate_received_kbps > 0 then m.video_jitter_received_ms - l.video_jitter_ms end,
                case when m.video_bitrate_sent_kbps > 0 then m.video_jitter_sent_ms - l.video_jitter_ms end,
                case when m.share_bitrate_received_kbps > 0 then m.share_jitter_received_ms - l.share_jitter_ms end,
                case when m.share_bitrate_sent_kbps > 0 then m.share_jitter_sent_ms - l.share_jitter_ms end
            ) > 0,
            false
        ) as is_network_bad
    from aligned_minutes(since := since, until := until) as m
    inner join hot_participants(since := since, until := until, profile := profile) as p
        on p.participant_key = m.participant_key and p.meeting_date = m.meeting_date
    cross join limits(profile := profile) as l
    cross join differing_limits(profile := profile) as d
    where d.differences > 0
)

select
    s.participant_key,
    s.meeting_key,
    s.meeting_date,
    s.minute_utc,
    s.minute_local,
    case
        when s.is_poor then direction_of_both(s.is_received_poor, s.is_sent_poor)
        else direction_of_both(s.is_framerate_received_low or s.is_height_received_low, s.is_framerate_sent_low or s.is_height_sent_low)
    end as direction,
    s.is_poor,
    s.is_framerate_received_low or s.is_framerate_sent_low as is_framerate_low,
    s.is_height_received_low or s.is_height_sent_low as is_height_low
from (
    select
        c.*,
        -- Without loss, delay and jitter beyond their thresholds, only the frame rate of video can make a minute poor.
        c.is_received_poor or c.is_sent_poor as is_poor,
        coalesce(2 * c.received_px <= t.received_px, false) as is_height_received_low,
        coalesce(2 * c.sent_px <= t.sent_px, false) or coalesce(2 * c.shared_px <= t.shared_px, false) as is_height_sent_low
    from pictures as c
    inner join hot_minutes(since := since, until := until, profile := profile) as h
        on h.participant_key = c.participant_key
        and h.meeting_date = c.meeting_date
        and h.minute_utc = c.minute_utc
    inner join (
        select
            a.participant_key,
            max(a.received_px) as received_px,
            max(a.sent_px) as sent_px,
            max(a.shared_px) as shared_px
        from pictures as a
        group by a.participant_key
    ) as t on t.participant_key = c.participant_key
    where not c.is_network_bad
) as s
where s.is_framerate_received_low
    or s.is_framerate_sent_low
    or s.is_height_received_low
    or s.is_height_sent_low
    or s.is_poor;

-- CPU-limited minutes: the CPU is over its threshold, loss, delay and jitter are within theirs, and the frame rate of
-- an active video stream is below cpu_framerate_fps, or a height is at most half of the largest height of the same
-- participant. Heights count of video and sharing that is sent, and of received video while nothing is shared, because
-- clients shrink it beside a shared screen. The frame rate of sharing does not count, because a still slide needs no
-- frames. Those of the profile of the store are read from stored_cpu_minutes.
create or replace macro cpu_minutes(since := null, until := null, profile := 'cqd') as table
select
    s.participant_key,
    s.meeting_key,
    s.meeting_date,
    s.minute_utc,
    s.minute_local,
    s.direction,
    s.is_poor,
    s.is_framerate_low,
    s.is_height_low
from stored_cpu_minutes as s
cross join differing_limits(profile := profile) as d
where d.differences = 0
    and s.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
    and s.meeting_date < coalesce(cast(until as date), date '9999-12-31')
union all
select c.* from computed_cpu_minutes(since := since, until := until, profile := profile) as c;

-- Every poor minute with its cause, and the CPU-limited minutes that are not poor.
create or replace macro cause_minutes(since := null, until := null, profile := 'cqd') as table
select
    p.participant_key,
    p.meeting_key,
    p.meeting_date,
    p.minute_utc,
    p.minute_local,
    p.metric,
    p.direction,
    true as is_poor
from caused_minutes(since := since, until := until, profile := profile) as p
where p.metric is not null
union all
select
    c.participant_key,
    c.meeting_key,
    c.meeting_date,
    c.minute_utc,
    c.minute_local,
    'cpu' as metric,
    c.direction,
    false as is_poor
from cpu_minutes(since := since, until := until, profile := profile) as c
where not c.is_poor;

-- One row per participant with at least one judged minute: its poor minutes, and its minutes of cause_minutes by metric.
create or replace macro judged_participant_minutes(since := null, until := null, profile := 'cqd') as table
select
    t.participant_key,
    t.meeting_key,
    t.meeting_date,
    t.judged_minutes,
    t.poor_minutes,
    t.first_minute_utc,
    t.last_minute_utc,
    t.loss_minutes,
    t.delay_minutes,
    t.jitter_minutes,
    t.frame_rate_minutes,
    t.cpu_minutes + coalesce(c.minutes, 0) as cpu_minutes
from (
    select
        m.participant_key,
        m.meeting_key,
        m.meeting_date,
        cast(sum(m.judged_minutes) as bigint) as judged_minutes,
        cast(sum(m.poor_minutes) as bigint) as poor_minutes,
        min(m.first_judged_utc) as first_minute_utc,
        max(m.last_judged_utc) as last_minute_utc,
        count(*) filter (where m.metric = 'loss') as loss_minutes,
        count(*) filter (where m.metric = 'delay') as delay_minutes,
        count(*) filter (where m.metric = 'jitter') as jitter_minutes,
        count(*) filter (where m.metric = 'frame_rate') as frame_rate_minutes,
        count(*) filter (where m.metric = 'cpu') as cpu_minutes
    from caused_minutes(since := since, until := until, profile := profile) as m
    group by m.participant_key, m.meeting_key, m.meeting_date
) as t
left join (
    select
        u.participant_key,
        u.meeting_date,
        count(*) as minutes
    from cpu_minutes(since := since, until := until, profile := profile) as u
    where not u.is_poor
    group by u.participant_key, u.meeting_date
) as c on c.participant_key = t.participant_key and c.meeting_date = t.meeting_date
where t.judged_minutes > 0;

-- Participant verdicts with one row per cause of their poor minutes, or one without a cause. cause_no 1 is the most
-- frequent cause, or none. For sums over participants, filter by cause_no = 1.
create or replace macro verdict_causes(since := null, until := null, profile := 'cqd') as table
with caused as materialized (
    select
        m.participant_key,
        m.meeting_key,
        m.meeting_date,
        m.minute_utc,
        m.minutes,
        m.judged_minutes,
        m.poor_minutes,
        m.stretch_first_utc,
        m.stretch_minutes,
        m.cause
    from caused_minutes(since := since, until := until, profile := profile) as m
)

select
    t.participant_key,
    t.meeting_key,
    t.meeting_date,
    t.minutes,
    t.judged_minutes,
    t.poor_minutes,
    t.episodes,
    affected_by(t.judged_minutes, t.poor_minutes, t.episodes, k.participant_poor_minutes_pct) as is_affected,
    c.cause,
    coalesce(c.cause_minutes, 0) as cause_minutes,
    coalesce(c.cause_no, 1) as cause_no
from (
    select
        v.participant_key,
        v.meeting_key,
        v.meeting_date,
        cast(sum(v.minutes) as bigint) as minutes,
        cast(sum(v.judged_minutes) as bigint) as judged_minutes,
        cast(sum(v.poor_minutes) as bigint) as poor_minutes,
        count(*) filter (where v.minute_utc = v.stretch_first_utc and v.stretch_minutes >= l.episode_min_minutes) as episodes
    from caused as v
    cross join limits(profile := profile) as l
    group by v.participant_key, v.meeting_key, v.meeting_date
) as t
left join (
    select
        u.participant_key,
        u.meeting_date,
        u.cause,
        u.cause_minutes,
        row_number() over (partition by u.participant_key order by u.cause_minutes desc, u.cause) as cause_no
    from (
        select
            p.participant_key,
            p.meeting_date,
            p.cause,
            count(*) as cause_minutes
        from caused as p
        where p.cause is not null
        group by p.participant_key, p.meeting_date, p.cause
    ) as u
) as c on c.participant_key = t.participant_key and c.meeting_date = t.meeting_date
cross join limits(profile := profile) as k;

-- The macros as views with the profile cqd, for tools that cannot call macros. Filter by meeting_date.

-- One row per participant-minute with the verdict on each of its six streams: quality_minutes with the profile cqd.
create or replace view participant_minute as select * from quality_minutes();

-- Six rows per participant-minute, one for each medium and direction: stream_minutes with the profile cqd.
create or replace view stream_minute as select * from stream_minutes();

-- All poor minutes with their causes: poor_minutes with the profile cqd.
create or replace view poor_minute as select * from poor_minutes();

-- Runs of at least three consecutive poor minutes: episodes with the profile cqd.
create or replace view episode as select * from episodes();

-- One row per participant with its verdict: participant_verdicts with the profile cqd.
create or replace view participant_verdict as select * from participant_verdicts();

-- One row per meeting with its verdict: meeting_verdicts with the profile cqd.
create or replace view meeting_verdict as select * from meeting_verdicts();

-- One row per participant, medium and direction with its verdict: stream_verdicts with the profile cqd.
create or replace view stream_verdict as select * from stream_verdicts();
