-- id: r01
-- title: Daily summary
-- question: How was each day compared with the target and the previous week?
-- audience: IT lead
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: date local: Local date on which the meetings start.
-- column: meetings: Meetings with at least one minute of quality data.
-- column: participants: Participant rows with at least one minute of quality data.
-- column: rooms: Distinct rooms among them.
-- column: hours h: Participant-minutes in the store, in hours.
-- column: n min: Judged participant-minutes.
-- column: poor_pct %: Percentage of judged participant-minutes that are poor; empty below min_n.
-- column: week_before_pct %: Percentage of the judged minutes of the previous seven days that are poor; empty below min_n.
-- column: delta_pp pp: poor_pct minus week_before_pct; positive means worse.
-- column: held_days: Number of the previous seven days that the store holds.
-- column: audio_in_pct %: Percentage of received audio minutes that are poor.
-- column: audio_out_pct %: Percentage of sent audio minutes that are poor.
-- column: video_in_pct %: Percentage of received video minutes that are poor.
-- column: video_out_pct %: Percentage of sent video minutes that are poor.
-- column: share_in_pct %: Percentage of received sharing minutes that are poor.
-- column: share_out_pct %: Percentage of sent sharing minutes that are poor.
-- column: audio_streams_pct %: Percentage of audio streams that are poor. Metrics are averaged per stream, then judged,
--   so the number is comparable with Microsoft's dashboard.
-- column: target: met or missed: audio_streams_pct compared with the target; empty below 30 judged streams.
-- column: affected_pct %: Percentage of judged participants that are affected.
-- column: poor_meetings: Meetings in which at least two participants, and at least 20% of them, are affected.
-- column: top_cause: Most frequent cause of poor minutes: metric and direction.
-- column: cpu min: CPU-limited minutes, poor or not; see cpu-hogs.
-- column: mos_p10 MOS est.: MOS estimate, 10th percentile of received audio minutes.
-- column: mos_p50 MOS est.: MOS estimate, median.
-- column: unclassified_pct %: Percentage of participant-minutes without a verdict.
-- column: coverage_pct %: Percentage of expected minutes that are in the store; at most 100 per participant.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: A participant counts as affected if more than 10% of their minutes are poor or they have an episode of
--   three consecutive poor minutes (this project's choice).
-- threshold: Target: 3% poor audio streams overall (Microsoft Quality of Experience Review guide).
-- caveat: Minutes that lack a bitrate or a required metric are unclassified and excluded from all percentages; see the
--   report unclassified.
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- caveat: MOS is estimated from delay, jitter and loss; it is not measured.
-- caveat: week_before_pct uses the days before since, if the store has them; otherwise it is empty. A day is held if it
--   has meetings or a complete run covers it.
-- empty: The window has no judged minutes.
-- table: date, meetings, participants, n, poor_pct, week_before_pct, delta_pp, target | affected_pct, top_cause,
--   cpu, held_days, coverage_pct, hours, poor_meetings, rooms, mos_p10
-- next: report run worst-meetings
-- key: date
with judged as materialized (
    select
        v.meeting_key,
        v.meeting_date,
        v.minutes,
        v.judged_minutes,
        v.poor_minutes,
        v.is_affected,
        v.cause,
        v.cause_minutes,
        v.cause_no,
        f.room_id
    from verdict_causes(since := cast($since as date) - 7, until := $until, profile := $profile) as v
    left join participants as f on f.participant_key = v.participant_key and f.meeting_date = v.meeting_date
),

meetings_of as (
    select
        j.meeting_date,
        j.meeting_key,
        count(*) as participants,
        cast(sum(j.minutes) as bigint) as minutes,
        cast(sum(j.judged_minutes) as bigint) as judged_minutes,
        cast(sum(j.poor_minutes) as bigint) as poor_minutes,
        count(j.is_affected) as judged,
        count(*) filter (where j.is_affected) as affected
    from judged as j
    where j.cause_no = 1
    group by j.meeting_date, j.meeting_key
),

days as materialized (
    select
        t.*,
        share_pct(t.poor_minutes, t.judged_minutes, $min_n) as poor_pct
    from (
        select
            m.meeting_date,
            count(*) as meetings,
            cast(sum(m.participants) as bigint) as participants,
            cast(sum(m.minutes) as bigint) as minutes,
            cast(sum(m.judged_minutes) as bigint) as judged_minutes,
            cast(sum(m.poor_minutes) as bigint) as poor_minutes,
            cast(sum(m.judged) as bigint) as judged,
            cast(sum(m.affected) as bigint) as affected,
            count(*) filter (
                where m.judged > 0
                    and m.affected >= k.meeting_affected_participants
                    and 100.0 * m.affected / m.judged >= k.meeting_affected_pct
            ) as poor_meetings
        from meetings_of as m
        cross join limits(profile := $profile) as k
        group by m.meeting_date
    ) as t
)

select
    d.meeting_date as date,
    d.meetings,
    d.participants,
    r.rooms,
    round(d.minutes / 60.0, 1) as hours,
    d.judged_minutes as n,
    d.poor_pct,
    share_pct(w.poor_minutes, w.judged_minutes, $min_n) as week_before_pct,
    round(d.poor_pct - share_pct(w.poor_minutes, w.judged_minutes, $min_n), 1) as delta_pp,
    coalesce(h.days, 0) as held_days,
    share_pct(q.audio_in_poor, q.audio_in, $min_n) as audio_in_pct,
    share_pct(q.audio_out_poor, q.audio_out, $min_n) as audio_out_pct,
    share_pct(q.video_in_poor, q.video_in, $min_n) as video_in_pct,
    share_pct(q.video_out_poor, q.video_out, $min_n) as video_out_pct,
    share_pct(q.share_in_poor, q.share_in, $min_n) as share_in_pct,
    share_pct(q.share_out_poor, q.share_out, $min_n) as share_out_pct,
    share_pct(s.poor_streams, s.streams, 30) as audio_streams_pct,
    case
        when s.streams < 30 then null
        when 100.0 * s.poor_streams / s.streams > l.target_overall_pct then 'missed'
        else 'met'
    end as target,
    share_pct(d.affected, d.judged, 10) as affected_pct,
    d.poor_meetings,
    c.cause as top_cause,
    coalesce(u.minutes, 0) as cpu,
    round(e.mos_p10, 2) as mos_p10,
    round(e.mos_p50, 2) as mos_p50,
    share_pct(d.minutes - d.judged_minutes, d.minutes, $min_n) as unclassified_pct,
    k.coverage_pct,
    cast($profile as varchar) as profile
from days as d
cross join limits(profile := $profile) as l
left join (
    select
        j.meeting_date,
        count(distinct j.room_id) as rooms
    from judged as j
    group by j.meeting_date
) as r on r.meeting_date = d.meeting_date
left join (
    select
        m.meeting_date,
        count(m.audio_received_poor) as audio_in,
        count(*) filter (where m.audio_received_poor) as audio_in_poor,
        count(m.audio_sent_poor) as audio_out,
        count(*) filter (where m.audio_sent_poor) as audio_out_poor,
        count(m.video_received_poor) as video_in,
        count(*) filter (where m.video_received_poor) as video_in_poor,
        count(m.video_sent_poor) as video_out,
        count(*) filter (where m.video_sent_poor) as video_out_poor,
        count(m.share_received_poor) as share_in,
        count(*) filter (where m.share_received_poor) as share_in_poor,
        count(m.share_sent_poor) as share_out,
        count(*) filter (where m.share_sent_poor) as share_out_poor
    from quality_minutes(since := $since, until := $until, profile := $profile) as m
    group by m.meeting_date
) as q on q.meeting_date = d.meeting_date
left join (
    select
        c.meeting_date,
        counted_percentile(0.1, mos_of_r(c.r), c.upto, c.n) as mos_p10,
        counted_percentile(0.5, mos_of_r(c.r), c.upto, c.n) as mos_p50
    from (
        select
            y.meeting_date,
            y.r,
            sum(y.minutes) over (partition by y.meeting_date order by y.r) as upto,
            sum(y.minutes) over (partition by y.meeting_date) as n
        from (
            select
                m.meeting_date,
                r_estimate(m.delay_ms, m.audio_jitter_received_ms, m.loss_received_pct) as r,
                cast(count(*) as double) as minutes
            from aligned_minutes(since := $since, until := $until) as m
            where m.audio_bitrate_received_kbps > 0
                and m.delay_ms is not null
                and m.audio_jitter_received_ms is not null
                and m.loss_received_pct is not null
            group by m.meeting_date, r_estimate(m.delay_ms, m.audio_jitter_received_ms, m.loss_received_pct)
        ) as y
    ) as c
    group by c.meeting_date
) as e on e.meeting_date = d.meeting_date
left join (
    select
        g.meeting_date,
        cast(sum(b.poor_minutes) as bigint) as poor_minutes,
        cast(sum(b.judged_minutes) as bigint) as judged_minutes
    from (
        select distinct c.meeting_date
        from coverage as c
        where c.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
            and c.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    ) as g
    inner join days as b on b.meeting_date < g.meeting_date and b.meeting_date >= g.meeting_date - 7
    group by g.meeting_date
) as w on w.meeting_date = d.meeting_date
left join (
    select
        g.meeting_date,
        count(*) as days
    from days as g
    inner join held_dates as b on b.date < g.meeting_date and b.date >= g.meeting_date - 7
    group by g.meeting_date
) as h on h.meeting_date = d.meeting_date
left join (
    select
        m.meeting_date,
        count(*) as minutes
    from cpu_minutes(since := $since, until := $until, profile := $profile) as m
    group by m.meeting_date
) as u on u.meeting_date = d.meeting_date
left join (
    select
        a.meeting_date,
        count(*) filter (where a.verdict <> 'unclassified') as streams,
        count(*) filter (where a.verdict = 'poor') as poor_streams
    from audio_stream_verdicts(since := $since, until := $until, profile := $profile) as a
    group by a.meeting_date
) as s on s.meeting_date = d.meeting_date
left join (
    select
        j.meeting_date,
        j.cause,
        row_number() over (partition by j.meeting_date order by sum(j.cause_minutes) desc, j.cause) as place
    from judged as j
    where j.cause is not null
    group by j.meeting_date, j.cause
) as c on c.meeting_date = d.meeting_date and c.place = 1
left join (
    select
        o.meeting_date,
        round(100.0 * sum(least(o.sample_count, o.expected_minutes)) / nullif(sum(o.expected_minutes), 0), 1) as coverage_pct
    from coverage as o
    where o.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and o.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    group by o.meeting_date
) as k on k.meeting_date = d.meeting_date
where d.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
order by d.meeting_date desc
