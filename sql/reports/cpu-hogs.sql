-- id: r14
-- title: CPU-limited video
-- question: Whose video is limited by a computer that is too slow, and on which device?
-- audience: workplace team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: top integer = 20: Maximum number of rows.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: name: Name of the person or room.
-- column: kind: person, room or guest.
-- column: device: Client device type.
-- column: version: Latest app version.
-- column: sessions: Participant rows with a CPU value.
-- column: days: Days with CPU-limited minutes.
-- column: n min: Minutes with a CPU value.
-- column: cpu min: CPU-limited minutes.
-- column: cpu_pct %: Percentage of CPU-limited minutes; empty below min_n.
-- column: poor min: Of these, poor minutes.
-- column: hot min: Minutes with the CPU of the app or the computer over its threshold, with or without effect.
-- column: client_p95_pct %: 95th percentile of the app's peak CPU usage.
-- column: system_p95_pct %: 95th percentile of the system's peak CPU usage.
-- column: fps_out_cpu fps: Median sent frame rate in these minutes.
-- column: fps_out_else fps: Median sent frame rate in other minutes.
-- column: height_out_cpu px: Median sent resolution (lines) in these minutes.
-- column: height_out_else px: Median sent resolution (lines) in other minutes.
-- column: verdict: replace if the 95th percentile is over the threshold, otherwise watch.
-- column: who: ID of the person or room.
-- column: profile: Profile used.
-- threshold: CPU thresholds by profile; cqd: app 80%, system 90% at peak (Google Meet quality playbook).
-- threshold: A minute is CPU-limited if the CPU is over its threshold, loss, delay and jitter are within theirs, and
--   video is below 15 fps or at most half as high as the highest of the same participant (this project's choice).
-- caveat: Received video counts by its height only while nothing is shared, and sharing only by its height: clients shrink
--   video beside a shared screen, and a still slide needs no frames.
-- caveat: The CPU load may come from other programs.
-- empty: Nobody had a CPU-limited minute in this window, or Feishu reported no CPU values.
-- table: name, device, n, cpu, cpu_pct, poor, verdict | hot, days, version, client_p95_pct, system_p95_pct, fps_out_cpu,
--   fps_out_else, kind, sessions, who
-- next: report user {name|who}
-- key: who
with limited as materialized (
    select
        m.participant_key,
        m.meeting_date,
        m.minute_utc,
        m.is_poor,
        f.who,
        f.device
    from cpu_minutes(since := $since, until := $until, profile := $profile) as m
    inner join participant_facts as f on f.participant_key = m.participant_key and f.meeting_date = m.meeting_date
),

hogs as (
    select
        s.who,
        s.device,
        count(*) as cpu,
        count(*) filter (where s.is_poor) as poor,
        count(distinct s.meeting_date) as days,
        min(s.minute_utc) as first_minute_utc
    from limited as s
    group by s.who, s.device
),

worst as materialized (
    select
        h.*,
        row_number() over (order by h.cpu desc, h.poor desc, h.first_minute_utc, h.who, h.device) as place
    from hogs as h
    order by place
    limit cast($top as bigint)
),

items as (
    select
        f.who,
        f.who_kind,
        f.participant_name,
        f.device,
        f.app_version,
        f.join_time_utc,
        q.participant_key,
        q.client_max_cpu_usage_pct as client_pct,
        q.system_max_cpu_usage_pct as system_pct,
        case when q.video_bitrate_sent_kbps > 0 then q.video_framerate_sent_fps end as fps,
        case when q.video_bitrate_sent_kbps > 0 then q.video_maximum_resolution_sent_px end as height,
        s.minute_utc is not null as is_limited,
        coalesce(q.client_max_cpu_usage_pct > l.cpu_client_max_pct, false)
            or coalesce(q.system_max_cpu_usage_pct > l.cpu_system_max_pct, false) as is_hot,
        q.client_max_cpu_usage_pct is not null or q.system_max_cpu_usage_pct is not null as has_cpu,
        l.cpu_client_max_pct as client_limit,
        l.cpu_system_max_pct as system_limit
    from quality_samples as q
    inner join participant_facts as f on f.participant_key = q.participant_key and f.meeting_date = q.meeting_date
    inner join worst as w on w.who = f.who and w.device is not distinct from f.device
    cross join limits(profile := $profile) as l
    left join limited as s
        on s.participant_key = q.participant_key
        and s.meeting_date = q.meeting_date
        and s.minute_utc = date_trunc('minute', q.sample_time_utc)
    where q.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and q.meeting_date < coalesce(cast($until as date), date '9999-12-31')
),

latest as (
    select
        i.who,
        i.device,
        i.participant_name,
        i.who_kind,
        i.app_version,
        row_number() over (partition by i.who, i.device order by i.join_time_utc desc, i.participant_key) as place
    from items as i
)

select
    n.participant_name as name,
    n.who_kind as kind,
    w.device,
    n.app_version as version,
    a.sessions,
    w.days,
    a.minutes as n,
    w.cpu,
    share_pct(w.cpu, a.minutes, $min_n) as cpu_pct,
    w.poor,
    a.hot,
    round(a.client_p95, 0) as client_p95_pct,
    round(a.system_p95, 0) as system_p95_pct,
    round(a.fps_cpu, 0) as fps_out_cpu,
    round(a.fps_else, 0) as fps_out_else,
    round(a.height_cpu, 0) as height_out_cpu,
    round(a.height_else, 0) as height_out_else,
    case when a.client_p95 > a.client_limit or a.system_p95 > a.system_limit then 'replace' else 'watch' end as verdict,
    w.who,
    cast($profile as varchar) as profile
from worst as w
inner join (
    select
        i.who,
        i.device,
        count(distinct i.participant_key) filter (where i.has_cpu) as sessions,
        count(*) filter (where i.has_cpu) as minutes,
        count(*) filter (where i.is_hot) as hot,
        quantile_cont(i.client_pct, 0.95) as client_p95,
        quantile_cont(i.system_pct, 0.95) as system_p95,
        quantile_cont(case when i.is_limited then i.fps end, 0.5) as fps_cpu,
        quantile_cont(case when not i.is_limited then i.fps end, 0.5) as fps_else,
        quantile_cont(case when i.is_limited then i.height end, 0.5) as height_cpu,
        quantile_cont(case when not i.is_limited then i.height end, 0.5) as height_else,
        max(i.client_limit) as client_limit,
        max(i.system_limit) as system_limit
    from items as i
    group by i.who, i.device
) as a on a.who = w.who and a.device is not distinct from w.device
inner join latest as n on n.who = w.who and n.device is not distinct from w.device and n.place = 1
order by w.place
