-- id: r12
-- title: Uplink or downlink
-- question: Is the uplink or the downlink the problem, and for which network type?
-- audience: network team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- parameter: dimension text = network | site | location | egress | device | version | department | kind: Dimension to
--   group by.
-- column: value: Dimension value.
-- column: participants: Participant rows with minutes.
-- column: n min: Participant-minutes with loss or audio jitter in both directions.
-- column: up_only min: Minutes with sent loss or jitter over the threshold, received within it.
-- column: down_only min: Minutes with received loss or jitter over the threshold, sent within it.
-- column: both min: Minutes with loss or jitter over the threshold in both directions.
-- column: bound: up, down, both or mixed: the direction of at least half of these minutes; empty below 10 minutes.
-- column: up_pct %: up_only plus both, as a percentage of n; empty below min_n.
-- column: down_pct %: down_only plus both, as a percentage of n; empty below min_n.
-- column: loss_out_p95_pct %: 95th percentile of sent packet loss.
-- column: loss_in_p95_pct %: 95th percentile of received packet loss.
-- column: jitter_out_p95_ms ms: 95th percentile of sent audio jitter.
-- column: jitter_in_p95_ms ms: 95th percentile of received audio jitter.
-- column: profile: Profile used.
-- threshold: Thresholds for loss and audio jitter by profile (table thresholds).
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- caveat: Loss and jitter received can also come from the sender's side; the report diagnosis separates this as far
--   end.
-- empty: The window has no judged minutes.
-- table: value, n, up_only, down_only, both, bound, up_pct, down_pct | participants, loss_out_p95_pct,
--   loss_in_p95_pct, jitter_out_p95_ms, jitter_in_p95_ms
-- next: report run by-network
-- key: value
with people as materialized (
    select
        d.participant_key,
        d.meeting_date,
        d.dimension_value,
        dense_rank() over (order by d.dimension_value) as dimension_no,
        row_number() over (order by d.participant_key) as participant_no
    from dimension_values(since := $since, until := $until, dimension := $dimension) as d
),

-- Counted by participant, and by value of each metric. dimension_no, because numbers are compared faster than texts.
counted as materialized (
    select
        g.dimension_no,
        g.participant_no,
        8 * grouping(g.loss_sent_pct)
        + 4 * grouping(g.loss_received_pct)
        + 2 * grouping(g.audio_jitter_sent_ms)
        + grouping(g.audio_jitter_received_ms) as metric,
        coalesce(g.loss_sent_pct, g.loss_received_pct, g.audio_jitter_sent_ms, g.audio_jitter_received_ms) as x,
        count(*) as minutes,
        count(*) filter (where g.is_up_bad and not g.is_down_bad) as up_only,
        count(*) filter (where g.is_down_bad and not g.is_up_bad) as down_only,
        count(*) filter (where g.is_down_bad and g.is_up_bad) as both_ways
    from (
        select
            d.dimension_no,
            d.participant_no,
            m.loss_sent_pct,
            m.loss_received_pct,
            m.audio_jitter_sent_ms,
            m.audio_jitter_received_ms,
            coalesce(m.is_loss_sent_bad or m.is_jitter_sent_bad, false) as is_up_bad,
            coalesce(m.is_loss_received_bad or m.is_jitter_received_bad, false) as is_down_bad
        from quality_minutes(since := $since, until := $until, profile := $profile) as m
        inner join people as d on d.participant_key = m.participant_key and d.meeting_date = m.meeting_date
        where coalesce(m.is_loss_sent_bad, m.is_jitter_sent_bad) is not null
            and coalesce(m.is_loss_received_bad, m.is_jitter_received_bad) is not null
    ) as g
    group by grouping sets (
        (g.dimension_no, g.participant_no),
        (g.dimension_no, g.loss_sent_pct),
        (g.dimension_no, g.loss_received_pct),
        (g.dimension_no, g.audio_jitter_sent_ms),
        (g.dimension_no, g.audio_jitter_received_ms)
    )
),

-- grouping() has a bit for each metric that is not in the grouping set: 7 is the first of the four, 14 the last.
percentiles as (
    select
        p.dimension_no,
        max(case when p.metric = 7 then p.p95 end) as loss_out,
        max(case when p.metric = 11 then p.p95 end) as loss_in,
        max(case when p.metric = 13 then p.p95 end) as jitter_out,
        max(case when p.metric = 14 then p.p95 end) as jitter_in
    from (
        select
            u.dimension_no,
            u.metric,
            counted_percentile(0.95, u.x, u.upto, u.n) as p95
        from (
            select
                c.dimension_no,
                c.metric,
                c.x,
                sum(cast(c.minutes as double)) over (partition by c.dimension_no, c.metric order by c.x) as upto,
                sum(cast(c.minutes as double)) over (partition by c.dimension_no, c.metric) as n
            from counted as c
            where c.x is not null
        ) as u
        group by u.dimension_no, u.metric
    ) as p
    group by p.dimension_no
)

select
    a.value,
    a.participants,
    a.known as n,
    a.up_only,
    a.down_only,
    a.both_ways as both,
    case
        when a.up_only + a.down_only + a.both_ways < 10 then null
        when 2 * a.up_only >= a.up_only + a.down_only + a.both_ways then 'up'
        when 2 * a.down_only >= a.up_only + a.down_only + a.both_ways then 'down'
        when 2 * a.both_ways >= a.up_only + a.down_only + a.both_ways then 'both'
        else 'mixed'
    end as bound,
    share_pct(a.up_only + a.both_ways, a.known, $min_n) as up_pct,
    share_pct(a.down_only + a.both_ways, a.known, $min_n) as down_pct,
    round(a.loss_out, 1) as loss_out_p95_pct,
    round(a.loss_in, 1) as loss_in_p95_pct,
    round(a.jitter_out, 0) as jitter_out_p95_ms,
    round(a.jitter_in, 0) as jitter_in_p95_ms,
    cast($profile as varchar) as profile
from (
    select
        v.value,
        t.participants,
        t.known,
        t.up_only,
        t.down_only,
        t.both_ways,
        p.loss_out,
        p.loss_in,
        p.jitter_out,
        p.jitter_in
    from (
        select
            c.dimension_no,
            count(*) as participants,
            cast(sum(c.minutes) as bigint) as known,
            cast(sum(c.up_only) as bigint) as up_only,
            cast(sum(c.down_only) as bigint) as down_only,
            cast(sum(c.both_ways) as bigint) as both_ways
        from counted as c
        where c.participant_no is not null
        group by c.dimension_no
    ) as t
    inner join (
        select distinct d.dimension_no, d.dimension_value as value
        from people as d
    ) as v on v.dimension_no = t.dimension_no
    left join percentiles as p on p.dimension_no = t.dimension_no
) as a
order by a.up_only + a.down_only + a.both_ways desc, a.value
