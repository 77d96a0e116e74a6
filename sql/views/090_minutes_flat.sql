-- Everything about a minute in one row, for spreadsheets and tools that join nothing.

-- One row per participant-minute: the meeting, who, where, the connection and the device, what was measured, the
-- verdict, and the metric and direction of the cause if the minute is poor. The minutes of the CPU in the report
-- diagnosis are those with is_cpu_limited. Filter by meeting_date.
create or replace macro minutes_flat(since := null, until := null, profile := 'cqd') as table
select
    m.meeting_date,
    m.minute_local,
    m.minute_utc,
    g.meeting_topic,
    f.meeting_no,
    g.organizer,
    coalesce(f.participant_name, f.who) as name,
    f.who_kind,
    f.department,
    f.building,
    f.floor,
    f.city,
    f.site,
    f.subnet,
    f.egress,
    f.location,
    f.is_inside,
    f.network_kind,
    f.protocol,
    f.use_rtc_proxy,
    f.device,
    f.app_version,
    m.is_poor,
    c.metric,
    c.direction,
    c.cause,
    l.minute_utc is not null as is_cpu_limited,
    m.audio_received_poor,
    m.audio_sent_poor,
    m.video_received_poor,
    m.video_sent_poor,
    m.share_received_poor,
    m.share_sent_poor,
    m.delay_ms,
    m.loss_received_pct,
    m.loss_sent_pct,
    m.audio_bitrate_received_kbps,
    m.audio_bitrate_sent_kbps,
    m.audio_jitter_received_ms,
    m.audio_jitter_sent_ms,
    m.mos_received_estimate,
    m.mos_sent_estimate,
    m.video_bitrate_received_kbps,
    m.video_bitrate_sent_kbps,
    m.video_jitter_received_ms,
    m.video_jitter_sent_ms,
    m.video_framerate_received_fps,
    m.video_framerate_sent_fps,
    m.video_height_received_px,
    m.video_height_sent_px,
    m.share_bitrate_received_kbps,
    m.share_bitrate_sent_kbps,
    m.share_framerate_received_fps,
    m.share_framerate_sent_fps,
    u.client_cpu_pct,
    u.system_cpu_pct,
    f.who,
    m.participant_key,
    m.meeting_key
from quality_minutes(since := since, until := until, profile := profile) as m
left join participant_facts as f
    on f.participant_key = m.participant_key
    and f.meeting_date = m.meeting_date
left join meetings as g
    on g.meeting_key = m.meeting_key
    and g.meeting_date = m.meeting_date
left join caused_minutes(since := since, until := until, profile := profile) as c
    on c.participant_key = m.participant_key
    and c.meeting_date = m.meeting_date
    and c.minute_utc = m.minute_utc
    and c.metric is not null
left join cpu_minutes(since := since, until := until, profile := profile) as l
    on l.participant_key = m.participant_key
    and l.meeting_date = m.meeting_date
    and l.minute_utc = m.minute_utc
left join (
    select
        q.participant_key,
        q.meeting_date,
        date_trunc('minute', coalesce(q.cpu_usage_time_utc, q.sample_time_utc)) as minute_utc,
        max(q.client_max_cpu_usage_pct) as client_cpu_pct,
        max(q.system_max_cpu_usage_pct) as system_cpu_pct
    from quality_samples as q
    where q.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
        and q.meeting_date < coalesce(cast(until as date), date '9999-12-31')
    group by q.participant_key, q.meeting_date, date_trunc('minute', coalesce(q.cpu_usage_time_utc, q.sample_time_utc))
) as u
    on u.participant_key = m.participant_key
    and u.meeting_date = m.meeting_date
    and u.minute_utc = m.minute_utc;

-- The macro minutes_flat with the profile cqd: one row per participant-minute. Filter by meeting_date.
create or replace view minutes_flat as select * from minutes_flat();
