-- Verdicts on participants, meetings and streams; episodes. All macros take since (inclusive), until (exclusive) and
-- profile. 045_causes.sql has the causes.

-- The rows of marked_minutes for thresholds whose minutes are not stored, in one pass over the minutes.
create or replace macro computed_marked_minutes(since := null, until := null, profile := 'cqd') as table
with counted as materialized (
    select
        c.participant_key,
        c.meeting_key,
        c.meeting_date,
        c.minute_utc,
        c.minute_local,
        c.marks,
        count(*) as minutes,
        count(c.is_poor) as judged_minutes,
        count(*) filter (where c.is_poor) as poor_minutes,
        min(c.judged_utc) as first_judged_utc,
        max(c.judged_utc) as last_judged_utc
    from (
        select
            m.participant_key,
            m.meeting_key,
            m.meeting_date,
            case when m.is_poor is not null then m.minute_utc end as judged_utc,
            case when m.marks & 807 <> 0 then m.minute_utc end as minute_utc,
            case when m.marks & 807 <> 0 then m.minute_local end as minute_local,
            case when m.marks & 807 <> 0 then m.marks end as marks,
            m.is_poor
        from quality_minutes(since := since, until := until, profile := profile) as m
        cross join differing_limits(profile := profile) as d
        where d.differences > 0
    ) as c
    group by c.participant_key, c.meeting_key, c.meeting_date, c.minute_utc, c.minute_local, c.marks
)

select
    c.*,
    cast(null as timestamp) as stretch_first_utc,
    cast(null as timestamp) as stretch_first_local,
    null as stretch_minutes
from counted as c
where coalesce(c.marks & 7, 0) = 0
union all
select
    i.participant_key,
    i.meeting_key,
    i.meeting_date,
    i.minute_utc,
    i.minute_local,
    i.marks,
    i.minutes,
    i.judged_minutes,
    i.poor_minutes,
    i.first_judged_utc,
    i.last_judged_utc,
    min(i.minute_utc) over (partition by i.participant_key, i.island) as stretch_first_utc,
    min(i.minute_local) over (partition by i.participant_key, i.island) as stretch_first_local,
    count(*) over (partition by i.participant_key, i.island) as stretch_minutes
from (
    select
        c.*,
        c.minute_utc - row_number() over (partition by c.participant_key order by c.minute_utc) * interval '1 minute' as island
    from counted as c
    where c.marks & 7 <> 0
) as i;

-- The input of the verdicts below: per participant, one row for all unremarkable minutes (minute_utc is NULL), and one
-- row for each minute that is poor or in which the participant sent badly, with its marks (see quality_minutes). first_
-- and last_judged_utc: the first and last minute of the row with a verdict. stretch_*: the run of consecutive poor
-- minutes that contains the minute. Those of the profile of the store were judged when they were published
-- (stored_marked_minutes) and are only read.
create or replace macro marked_minutes(since := null, until := null, profile := 'cqd') as table
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
    s.stretch_minutes
from stored_marked_minutes as s
cross join differing_limits(profile := profile) as d
where d.differences = 0
    and s.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
    and s.meeting_date < coalesce(cast(until as date), date '9999-12-31')
union all
select c.* from computed_marked_minutes(since := since, until := until, profile := profile) as c;

-- Episode: at least episode_min_minutes (3) consecutive poor minutes of one participant. It ends at a minute without a
-- sample or verdict. An outage of ten minutes is one episode.
create or replace macro episodes(since := null, until := null, profile := 'cqd') as table
select
    e.participant_key,
    e.meeting_key,
    e.meeting_date,
    e.minute_utc as first_minute_utc,
    e.minute_utc + (e.stretch_minutes - 1) * interval '1 minute' as last_minute_utc,
    e.stretch_first_local as first_minute_local,
    e.stretch_minutes as minutes
from marked_minutes(since := since, until := until, profile := profile) as e
cross join limits(profile := profile) as l
where e.minute_utc = e.stretch_first_utc
    and e.stretch_minutes >= l.episode_min_minutes;

-- Participant: affected if more than 10% of their judged minutes are poor or they have an episode.
create or replace macro affected_by(judged_minutes, poor_minutes, episodes, max_poor_pct) as
case
    when judged_minutes = 0 then null
    when episodes > 0 then true
    else 100.0 * poor_minutes / judged_minutes > max_poor_pct
end;

-- One row per participant: minutes, poor minutes, episodes, and whether the participant is affected.
create or replace macro participant_verdicts(since := null, until := null, profile := 'cqd') as table
select
    t.participant_key,
    t.meeting_key,
    t.meeting_date,
    t.minutes,
    t.judged_minutes,
    t.poor_minutes,
    t.episodes,
    t.longest_episode_min,
    affected_by(t.judged_minutes, t.poor_minutes, t.episodes, k.participant_poor_minutes_pct) as is_affected
from (
    select
        m.participant_key,
        m.meeting_key,
        m.meeting_date,
        cast(sum(m.minutes) as bigint) as minutes,
        cast(sum(m.judged_minutes) as bigint) as judged_minutes,
        cast(sum(m.poor_minutes) as bigint) as poor_minutes,
        count(*) filter (where m.minute_utc = m.stretch_first_utc and m.stretch_minutes >= l.episode_min_minutes) as episodes,
        coalesce(max(m.stretch_minutes) filter (where m.stretch_minutes >= l.episode_min_minutes), 0) as longest_episode_min
    from marked_minutes(since := since, until := until, profile := profile) as m
    cross join limits(profile := profile) as l
    group by m.participant_key, m.meeting_key, m.meeting_date
) as t
cross join limits(profile := profile) as k;

-- Meeting: poor if at least 20% of its judged participants, and at least 2, are affected.
create or replace macro meeting_verdicts(since := null, until := null, profile := 'cqd') as table
select
    t.*,
    case
        when t.judged_participants = 0 then null
        else t.affected_participants >= l.meeting_affected_participants
            and 100.0 * t.affected_participants / t.judged_participants >= l.meeting_affected_pct
    end as is_poor
from (
    select
        p.meeting_key,
        p.meeting_date,
        count(*) as participants,
        count(p.is_affected) as judged_participants,
        count(*) filter (where p.is_affected) as affected_participants,
        cast(sum(p.minutes) as bigint) as minutes,
        cast(sum(p.judged_minutes) as bigint) as judged_minutes,
        cast(sum(p.poor_minutes) as bigint) as poor_minutes,
        cast(sum(p.episodes) as bigint) as episodes
    from participant_verdicts(since := since, until := until, profile := profile) as p
    group by p.meeting_key, p.meeting_date
) as t
cross join limits(profile := profile) as l;

-- The rows of audio_streams for thresholds whose streams are not stored.
create or replace macro computed_audio_streams(since := null, until := null, profile := 'cqd') as table
select
    v.participant_key,
    v.meeting_key,
    v.meeting_date,
    v.received_minutes,
    case when v.received_beyond > 0 then 'poor' when v.received_beyond is not null then 'good' else 'unclassified' end
        as received_verdict,
    v.sent_minutes,
    case when v.sent_beyond > 0 then 'poor' when v.sent_beyond is not null then 'good' else 'unclassified' end as sent_verdict
from (
    select
        w.participant_key,
        w.meeting_key,
        w.meeting_date,
        w.received_minutes,
        audio_beyond(
            w.received_minutes, w.received_delay_ms, w.received_loss_pct, w.received_jitter_ms,
            l.audio_delay_ms, l.audio_loss_pct, l.audio_jitter_ms
        ) as received_beyond,
        w.sent_minutes,
        audio_beyond(
            w.sent_minutes, w.sent_delay_ms, w.sent_loss_pct, w.sent_jitter_ms,
            l.audio_delay_ms, l.audio_loss_pct, l.audio_jitter_ms
        ) as sent_beyond
    from (
        select
            m.participant_key,
            m.meeting_key,
            m.meeting_date,
            count(*) filter (where m.audio_bitrate_received_kbps > 0) as received_minutes,
            avg(m.delay_ms) filter (where m.audio_bitrate_received_kbps > 0) as received_delay_ms,
            avg(m.loss_received_pct) filter (where m.audio_bitrate_received_kbps > 0) as received_loss_pct,
            avg(m.audio_jitter_received_ms) filter (where m.audio_bitrate_received_kbps > 0) as received_jitter_ms,
            count(*) filter (where m.audio_bitrate_sent_kbps > 0) as sent_minutes,
            avg(m.delay_ms) filter (where m.audio_bitrate_sent_kbps > 0) as sent_delay_ms,
            avg(m.loss_sent_pct) filter (where m.audio_bitrate_sent_kbps > 0) as sent_loss_pct,
            avg(m.audio_jitter_sent_ms) filter (where m.audio_bitrate_sent_kbps > 0) as sent_jitter_ms
        from aligned_minutes(since := since, until := until) as m
        cross join differing_limits(profile := profile) as d
        where d.differences > 0
        group by m.participant_key, m.meeting_key, m.meeting_date
    ) as w
    cross join limits(profile := profile) as l
) as v;

-- Verdicts on both audio streams of a participant, in one row. Those by the profile of the store are read from
-- stored_audio_streams.
create or replace macro audio_streams(since := null, until := null, profile := 'cqd') as table
select
    s.participant_key,
    s.meeting_key,
    s.meeting_date,
    s.received_minutes,
    s.received_verdict,
    s.sent_minutes,
    s.sent_verdict
from stored_audio_streams as s
cross join differing_limits(profile := profile) as d
where d.differences = 0
    and s.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
    and s.meeting_date < coalesce(cast(until as date), date '9999-12-31')
union all
select c.* from computed_audio_streams(since := since, until := until, profile := profile) as c;

-- Stream verdict, comparable with Microsoft's dashboard: average each metric over the active minutes of the stream,
-- then judge once. This differs from the share of poor minutes. Audio has a macro of its own because most reports need
-- only it.
create or replace macro audio_stream_verdicts(since := null, until := null, profile := 'cqd') as table
select
    w.participant_key,
    w.meeting_key,
    w.meeting_date,
    'audio' as medium,
    s.direction,
    case s.direction when 'received' then w.received_minutes else w.sent_minutes end as active_minutes,
    case s.direction when 'received' then w.received_verdict else w.sent_verdict end as verdict
from audio_streams(since := since, until := until, profile := profile) as w
cross join (select 'received' as direction union all select 'sent' as direction) as s;

-- Stream verdicts of all media: one row per participant, medium and direction.
create or replace macro stream_verdicts(since := null, until := null, profile := 'cqd') as table
select a.* from audio_stream_verdicts(since := since, until := until, profile := profile) as a
union all
select
    v.participant_key,
    v.meeting_key,
    v.meeting_date,
    v.medium,
    v.direction,
    v.active_minutes,
    case when v.is_poor then 'poor' when v.is_poor = false then 'good' else 'unclassified' end as verdict
from (
    select
        a.*,
        case
            when a.active_minutes = 0 then null
            when a.medium = 'video' and l.video_first_metric_decides = 1 and a.framerate_fps < l.video_framerate_fps then true
            when a.medium = 'video' and l.video_first_metric_decides = 1 and a.framerate_fps >= l.video_framerate_fps then false
            when a.medium = 'video' then any_of(
                a.framerate_fps < l.video_framerate_fps,
                a.loss_pct > l.video_loss_pct,
                any_of(a.delay_ms > l.video_delay_ms, a.jitter_ms > l.video_jitter_ms, null)
            )
            else any_of(
                a.loss_pct > l.share_loss_pct,
                a.framerate_fps < l.share_framerate_fps
                    and (a.loss_pct > l.audio_loss_pct or a.delay_ms > l.audio_delay_ms),
                any_of(a.delay_ms > l.share_delay_ms, a.jitter_ms > l.share_jitter_ms, null)
            )
        end as is_poor
    from (
        select
            w.participant_key,
            w.meeting_key,
            w.meeting_date,
            s.medium,
            s.direction,
            case s.medium || s.direction
                when 'videoreceived' then w.video_received_minutes
                when 'videosent' then w.video_sent_minutes
                when 'sharereceived' then w.share_received_minutes
                when 'sharesent' then w.share_sent_minutes
            end as active_minutes,
            case s.medium || s.direction
                when 'videoreceived' then w.video_received_delay_ms
                when 'videosent' then w.video_sent_delay_ms
                when 'sharereceived' then w.share_received_delay_ms
                when 'sharesent' then w.share_sent_delay_ms
            end as delay_ms,
            case s.medium || s.direction
                when 'videoreceived' then w.video_received_loss_pct
                when 'videosent' then w.video_sent_loss_pct
                when 'sharereceived' then w.share_received_loss_pct
                when 'sharesent' then w.share_sent_loss_pct
            end as loss_pct,
            case s.medium || s.direction
                when 'videoreceived' then w.video_received_jitter_ms
                when 'videosent' then w.video_sent_jitter_ms
                when 'sharereceived' then w.share_received_jitter_ms
                when 'sharesent' then w.share_sent_jitter_ms
            end as jitter_ms,
            case s.medium || s.direction
                when 'videoreceived' then w.video_received_framerate_fps
                when 'videosent' then w.video_sent_framerate_fps
                when 'sharereceived' then w.share_received_framerate_fps
                when 'sharesent' then w.share_sent_framerate_fps
            end as framerate_fps
        from (
            select
                m.participant_key,
                m.meeting_key,
                m.meeting_date,
                count(*) filter (where m.video_bitrate_received_kbps > 0) as video_received_minutes,
                avg(m.delay_ms) filter (where m.video_bitrate_received_kbps > 0) as video_received_delay_ms,
                avg(m.loss_received_pct) filter (where m.video_bitrate_received_kbps > 0) as video_received_loss_pct,
                avg(m.video_jitter_received_ms) filter (where m.video_bitrate_received_kbps > 0) as video_received_jitter_ms,
                avg(m.video_framerate_received_fps) filter (where m.video_bitrate_received_kbps > 0) as video_received_framerate_fps,
                count(*) filter (where m.video_bitrate_sent_kbps > 0) as video_sent_minutes,
                avg(m.delay_ms) filter (where m.video_bitrate_sent_kbps > 0) as video_sent_delay_ms,
                avg(m.loss_sent_pct) filter (where m.video_bitrate_sent_kbps > 0) as video_sent_loss_pct,
                avg(m.video_jitter_sent_ms) filter (where m.video_bitrate_sent_kbps > 0) as video_sent_jitter_ms,
                avg(m.video_framerate_sent_fps) filter (where m.video_bitrate_sent_kbps > 0) as video_sent_framerate_fps,
                count(*) filter (where m.share_bitrate_received_kbps > 0) as share_received_minutes,
                avg(m.delay_ms) filter (where m.share_bitrate_received_kbps > 0) as share_received_delay_ms,
                avg(m.loss_received_pct) filter (where m.share_bitrate_received_kbps > 0) as share_received_loss_pct,
                avg(m.share_jitter_received_ms) filter (where m.share_bitrate_received_kbps > 0) as share_received_jitter_ms,
                avg(m.share_framerate_received_fps) filter (where m.share_bitrate_received_kbps > 0) as share_received_framerate_fps,
                count(*) filter (where m.share_bitrate_sent_kbps > 0) as share_sent_minutes,
                avg(m.delay_ms) filter (where m.share_bitrate_sent_kbps > 0) as share_sent_delay_ms,
                avg(m.loss_sent_pct) filter (where m.share_bitrate_sent_kbps > 0) as share_sent_loss_pct,
                avg(m.share_jitter_sent_ms) filter (where m.share_bitrate_sent_kbps > 0) as share_sent_jitter_ms,
                avg(m.share_framerate_sent_fps) filter (where m.share_bitrate_sent_kbps > 0) as share_sent_framerate_fps
            from aligned_minutes(since := since, until := until) as m
            group by m.participant_key, m.meeting_key, m.meeting_date
        ) as w
        cross join (
            select 'video' as medium, 'received' as direction
            union all select 'video' as medium, 'sent' as direction
            union all select 'share' as medium, 'received' as direction
            union all select 'share' as medium, 'sent' as direction
        ) as s
    ) as a
    cross join limits(profile := profile) as l
) as v;

-- Hours in which the licence appears to cap the resolution: at least 80% of at least 10 participants who sent video
-- over a clean connection never exceeded 360 lines. A hint, not proof: it may be a setting.
create or replace macro licence_capped_hours(since := null, until := null, profile := 'cqd') as table
select
    h.meeting_date,
    h.hour_utc,
    h.participants,
    h.capped_participants
from (
    select
        p.meeting_date,
        p.hour_utc,
        count(*) as participants,
        count(*) filter (where p.height_px <= l.licence_video_px) as capped_participants,
        max(l.licence_participants) as least_participants,
        max(l.licence_capped_pct) as least_pct
    from (
        select
            m.participant_key,
            m.meeting_date,
            date_trunc('hour', m.minute_utc) as hour_utc,
            max(m.video_height_sent_px) as height_px
        from quality_minutes(since := since, until := until, profile := profile) as m
        where m.video_bitrate_sent_kbps > 0
            and m.video_height_sent_px > 0
            and not coalesce(m.is_loss_sent_bad or m.is_delay_bad, false)
        group by m.participant_key, m.meeting_date, date_trunc('hour', m.minute_utc)
    ) as p
    cross join limits(profile := profile) as l
    group by p.meeting_date, p.hour_utc
) as h
where h.participants >= h.least_participants
    and 100.0 * h.capped_participants / h.participants >= h.least_pct;
