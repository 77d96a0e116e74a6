-- One row for each minute of a participant, with the verdict on each of its six streams.
-- Count hours here (rows / 60), never from the long view stream_minutes: that has six rows for a minute.

-- The minute of a section is that of its own time. For nearly everybody an item is a minute. misaligned_participants are
-- put together again section by section; sections that meet in one minute are averaged. CPU is usually a minute later and
-- only joined where needed (poor_minutes). since is inclusive, until exclusive, both meeting dates; they reach every scan.
create or replace macro aligned_minutes(since := null, until := null) as table
select
    q.participant_key,
    q.meeting_key,
    q.meeting_date,
    date_trunc('minute', q.sample_time_utc) as minute_utc,
    date_trunc('minute', q.sample_time_local) as minute_local,
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
where q.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
    and q.meeting_date < coalesce(cast(until as date), date '9999-12-31')
    and not exists (
        select 1
        from misaligned_participants as d
        where d.participant_key = q.participant_key
            and d.meeting_date = q.meeting_date
    )
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

-- True where one of three holds, false where none does and at least one is known, else NULL (unclassified).
create or replace macro any_of(a, b, c) as
case when a or b or c then true when coalesce(a, b, c) is not null then false end;

-- Listening quality, estimated from delay, jitter and loss: never measured, never averaged across media.
-- R by the practical form that network monitors use (NetBeez, CalSPEED): effective latency = delay + 2 * jitter + 10 ms.
create or replace macro r_estimate(delay_ms, jitter_ms, loss_pct) as
93.2 - 2.5 * loss_pct
- case
    when delay_ms + 2 * jitter_ms + 10 < 160 then (delay_ms + 2 * jitter_ms + 10) / 40
    else (delay_ms + 2 * jitter_ms + 10 - 120) / 10
end;
-- The opinion score of an R (ITU-T G.107), held between 1 and 4.5. NULL where one of the three is unknown.
create or replace macro mos_of_r(r) as
case
    when r is null then null
    when r <= 0 then cast(1.0 as double)
    when r >= 100 then 4.5
    else greatest(cast(1.0 as double), 1 + 0.035 * r + 0.000007 * r * (r - 60) * (100 - r))
end;
create or replace macro mos_estimate(delay_ms, jitter_ms, loss_pct) as mos_of_r(r_estimate(delay_ms, jitter_ms, loss_pct));

-- The verdicts: true poor, false good, NULL unclassified (no bit rate, or no metric that the profile has a limit for).
create or replace macro quality_minutes(since := null, until := null, profile := 'cqd') as table
select
    v.*,
    case
        when v.audio_received_poor or v.audio_sent_poor or v.video_received_poor or v.video_sent_poor
            or v.share_received_poor or v.share_sent_poor then true
        when coalesce(
            v.audio_received_poor, v.audio_sent_poor, v.video_received_poor, v.video_sent_poor,
            v.share_received_poor, v.share_sent_poor
        ) is not null then false
    end as is_poor
from (
    select
        m.*,
        case when m.audio_bitrate_received_kbps > 0 then any_of(
            m.delay_ms > l.audio_delay_ms, m.loss_received_pct > l.audio_loss_pct, m.audio_jitter_received_ms > l.audio_jitter_ms
        ) end as audio_received_poor,
        case
            when m.video_bitrate_received_kbps is null or m.video_bitrate_received_kbps <= 0 then null
            when l.video_first_metric_decides = 1 and m.video_framerate_received_fps < l.video_framerate_fps then true
            when l.video_first_metric_decides = 1 and m.video_framerate_received_fps >= l.video_framerate_fps then false
            else any_of(
                m.video_framerate_received_fps < l.video_framerate_fps,
                m.loss_received_pct > l.video_loss_pct,
                any_of(m.delay_ms > l.video_delay_ms, m.video_jitter_received_ms > l.video_jitter_ms, null)
            )
        end as video_received_poor,
        case when m.share_bitrate_received_kbps > 0 then any_of(
            m.loss_received_pct > l.share_loss_pct,
            m.share_framerate_received_fps < l.share_framerate_fps
                and (m.loss_received_pct > l.audio_loss_pct or m.delay_ms > l.audio_delay_ms),
            any_of(m.delay_ms > l.share_delay_ms, m.share_jitter_received_ms > l.share_jitter_ms, null)
        ) end as share_received_poor,
        case when m.audio_bitrate_sent_kbps > 0 then any_of(
            m.delay_ms > l.audio_delay_ms, m.loss_sent_pct > l.audio_loss_pct, m.audio_jitter_sent_ms > l.audio_jitter_ms
        ) end as audio_sent_poor,
        case
            when m.video_bitrate_sent_kbps is null or m.video_bitrate_sent_kbps <= 0 then null
            when l.video_first_metric_decides = 1 and m.video_framerate_sent_fps < l.video_framerate_fps then true
            when l.video_first_metric_decides = 1 and m.video_framerate_sent_fps >= l.video_framerate_fps then false
            else any_of(
                m.video_framerate_sent_fps < l.video_framerate_fps,
                m.loss_sent_pct > l.video_loss_pct,
                any_of(m.delay_ms > l.video_delay_ms, m.video_jitter_sent_ms > l.video_jitter_ms, null)
            )
        end as video_sent_poor,
        case when m.share_bitrate_sent_kbps > 0 then any_of(
            m.loss_sent_pct > l.share_loss_pct,
            m.share_framerate_sent_fps < l.share_framerate_fps
                and (m.loss_sent_pct > l.audio_loss_pct or m.delay_ms > l.audio_delay_ms),
            any_of(m.delay_ms > l.share_delay_ms, m.share_jitter_sent_ms > l.share_jitter_ms, null)
        ) end as share_sent_poor,
        m.loss_received_pct > l.network_loss_pct as is_loss_received_bad,
        m.loss_sent_pct > l.network_loss_pct as is_loss_sent_bad,
        m.delay_ms > l.network_delay_ms as is_delay_bad,
        any_of(
            m.audio_bitrate_received_kbps > 0 and m.audio_jitter_received_ms > l.audio_jitter_ms,
            m.video_bitrate_received_kbps > 0 and m.video_jitter_received_ms > l.video_jitter_ms,
            m.share_bitrate_received_kbps > 0 and m.share_jitter_received_ms > l.share_jitter_ms
        ) as is_jitter_received_bad,
        any_of(
            m.audio_bitrate_sent_kbps > 0 and m.audio_jitter_sent_ms > l.audio_jitter_ms,
            m.video_bitrate_sent_kbps > 0 and m.video_jitter_sent_ms > l.video_jitter_ms,
            m.share_bitrate_sent_kbps > 0 and m.share_jitter_sent_ms > l.share_jitter_ms
        ) as is_jitter_sent_bad,
        case when m.audio_bitrate_received_kbps > 0
            then mos_estimate(m.delay_ms, m.audio_jitter_received_ms, m.loss_received_pct) end as mos_received_estimate,
        case when m.audio_bitrate_sent_kbps > 0
            then mos_estimate(m.delay_ms, m.audio_jitter_sent_ms, m.loss_sent_pct) end as mos_sent_estimate
    from aligned_minutes(since := since, until := until) as m
    cross join limits(profile := profile) as l
) as v;

-- The long view: participant x minute x medium x direction, six rows for each minute, active or not.
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
