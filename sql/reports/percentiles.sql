-- id: r17
-- title: Percentiles
-- question: What are the usual and the worst values of each metric?
-- audience: network team
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: dimension text = all | site | building | network | protocol | path | location | egress | version | device |
--   department | kind: What is told apart.
-- parameter: min_n integer = 60: Values with fewer minutes show no percentiles.
-- column: value: Which one.
-- column: metric: What was measured, with its unit.
-- column: n min: Participant-minutes with it (active streams only).
-- column: p50: Half of the minutes are at or below.
-- column: p90: 90 % are.
-- column: p95: 95 % are.
-- column: p99: 99 % are.
-- column: worst: The worst minute; for frame rates the lowest.
-- column: reading: The 95 % in words; for frame rates the 5 %.
-- threshold: None: these are values, not verdicts.
-- caveat: A percentile over minutes is weighted by time: who meets much, weighs much.
-- caveat: The vendor tells loss for the whole connection, not for each medium.
-- empty: Nothing was judged in this window; see why_no_rows, or the reports coverage and unclassified.
with long as (
    select
        d.dimension_value,
        s.metric,
        case s.metric
            when 'delay_ms' then m.delay_ms
            when 'loss_in_pct' then m.loss_received_pct
            when 'loss_out_pct' then m.loss_sent_pct
            when 'audio_jitter_in_ms' then case when m.audio_bitrate_received_kbps > 0 then m.audio_jitter_received_ms end
            when 'audio_jitter_out_ms' then case when m.audio_bitrate_sent_kbps > 0 then m.audio_jitter_sent_ms end
            when 'video_fps_in' then case when m.video_bitrate_received_kbps > 0 then m.video_framerate_received_fps end
            when 'video_fps_out' then case when m.video_bitrate_sent_kbps > 0 then m.video_framerate_sent_fps end
            when 'video_kbps_in' then case when m.video_bitrate_received_kbps > 0 then m.video_bitrate_received_kbps end
            when 'video_kbps_out' then case when m.video_bitrate_sent_kbps > 0 then m.video_bitrate_sent_kbps end
        end as x
    from aligned_minutes(since := $since, until := $until) as m
    inner join dimension_values(since := $since, until := $until, dimension := $dimension) as d
        on d.participant_key = m.participant_key and d.meeting_date = m.meeting_date
    cross join (
        select 'delay_ms' as metric
        union all select 'loss_in_pct' as metric
        union all select 'loss_out_pct' as metric
        union all select 'audio_jitter_in_ms' as metric
        union all select 'audio_jitter_out_ms' as metric
        union all select 'video_fps_in' as metric
        union all select 'video_fps_out' as metric
        union all select 'video_kbps_in' as metric
        union all select 'video_kbps_out' as metric
    ) as s
)

select
    a.value,
    a.metric,
    a.n,
    case when a.n >= $min_n then round(a.p50, 1) end as p50,
    case when a.n >= $min_n then round(a.p90, 1) end as p90,
    case when a.n >= $min_n then round(a.p95, 1) end as p95,
    case when a.n >= $min_n then round(a.p99, 1) end as p99,
    case when a.n >= $min_n then a.worst end as worst,
    case
        when a.n < $min_n then null
        when a.metric in ('video_fps_in', 'video_fps_out', 'video_kbps_in', 'video_kbps_out')
            then '95 % of the minutes had at least ' || cast(round(a.p05, 1) as varchar)
        else '95 % of the minutes had at most ' || cast(round(a.p95, 1) as varchar)
    end as reading
from (
    select
        g.dimension_value as value,
        g.metric,
        count(*) as n,
        percentile_cont(0.05) within group (order by g.x) as p05,
        percentile_cont(0.5) within group (order by g.x) as p50,
        percentile_cont(0.9) within group (order by g.x) as p90,
        percentile_cont(0.95) within group (order by g.x) as p95,
        percentile_cont(0.99) within group (order by g.x) as p99,
        case
            when g.metric in ('video_fps_in', 'video_fps_out', 'video_kbps_in', 'video_kbps_out') then min(g.x)
            else max(g.x)
        end as worst
    from long as g
    where g.x is not null
    group by g.dimension_value, g.metric
) as a
order by a.value, a.metric
