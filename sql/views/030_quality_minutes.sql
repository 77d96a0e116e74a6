-- One row per participant-minute, with the verdict on each of its six streams.
-- Count hours here (rows / 60), never from the long view stream_minutes, which has six rows per minute.

-- A section belongs to the minute of its own timestamp. For nearly all participants an item is one minute. The items of
-- misaligned_participants are regrouped section by section; sections in the same minute are averaged. CPU values are
-- usually one minute later and are joined only where needed (poor_minutes). since (inclusive) and until (exclusive) are
-- meeting dates; they are pushed down to every scan.

-- One row per participant-minute with its metrics, each section in the minute of its own timestamp.
create or replace macro aligned_minutes(since := null, until := null) as table
select
    q.participant_key,
    q.meeting_key,
    q.meeting_date,
    q.sample_time_utc as minute_utc,
    q.sample_time_local as minute_local,
    q.network_delay_ms as delay_ms,
    q.network_packet_loss_avg_received_pct as loss_received_pct,
    q.network_packet_loss_avg_sent_pct as loss_sent_pct,
    q.audio_bitrate_received_kbps as audio_bitrate_received_kbps,
    q.audio_bitrate_sent_kbps as audio_bitrate_sent_kbps,
    q.audio_jitter_received_ms as audio_jitter_received_ms,
    q.audio_jitter_sent_ms as audio_jitter_sent_ms,
    q.video_bitrate_received_kbps as video_bitrate_received_kbps,
    q.video_jitter_received_ms as video_jitter_received_ms,
    q.video_framerate_received_fps as video_framerate_received_fps,
    q.video_maximum_resolution_received_px as video_height_received_px,
    q.video_bitrate_sent_kbps as video_bitrate_sent_kbps,
    q.video_jitter_sent_ms as video_jitter_sent_ms,
    q.video_framerate_sent_fps as video_framerate_sent_fps,
    q.video_maximum_resolution_sent_px as video_height_sent_px,
    q.screen_sharing_bitrate_received_kbps as share_bitrate_received_kbps,
    q.screen_sharing_jitter_received_ms as share_jitter_received_ms,
    q.screen_sharing_framerate_received_fps as share_framerate_received_fps,
    q.screen_sharing_maximum_resolution_received_px as share_height_received_px,
    q.screen_sharing_bitrate_sent_kbps as share_bitrate_sent_kbps,
    q.screen_sharing_jitter_sent_ms as share_jitter_sent_ms,
    q.screen_sharing_framerate_sent_fps as share_framerate_sent_fps,
    q.screen_sharing_maximum_resolution_sent_px as share_height_sent_px
from quality_samples as q
left join misaligned_participants as d on d.participant_key = q.participant_key and d.meeting_date = q.meeting_date
where q.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
    and q.meeting_date < coalesce(cast(until as date), date '9999-12-31')
    and d.participant_key is null
union all
select
    q.participant_key,
    q.meeting_key,
    q.meeting_date,
    q.minute_utc,
    q.minute_utc + min(q.east) as minute_local,
    avg(case when q.section = 'network' then q.network_delay_ms end) as delay_ms,
    avg(case when q.section = 'network' then q.network_packet_loss_avg_received_pct end) as loss_received_pct,
    avg(case when q.section = 'network' then q.network_packet_loss_avg_sent_pct end) as loss_sent_pct,
    avg(case when q.section = 'audio' then q.audio_bitrate_received_kbps end) as audio_bitrate_received_kbps,
    avg(case when q.section = 'audio' then q.audio_bitrate_sent_kbps end) as audio_bitrate_sent_kbps,
    avg(case when q.section = 'audio' then q.audio_jitter_received_ms end) as audio_jitter_received_ms,
    avg(case when q.section = 'audio' then q.audio_jitter_sent_ms end) as audio_jitter_sent_ms,
    avg(case when q.section = 'video' then q.video_bitrate_received_kbps end) as video_bitrate_received_kbps,
    avg(case when q.section = 'video' then q.video_jitter_received_ms end) as video_jitter_received_ms,
    avg(case when q.section = 'video' then q.video_framerate_received_fps end) as video_framerate_received_fps,
    max(case when q.section = 'video' then q.video_maximum_resolution_received_px end) as video_height_received_px,
    avg(case when q.section = 'video' then q.video_bitrate_sent_kbps end) as video_bitrate_sent_kbps,
    avg(case when q.section = 'video' then q.video_jitter_sent_ms end) as video_jitter_sent_ms,
    avg(case when q.section = 'video' then q.video_framerate_sent_fps end) as video_framerate_sent_fps,
    max(case when q.section = 'video' then q.video_maximum_resolution_sent_px end) as video_height_sent_px,
    avg(case when q.section = 'screen_sharing' then q.screen_sharing_bitrate_received_kbps end) as share_bitrate_received_kbps,
    avg(case when q.section = 'screen_sharing' then q.screen_sharing_jitter_received_ms end) as share_jitter_received_ms,
    avg(case when q.section = 'screen_sharing' then q.screen_sharing_framerate_received_fps end) as share_framerate_received_fps,
    max(case when q.section = 'screen_sharing' then q.screen_sharing_maximum_resolution_received_px end) as share_height_received_px,
    avg(case when q.section = 'screen_sharing' then q.screen_sharing_bitrate_sent_kbps end) as share_bitrate_sent_kbps,
    avg(case when q.section = 'screen_sharing' then q.screen_sharing_jitter_sent_ms end) as share_jitter_sent_ms,
    avg(case when q.section = 'screen_sharing' then q.screen_sharing_framerate_sent_fps end) as share_framerate_sent_fps,
    max(case when q.section = 'screen_sharing' then q.screen_sharing_maximum_resolution_sent_px end) as share_height_sent_px
from (
    select
        i.*,
        s.section,
        i.sample_time_local - i.sample_time_utc as east,
        date_trunc('minute', coalesce(
            case s.section
                when 'network' then i.network_time_utc
                when 'audio' then i.audio_time_utc
                when 'video' then i.video_time_utc
                else i.screen_sharing_time_utc
            end,
            i.sample_time_utc
        )) as minute_utc
    from quality_samples as i
    cross join (
        select 'network' as section
        union all select 'audio' as section
        union all select 'video' as section
        union all select 'screen_sharing' as section
    ) as s
    inner join misaligned_participants as d on d.participant_key = i.participant_key and d.meeting_date = i.meeting_date
    where i.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
        and i.meeting_date < coalesce(cast(until as date), date '9999-12-31')
) as q
group by q.participant_key, q.meeting_key, q.meeting_date, q.minute_utc;

-- True if one of the three is true, false if none is and at least one is known, otherwise NULL (unclassified).
create or replace macro any_of(a, b, c) as
coalesce(a, false) or coalesce(b, false) or coalesce(c, b, a);

-- Listening quality, estimated from delay, jitter and loss; not measured, and not averaged across media.

-- The rating R of the E-model by the simplified formula that network monitors use (NetBeez, CalSPEED): effective latency =
-- delay + 2 * jitter + 10 ms.
create or replace macro r_estimate(delay_ms, jitter_ms, loss_pct) as
93.2 - 2.5 * loss_pct
- case
    when delay_ms + 2 * jitter_ms + 10 < 160 then (delay_ms + 2 * jitter_ms + 10) / 40
    else (delay_ms + 2 * jitter_ms + 10 - 120) / 10
end;

-- MOS from R (ITU-T G.107), clamped to 1..4.5. NULL if one of the three inputs is unknown.
create or replace macro mos_of_r(r) as
case
    when r is null then null
    when r <= 0 then cast(1.0 as double)
    when r >= 100 then 4.5
    else greatest(cast(1.0 as double), 1 + 0.035 * r + 0.000007 * r * (r - 60) * (100 - r))
end;

-- MOS, 1 to 4.5, estimated from delay, jitter and loss; NULL if one of the three is unknown.
create or replace macro mos_estimate(delay_ms, jitter_ms, loss_pct) as mos_of_r(r_estimate(delay_ms, jitter_ms, loss_pct));

-- By how much the worst metric of a stream exceeds its threshold: the stream is poor above 0, otherwise good. NULL: no
-- bitrate, or no metric that the profile judges. x - y > 0 is exactly x > y, and greatest() ignores NULL.
create or replace macro audio_beyond(kbps, delay_ms, loss_pct, jitter_ms, max_delay_ms, max_loss_pct, max_jitter_ms) as
case when kbps > 0 then greatest(delay_ms - max_delay_ms, loss_pct - max_loss_pct, jitter_ms - max_jitter_ms) end;

-- The same for a video stream.
create or replace macro video_beyond(
    kbps, fps, delay_ms, loss_pct, jitter_ms, is_first_decisive, min_fps, max_delay_ms, max_loss_pct, max_jitter_ms
) as
case
    when not coalesce(kbps > 0, false) then null
    when is_first_decisive = 1 and min_fps - fps is not null then min_fps - fps
    else greatest(min_fps - fps, loss_pct - max_loss_pct, delay_ms - max_delay_ms, jitter_ms - max_jitter_ms)
end;

-- The same for sharing. A low frame rate is poor only together with loss or delay over the audio threshold: a still slide
-- needs no frames.
create or replace macro share_beyond(
    kbps, fps, delay_ms, loss_pct, jitter_ms, min_fps, max_delay_ms, max_loss_pct, max_jitter_ms, max_audio_delay_ms, max_audio_loss_pct
) as
case when kbps > 0 then greatest(
    loss_pct - max_loss_pct,
    cast(cast(fps < min_fps and (loss_pct > max_audio_loss_pct or delay_ms > max_audio_delay_ms) as integer) as double),
    delay_ms - max_delay_ms,
    jitter_ms - max_jitter_ms
) end;

-- Verdicts: true is poor, false is good, NULL is unclassified (no bitrate, or no metric that the profile judges).
-- marks: which thresholds the minute exceeds, whether or not the stream is active; NULL if none. Few minutes have
-- marks, and only those are examined further. Bits: 1 audio poor, 2 video poor, 4 sharing poor, 8 a received stream
-- poor, 16 received loss, 32 sent loss, 64 delay, 128 received jitter, 256 sent jitter, 512 sent video or sharing poor,
-- 1024 resolution at or below the licence cap. Of the ratios of loss, delay and jitter (in active streams) to their
-- thresholds, the largest is that of delay (2048) or jitter (4096), otherwise that of loss; see metric_of.

-- One row per participant-minute: the metrics, the verdict on each of the six streams, and whether the minute is poor.
create or replace macro quality_minutes(since := null, until := null, profile := 'cqd') as table
select
    m.participant_key,
    m.meeting_key,
    m.meeting_date,
    m.minute_utc,
    m.minute_local,
    m.delay_ms,
    m.loss_received_pct,
    m.loss_sent_pct,
    m.audio_bitrate_received_kbps,
    m.audio_bitrate_sent_kbps,
    m.audio_jitter_received_ms,
    m.audio_jitter_sent_ms,
    m.video_bitrate_received_kbps,
    m.video_jitter_received_ms,
    m.video_framerate_received_fps,
    m.video_height_received_px,
    m.video_bitrate_sent_kbps,
    m.video_jitter_sent_ms,
    m.video_framerate_sent_fps,
    m.video_height_sent_px,
    m.share_bitrate_received_kbps,
    m.share_jitter_received_ms,
    m.share_framerate_received_fps,
    m.share_height_received_px,
    m.share_bitrate_sent_kbps,
    m.share_jitter_sent_ms,
    m.share_framerate_sent_fps,
    m.share_height_sent_px,
    audio_beyond(m.audio_bitrate_received_kbps, m.delay_ms, m.loss_received_pct, m.audio_jitter_received_ms, m.audio_delay_ms, m.audio_loss_pct, m.audio_jitter_ms) > 0 as audio_received_poor,
    video_beyond(m.video_bitrate_received_kbps, m.video_framerate_received_fps, m.delay_ms, m.loss_received_pct, m.video_jitter_received_ms, m.video_first_metric_decides, m.video_framerate_fps, m.video_delay_ms, m.video_loss_pct, m.video_jitter_ms) > 0 as video_received_poor,
    share_beyond(m.share_bitrate_received_kbps, m.share_framerate_received_fps, m.delay_ms, m.loss_received_pct, m.share_jitter_received_ms, m.share_framerate_fps, m.share_delay_ms, m.share_loss_pct, m.share_jitter_ms, m.audio_delay_ms, m.audio_loss_pct) > 0 as share_received_poor,
    audio_beyond(m.audio_bitrate_sent_kbps, m.delay_ms, m.loss_sent_pct, m.audio_jitter_sent_ms, m.audio_delay_ms, m.audio_loss_pct, m.audio_jitter_ms) > 0 as audio_sent_poor,
    video_beyond(m.video_bitrate_sent_kbps, m.video_framerate_sent_fps, m.delay_ms, m.loss_sent_pct, m.video_jitter_sent_ms, m.video_first_metric_decides, m.video_framerate_fps, m.video_delay_ms, m.video_loss_pct, m.video_jitter_ms) > 0 as video_sent_poor,
    share_beyond(m.share_bitrate_sent_kbps, m.share_framerate_sent_fps, m.delay_ms, m.loss_sent_pct, m.share_jitter_sent_ms, m.share_framerate_fps, m.share_delay_ms, m.share_loss_pct, m.share_jitter_ms, m.audio_delay_ms, m.audio_loss_pct) > 0 as share_sent_poor,
    m.loss_received_pct > m.network_loss_pct as is_loss_received_bad,
    m.loss_sent_pct > m.network_loss_pct as is_loss_sent_bad,
    m.delay_ms > m.network_delay_ms as is_delay_bad,
    any_of(m.audio_bitrate_received_kbps > 0 and m.audio_jitter_received_ms > m.audio_jitter_ms, m.video_bitrate_received_kbps > 0 and m.video_jitter_received_ms > m.video_jitter_ms, m.share_bitrate_received_kbps > 0 and m.share_jitter_received_ms > m.share_jitter_ms) as is_jitter_received_bad,
    any_of(m.audio_bitrate_sent_kbps > 0 and m.audio_jitter_sent_ms > m.audio_jitter_ms, m.video_bitrate_sent_kbps > 0 and m.video_jitter_sent_ms > m.video_jitter_ms, m.share_bitrate_sent_kbps > 0 and m.share_jitter_sent_ms > m.share_jitter_ms) as is_jitter_sent_bad,
    mos_of_r(m.r_received) as mos_received_estimate,
    mos_of_r(m.r_sent) as mos_sent_estimate,
    case
        when m.marks & 7 <> 0 then true
        when audio_beyond(m.audio_bitrate_received_kbps, m.delay_ms, m.loss_received_pct, m.audio_jitter_received_ms, m.audio_delay_ms, m.audio_loss_pct, m.audio_jitter_ms) is not null then false
        when coalesce(
            audio_beyond(m.audio_bitrate_sent_kbps, m.delay_ms, m.loss_sent_pct, m.audio_jitter_sent_ms, m.audio_delay_ms, m.audio_loss_pct, m.audio_jitter_ms),
            video_beyond(m.video_bitrate_received_kbps, m.video_framerate_received_fps, m.delay_ms, m.loss_received_pct, m.video_jitter_received_ms, m.video_first_metric_decides, m.video_framerate_fps, m.video_delay_ms, m.video_loss_pct, m.video_jitter_ms),
            video_beyond(m.video_bitrate_sent_kbps, m.video_framerate_sent_fps, m.delay_ms, m.loss_sent_pct, m.video_jitter_sent_ms, m.video_first_metric_decides, m.video_framerate_fps, m.video_delay_ms, m.video_loss_pct, m.video_jitter_ms),
            share_beyond(m.share_bitrate_received_kbps, m.share_framerate_received_fps, m.delay_ms, m.loss_received_pct, m.share_jitter_received_ms, m.share_framerate_fps, m.share_delay_ms, m.share_loss_pct, m.share_jitter_ms, m.audio_delay_ms, m.audio_loss_pct),
            share_beyond(m.share_bitrate_sent_kbps, m.share_framerate_sent_fps, m.delay_ms, m.loss_sent_pct, m.share_jitter_sent_ms, m.share_framerate_fps, m.share_delay_ms, m.share_loss_pct, m.share_jitter_ms, m.audio_delay_ms, m.audio_loss_pct)
        ) is not null then false
    end as is_poor,
    m.marks
from (
    select
        a.*,
        l.*,
        case when a.audio_bitrate_received_kbps > 0
            then r_estimate(a.delay_ms, a.audio_jitter_received_ms, a.loss_received_pct) end as r_received,
        case when a.audio_bitrate_sent_kbps > 0
            then r_estimate(a.delay_ms, a.audio_jitter_sent_ms, a.loss_sent_pct) end as r_sent,
        case when greatest(
            a.delay_ms - l.network_delay_ms,
            a.loss_received_pct - l.network_loss_pct,
            a.loss_sent_pct - l.network_loss_pct,
            a.audio_jitter_received_ms - l.audio_jitter_ms,
            a.audio_jitter_sent_ms - l.audio_jitter_ms,
            a.video_jitter_received_ms - l.video_jitter_ms,
            a.video_jitter_sent_ms - l.video_jitter_ms,
            a.share_jitter_received_ms - l.share_jitter_ms,
            a.share_jitter_sent_ms - l.share_jitter_ms,
            l.video_framerate_fps - a.video_framerate_received_fps,
            l.video_framerate_fps - a.video_framerate_sent_fps
        ) > 0 then
            case when greatest(audio_beyond(a.audio_bitrate_received_kbps, a.delay_ms, a.loss_received_pct, a.audio_jitter_received_ms, l.audio_delay_ms, l.audio_loss_pct, l.audio_jitter_ms), audio_beyond(a.audio_bitrate_sent_kbps, a.delay_ms, a.loss_sent_pct, a.audio_jitter_sent_ms, l.audio_delay_ms, l.audio_loss_pct, l.audio_jitter_ms)) > 0 then 1 else 0 end
            + case when greatest(video_beyond(a.video_bitrate_received_kbps, a.video_framerate_received_fps, a.delay_ms, a.loss_received_pct, a.video_jitter_received_ms, l.video_first_metric_decides, l.video_framerate_fps, l.video_delay_ms, l.video_loss_pct, l.video_jitter_ms), video_beyond(a.video_bitrate_sent_kbps, a.video_framerate_sent_fps, a.delay_ms, a.loss_sent_pct, a.video_jitter_sent_ms, l.video_first_metric_decides, l.video_framerate_fps, l.video_delay_ms, l.video_loss_pct, l.video_jitter_ms)) > 0 then 2 else 0 end
            + case when greatest(share_beyond(a.share_bitrate_received_kbps, a.share_framerate_received_fps, a.delay_ms, a.loss_received_pct, a.share_jitter_received_ms, l.share_framerate_fps, l.share_delay_ms, l.share_loss_pct, l.share_jitter_ms, l.audio_delay_ms, l.audio_loss_pct), share_beyond(a.share_bitrate_sent_kbps, a.share_framerate_sent_fps, a.delay_ms, a.loss_sent_pct, a.share_jitter_sent_ms, l.share_framerate_fps, l.share_delay_ms, l.share_loss_pct, l.share_jitter_ms, l.audio_delay_ms, l.audio_loss_pct)) > 0 then 4 else 0 end
            + case when greatest(audio_beyond(a.audio_bitrate_received_kbps, a.delay_ms, a.loss_received_pct, a.audio_jitter_received_ms, l.audio_delay_ms, l.audio_loss_pct, l.audio_jitter_ms), video_beyond(a.video_bitrate_received_kbps, a.video_framerate_received_fps, a.delay_ms, a.loss_received_pct, a.video_jitter_received_ms, l.video_first_metric_decides, l.video_framerate_fps, l.video_delay_ms, l.video_loss_pct, l.video_jitter_ms), share_beyond(a.share_bitrate_received_kbps, a.share_framerate_received_fps, a.delay_ms, a.loss_received_pct, a.share_jitter_received_ms, l.share_framerate_fps, l.share_delay_ms, l.share_loss_pct, l.share_jitter_ms, l.audio_delay_ms, l.audio_loss_pct)) > 0 then 8 else 0 end
            + case when a.loss_received_pct > l.network_loss_pct then 16 else 0 end
            + case when a.loss_sent_pct > l.network_loss_pct then 32 else 0 end
            + case when a.delay_ms > l.network_delay_ms then 64 else 0 end
            + case when a.audio_bitrate_received_kbps > 0 and a.audio_jitter_received_ms > l.audio_jitter_ms or a.video_bitrate_received_kbps > 0 and a.video_jitter_received_ms > l.video_jitter_ms or a.share_bitrate_received_kbps > 0 and a.share_jitter_received_ms > l.share_jitter_ms then 128 else 0 end
            + case when a.audio_bitrate_sent_kbps > 0 and a.audio_jitter_sent_ms > l.audio_jitter_ms or a.video_bitrate_sent_kbps > 0 and a.video_jitter_sent_ms > l.video_jitter_ms or a.share_bitrate_sent_kbps > 0 and a.share_jitter_sent_ms > l.share_jitter_ms then 256 else 0 end
            + case when greatest(video_beyond(a.video_bitrate_sent_kbps, a.video_framerate_sent_fps, a.delay_ms, a.loss_sent_pct, a.video_jitter_sent_ms, l.video_first_metric_decides, l.video_framerate_fps, l.video_delay_ms, l.video_loss_pct, l.video_jitter_ms), share_beyond(a.share_bitrate_sent_kbps, a.share_framerate_sent_fps, a.delay_ms, a.loss_sent_pct, a.share_jitter_sent_ms, l.share_framerate_fps, l.share_delay_ms, l.share_loss_pct, l.share_jitter_ms, l.audio_delay_ms, l.audio_loss_pct)) > 0 then 512 else 0 end
            + case when a.video_height_received_px <= l.licence_video_px or a.video_height_sent_px <= l.licence_video_px
                or a.share_height_received_px <= l.licence_share_px or a.share_height_sent_px <= l.licence_share_px then 1024 else 0 end
            + case
                when greatest(case when a.audio_bitrate_received_kbps > 0 then a.audio_jitter_received_ms / l.audio_jitter_ms end, case when a.audio_bitrate_sent_kbps > 0 then a.audio_jitter_sent_ms / l.audio_jitter_ms end, case when a.video_bitrate_received_kbps > 0 then a.video_jitter_received_ms / l.video_jitter_ms end, case when a.video_bitrate_sent_kbps > 0 then a.video_jitter_sent_ms / l.video_jitter_ms end, case when a.share_bitrate_received_kbps > 0 then a.share_jitter_received_ms / l.share_jitter_ms end, case when a.share_bitrate_sent_kbps > 0 then a.share_jitter_sent_ms / l.share_jitter_ms end)
                    > greatest(a.delay_ms / l.network_delay_ms, a.loss_received_pct / l.network_loss_pct, a.loss_sent_pct / l.network_loss_pct, 0) then 4096
                when a.delay_ms / l.network_delay_ms > greatest(a.loss_received_pct / l.network_loss_pct, a.loss_sent_pct / l.network_loss_pct, 0) then 2048
                else 0
            end
        end as marks
    from aligned_minutes(since := since, until := until) as a
    cross join limits(profile := profile) as l
) as m;

-- The long view: participant x minute x medium x direction, six rows per minute, active or not.
create or replace macro stream_minutes(since := null, until := null, profile := 'cqd') as table
select
    x.participant_key,
    x.meeting_key,
    x.meeting_date,
    x.minute_utc,
    x.minute_local,
    x.medium,
    x.direction,
    x.bitrate_kbps,
    coalesce(x.bitrate_kbps > 0, false) as is_active,
    case when x.is_poor then 'poor' when x.is_poor = false then 'good' else 'unclassified' end as verdict
from (
    select
        m.participant_key,
        m.meeting_key,
        m.meeting_date,
        m.minute_utc,
        m.minute_local,
        s.medium,
        s.direction,
        case s.medium || s.direction
            when 'audioreceived' then m.audio_bitrate_received_kbps
            when 'audiosent' then m.audio_bitrate_sent_kbps
            when 'videoreceived' then m.video_bitrate_received_kbps
            when 'videosent' then m.video_bitrate_sent_kbps
            when 'sharereceived' then m.share_bitrate_received_kbps
            when 'sharesent' then m.share_bitrate_sent_kbps
        end as bitrate_kbps,
        case s.medium || s.direction
            when 'audioreceived' then m.audio_received_poor
            when 'audiosent' then m.audio_sent_poor
            when 'videoreceived' then m.video_received_poor
            when 'videosent' then m.video_sent_poor
            when 'sharereceived' then m.share_received_poor
            when 'sharesent' then m.share_sent_poor
        end as is_poor
    from quality_minutes(since := since, until := until, profile := profile) as m
    cross join (
        select 'audio' as medium, 'received' as direction
        union all select 'audio' as medium, 'sent' as direction
        union all select 'video' as medium, 'received' as direction
        union all select 'video' as medium, 'sent' as direction
        union all select 'share' as medium, 'received' as direction
        union all select 'share' as medium, 'sent' as direction
    ) as s
) as x;
