-- id: r14
-- title: Computers at their limit
-- question: Whose computer is too slow for meetings, and what does it cost them?
-- audience: workplace team
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: profile text = cqd: Limits to judge by: cqd, strict, huawei-red or custom; the report threshold-sheet
--   lists them.
-- parameter: top integer = 20: Most rows shown.
-- parameter: min_n integer = 60: Fewer judged minutes show no share: it would be chance.
-- column: who: Id of the person or room.
-- column: name: Name.
-- column: device: Device.
-- column: version: App version, the latest.
-- column: sessions: Participant rows.
-- column: n min: Minutes with CPU.
-- column: hot min: Minutes with client or system at the limit.
-- column: hot_pct %: Their share; empty below min_n.
-- column: client_p95_pct %: Peak CPU of the app that 5 % of the minutes are above.
-- column: system_p95_pct %: The same for the machine.
-- column: fps_out_hot fps: Median frames sent in hot minutes.
-- column: fps_out_else fps: In the others.
-- column: height_out_hot px: Median lines sent in hot minutes.
-- column: height_out_else px: In the others.
-- column: verdict: replace: 95th percentile at the limit; watch: less.
-- column: profile: Limits used.
-- threshold: CPU limits by the chosen profile; cqd: client 80 %, system 90 % at peak (Google Meet quality playbook).
-- caveat: Frames and lines are those of the vendor's item, whose CPU is usually of the minute after: fine for medians,
--   not for a single minute.
-- caveat: A machine can be hot from other work than the meeting.
-- empty: No minute of this window has CPU at the limit, or the vendor sent no CPU.
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
