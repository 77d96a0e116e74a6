-- id: r17
-- title: Percentiles
-- question: What are the typical and the worst values of each metric?
-- audience: network team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: dimension text = all | site | building | network | protocol | path | location | egress | version | device
--   | department | kind: Dimension to group by.
-- parameter: min_n integer = 60: Hide percentiles based on fewer than this many minutes.
-- column: value: Dimension value.
-- column: metric: Metric, with its unit.
-- column: n min: Participant-minutes with this metric (active streams only).
-- column: p50: 50th percentile (median).
-- column: p90: 90th percentile.
-- column: p95: 95th percentile.
-- column: p99: 99th percentile.
-- column: worst: Worst value; the lowest for frame rates and bitrates.
-- column: reading: The 95th percentile in words (the 5th for frame rates and bitrates).
-- threshold: None: these are values, not verdicts.
-- caveat: Percentiles are over minutes, so people with more meeting time have more weight.
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- empty: The window has no judged minutes.
-- next: report run threshold-sheet
-- key: value, metric
with people as materialized (
    select
        d.participant_key,
        d.meeting_date,
        d.dimension_value,
        dense_rank() over (order by d.dimension_value) as dimension_no
    from dimension_values(since := $since, until := $until, dimension := $dimension) as d
),

minutes_of as (
    select
        d.dimension_no,
        m.delay_ms,
        m.loss_received_pct as loss_in_pct,
        m.loss_sent_pct as loss_out_pct,
        case when m.audio_bitrate_received_kbps > 0 then m.audio_jitter_received_ms end as audio_jitter_in_ms,
        case when m.audio_bitrate_sent_kbps > 0 then m.audio_jitter_sent_ms end as audio_jitter_out_ms,
        case when m.video_bitrate_received_kbps > 0 then m.video_framerate_received_fps end as video_fps_in,
        case when m.video_bitrate_sent_kbps > 0 then m.video_framerate_sent_fps end as video_fps_out,
        case when m.video_bitrate_received_kbps > 0 then m.video_bitrate_received_kbps end as video_kbps_in,
        case when m.video_bitrate_sent_kbps > 0 then m.video_bitrate_sent_kbps end as video_kbps_out
    from aligned_minutes(since := $since, until := $until) as m
    inner join people as d on d.participant_key = m.participant_key and d.meeting_date = m.meeting_date
),

-- One metric per row: eight of the nine grouping columns are NULL, and grouping() has a bit for each of them.
-- dimension_no, because numbers are compared faster than texts.
counted as (
    select
        c.dimension_no,
        case c.others
            when 255 then 'delay_ms'
            when 383 then 'loss_in_pct'
            when 447 then 'loss_out_pct'
            when 479 then 'audio_jitter_in_ms'
            when 495 then 'audio_jitter_out_ms'
            when 503 then 'video_fps_in'
            when 507 then 'video_fps_out'
            when 509 then 'video_kbps_in'
            when 510 then 'video_kbps_out'
        end as metric,
        c.metric_value,
        sum(c.minutes) over (partition by c.dimension_no, c.others order by c.metric_value) as cumulative_minutes,
        sum(c.minutes) over (partition by c.dimension_no, c.others) as n
    from (
        select
            q.dimension_no,
            256 * grouping(q.delay_ms)
            + 128 * grouping(q.loss_in_pct)
            + 64 * grouping(q.loss_out_pct)
            + 32 * grouping(q.audio_jitter_in_ms)
            + 16 * grouping(q.audio_jitter_out_ms)
            + 8 * grouping(q.video_fps_in)
            + 4 * grouping(q.video_fps_out)
            + 2 * grouping(q.video_kbps_in)
            + grouping(q.video_kbps_out) as others,
            coalesce(
                q.delay_ms, q.loss_in_pct, q.loss_out_pct, q.audio_jitter_in_ms, q.audio_jitter_out_ms,
                q.video_fps_in, q.video_fps_out, q.video_kbps_in, q.video_kbps_out
            ) as metric_value,
            cast(count(*) as double) as minutes
        from minutes_of as q
        group by grouping sets (
            (q.dimension_no, q.delay_ms),
            (q.dimension_no, q.loss_in_pct),
            (q.dimension_no, q.loss_out_pct),
            (q.dimension_no, q.audio_jitter_in_ms),
            (q.dimension_no, q.audio_jitter_out_ms),
            (q.dimension_no, q.video_fps_in),
            (q.dimension_no, q.video_fps_out),
            (q.dimension_no, q.video_kbps_in),
            (q.dimension_no, q.video_kbps_out)
        )
    ) as c
    where c.metric_value is not null
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
        v.value,
        g.metric,
        cast(max(g.n) as bigint) as n,
        counted_percentile(0.05, g.metric_value, g.cumulative_minutes, g.n) as p05,
        counted_percentile(0.5, g.metric_value, g.cumulative_minutes, g.n) as p50,
        counted_percentile(0.9, g.metric_value, g.cumulative_minutes, g.n) as p90,
        counted_percentile(0.95, g.metric_value, g.cumulative_minutes, g.n) as p95,
        counted_percentile(0.99, g.metric_value, g.cumulative_minutes, g.n) as p99,
        case
            when g.metric in ('video_fps_in', 'video_fps_out', 'video_kbps_in', 'video_kbps_out') then min(g.metric_value)
            else max(g.metric_value)
        end as worst
    from counted as g
    inner join (
        select distinct d.dimension_no, d.dimension_value as value
        from people as d
    ) as v on v.dimension_no = g.dimension_no
    group by v.value, g.metric
) as a
order by a.value, a.metric
