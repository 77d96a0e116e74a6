-- id: r14
-- title: CPU overload
-- question: Whose computer is too slow for meetings, and how does that affect their video?
-- audience: workplace team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: top integer = 20: Maximum number of rows.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: who: ID of the person or room.
-- column: name: Name of the person or room.
-- column: device: Client device type.
-- column: version: Latest app version.
-- column: sessions: Participant rows.
-- column: n min: Minutes with a CPU value.
-- column: hot min: Hot minutes: app or system CPU usage at or above the threshold.
-- column: hot_pct %: Percentage of minutes that are hot; empty below min_n.
-- column: client_p95_pct %: 95th percentile of the app's peak CPU usage.
-- column: system_p95_pct %: 95th percentile of the system's peak CPU usage.
-- column: fps_out_hot fps: Median sent frame rate in hot minutes.
-- column: fps_out_else fps: Median sent frame rate in other minutes.
-- column: height_out_hot px: Median sent resolution (lines) in hot minutes.
-- column: height_out_else px: Median sent resolution (lines) in other minutes.
-- column: verdict: replace if the 95th percentile is over the threshold, otherwise watch.
-- column: profile: Profile used.
-- threshold: CPU thresholds by profile; cqd: app 80%, system 90% at peak (Google Meet quality playbook).
-- caveat: Frame rate and resolution come from the same item as the CPU values, which usually belong to the next minute:
--   good enough for medians, not for a single minute.
-- caveat: The CPU load may come from other programs.
-- empty: No minute in the window has CPU usage over the threshold, or Feishu reported no CPU values.
-- table: name, n, hot, hot_pct, verdict, device | version, client_p95_pct, system_p95_pct, fps_out_hot,
--   fps_out_else, who
-- next: report user {name|who}
select
    a.who,
    a.name,
    a.device,
    a.version,
    a.sessions,
    a.minutes as n,
    a.hot,
    share_pct(a.hot, a.minutes, $min_n) as hot_pct,
    round(a.client_p95, 0) as client_p95_pct,
    round(a.system_p95, 0) as system_p95_pct,
    round(a.fps_hot, 0) as fps_out_hot,
    round(a.fps_else, 0) as fps_out_else,
    round(a.height_hot, 0) as height_out_hot,
    round(a.height_else, 0) as height_out_else,
    case when a.client_p95 > a.client_limit or a.system_p95 > a.system_limit then 'replace' else 'watch' end as verdict,
    cast($profile as varchar) as profile
from (
    select
        b.*,
        row_number() over (order by b.hot desc, b.who, b.device) as place
    from (
        select
            m.who,
            max(m.participant_name) as name,
            m.device,
            max(m.app_version) as version,
            count(distinct m.participant_key) as sessions,
            count(*) as minutes,
            count(*) filter (where m.is_hot) as hot,
            percentile_cont(0.95) within group (order by m.client_pct) as client_p95,
            percentile_cont(0.95) within group (order by m.system_pct) as system_p95,
            percentile_cont(0.5) within group (order by case when m.is_hot then m.fps end) as fps_hot,
            percentile_cont(0.5) within group (order by case when not m.is_hot then m.fps end) as fps_else,
            percentile_cont(0.5) within group (order by case when m.is_hot then m.height end) as height_hot,
            percentile_cont(0.5) within group (order by case when not m.is_hot then m.height end) as height_else,
            max(m.client_limit) as client_limit,
            max(m.system_limit) as system_limit
        from (
            select
                f.who,
                f.participant_name,
                f.device,
                f.app_version,
                q.participant_key,
                q.client_max_cpu_usage_pct as client_pct,
                q.system_max_cpu_usage_pct as system_pct,
                case when q.video_bitrate_sent_kbps > 0 then q.video_framerate_sent_fps end as fps,
                case when q.video_bitrate_sent_kbps > 0 then q.video_maximum_resolution_sent_px end as height,
                coalesce(q.client_max_cpu_usage_pct > l.cpu_client_max_pct, false)
                    or coalesce(q.system_max_cpu_usage_pct > l.cpu_system_max_pct, false) as is_hot,
                l.cpu_client_max_pct as client_limit,
                l.cpu_system_max_pct as system_limit
            from quality_samples as q
            inner join participant_facts as f on f.participant_key = q.participant_key and f.meeting_date = q.meeting_date
            cross join limits(profile := $profile) as l
            where q.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
                and q.meeting_date < coalesce(cast($until as date), date '9999-12-31')
                and coalesce(q.client_max_cpu_usage_pct, q.system_max_cpu_usage_pct) is not null
        ) as m
        group by m.who, m.device
    ) as b
    where b.hot > 0
) as a
where a.place <= $top
order by a.place
