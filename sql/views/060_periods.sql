-- Data that the HTML page needs in addition to the reports: totals of a period, its coverage by status, and the minutes
-- of its worst meetings. All macros take since (inclusive) and until (exclusive).

-- Meetings with at least one poor minute, ranked as in the report worst-meetings.
create or replace macro ranked_meetings(since := null, until := null, profile := 'cqd') as table
select
    v.*,
    row_number() over (order by v.poor_minutes desc, v.judged_minutes, v.meeting_key) as place
from meeting_verdicts(since := since, until := until, profile := profile) as v
where v.poor_minutes > 0;

-- Coverage of each date: expected minutes, those of them in the store (capped per participant), and those of
-- participants whose data can be requested (not unaddressable or unsupported).
create or replace macro coverage_of_dates(since := null, until := null) as table
select
    c.meeting_date,
    count(*) as rows,
    sum(c.expected_minutes) as expected_minutes,
    sum(least(c.sample_count, c.expected_minutes)) as covered_minutes,
    sum(case when c.status in ('unaddressable', 'unsupported') then 0 else c.expected_minutes end) as askable_minutes
from coverage as c
where c.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
    and c.meeting_date < coalesce(cast(until as date), date '9999-12-31')
group by c.meeting_date;

-- Minutes in the store relative to expected minutes, capped per participant. askable_pct excludes participants whose
-- data cannot be requested (unaddressable, unsupported); the scorecard compares it with the coverage target, and the
-- page warns about incomplete data below that target.
create or replace macro coverage_share(since := null, until := null, on_dates := null) as table
select
    coalesce(cast(sum(c.rows) as bigint), 0) as rows,
    sum(c.expected_minutes) as expected_minutes,
    100.0 * sum(c.covered_minutes) / nullif(sum(c.expected_minutes), 0) as covered_pct,
    100.0 * sum(c.covered_minutes) / nullif(sum(c.askable_minutes), 0) as askable_pct
from coverage_of_dates(since := since, until := until) as c
where on_dates is null or contains(on_dates, cast(c.meeting_date as varchar));

-- The totals of the entire window in one row, and of the dates in on_dates in another (is_held), in one pass over the
-- minutes.
create or replace macro held_totals(since := null, until := null, profile := 'cqd', on_dates := null) as table
with dates as materialized (
    select
        c.meeting_date,
        coalesce(contains(on_dates, cast(c.meeting_date as varchar)), true) as is_held,
        c.rows,
        c.expected_minutes,
        c.covered_minutes,
        c.askable_minutes
    from coverage_of_dates(since := since, until := until) as c
),

periods as materialized (
    select false as is_held, d.meeting_date, d.rows, d.expected_minutes, d.covered_minutes, d.askable_minutes
    from dates as d
    union all
    select true as is_held, d.meeting_date, d.rows, d.expected_minutes, d.covered_minutes, d.askable_minutes
    from dates as d
    where d.is_held
),

values_of as materialized (
    select
        d.is_held,
        r_estimate(m.delay_ms, m.audio_jitter_received_ms, m.loss_received_pct) as r,
        cast(count(*) as double) as minutes
    from aligned_minutes(since := since, until := until) as m
    inner join dates as d on d.meeting_date = m.meeting_date
    where m.audio_bitrate_received_kbps > 0
    group by d.is_held, r_estimate(m.delay_ms, m.audio_jitter_received_ms, m.loss_received_pct)
)

select
    k.is_held,
    coalesce(v.minutes, 0) as minutes,
    coalesce(v.judged_minutes, 0) as judged_minutes,
    coalesce(v.poor_minutes, 0) as poor_minutes,
    coalesce(cast(d.n as bigint), 0) as mos_minutes,
    d.mos_p10,
    d.mos_p50,
    coalesce(v.meetings, 0) as meetings,
    coalesce(v.judged_meetings, 0) as judged_meetings,
    coalesce(v.poor_meetings, 0) as poor_meetings,
    coalesce(v.participants, 0) as participants,
    coalesce(v.judged_participants, 0) as judged_participants,
    coalesce(v.affected_participants, 0) as affected_participants,
    coalesce(s.judged_streams, 0) as judged_streams,
    coalesce(s.poor_streams, 0) as poor_streams,
    coalesce(c.rows, 0) as coverage_rows,
    c.expected_minutes,
    100.0 * c.covered_minutes / nullif(c.expected_minutes, 0) as covered_pct,
    100.0 * c.covered_minutes / nullif(c.askable_minutes, 0) as askable_pct
from (select false as is_held union all select true as is_held) as k
left join (
    select
        p.is_held,
        cast(sum(p.rows) as bigint) as rows,
        sum(p.expected_minutes) as expected_minutes,
        sum(p.covered_minutes) as covered_minutes,
        sum(p.askable_minutes) as askable_minutes
    from periods as p
    group by p.is_held
) as c on c.is_held = k.is_held
left join (
    select
        u.is_held,
        max(u.n) as n,
        counted_percentile(0.1, mos_of_r(u.r), u.upto, u.n) as mos_p10,
        counted_percentile(0.5, mos_of_r(u.r), u.upto, u.n) as mos_p50
    from (
        select
            e.is_held,
            e.r,
            sum(e.minutes) over (partition by e.is_held order by e.r) as upto,
            sum(e.minutes) over (partition by e.is_held) as n
        from (
            select false as is_held, x.r, x.minutes from values_of as x where x.r is not null
            union all
            select true as is_held, x.r, x.minutes from values_of as x where x.r is not null and x.is_held
        ) as e
    ) as u
    group by u.is_held
) as d on d.is_held = k.is_held
left join (
    select
        p.is_held,
        count(*) as meetings,
        count(g.is_poor) as judged_meetings,
        count(*) filter (where g.is_poor) as poor_meetings,
        cast(sum(g.participants) as bigint) as participants,
        cast(sum(g.judged_participants) as bigint) as judged_participants,
        cast(sum(g.affected_participants) as bigint) as affected_participants,
        cast(sum(g.minutes) as bigint) as minutes,
        cast(sum(g.judged_minutes) as bigint) as judged_minutes,
        cast(sum(g.poor_minutes) as bigint) as poor_minutes
    from meeting_verdicts(since := since, until := until, profile := profile) as g
    inner join periods as p on p.meeting_date = g.meeting_date
    group by p.is_held
) as v on v.is_held = k.is_held
left join (
    select
        p.is_held,
        cast(sum(q.judged_streams) as bigint) as judged_streams,
        cast(sum(q.poor_streams) as bigint) as poor_streams
    from (
        select
            a.meeting_date,
            count(*) filter (where a.verdict <> 'unclassified') as judged_streams,
            count(*) filter (where a.verdict = 'poor') as poor_streams
        from audio_stream_verdicts(since := since, until := until, profile := profile) as a
        group by a.meeting_date
    ) as q
    inner join periods as p on p.meeting_date = q.meeting_date
    group by p.is_held
) as s on s.is_held = k.is_held;

-- The totals of the window in one row; callers compute percentages with share_pct and a min_n.
create or replace macro period_totals(since := null, until := null, profile := 'cqd', on_dates := null) as table
select
    t.minutes,
    t.judged_minutes,
    t.poor_minutes,
    t.mos_minutes,
    t.mos_p10,
    t.mos_p50,
    t.meetings,
    t.judged_meetings,
    t.poor_meetings,
    t.participants,
    t.judged_participants,
    t.affected_participants,
    t.judged_streams,
    t.poor_streams,
    t.coverage_rows,
    t.expected_minutes,
    t.covered_pct,
    t.askable_pct
from held_totals(since := since, until := until, profile := profile, on_dates := on_dates) as t
where t.is_held;

-- Coverage of the window by status and reason.
create or replace macro coverage_reasons(since := null, until := null) as table
select
    c.status,
    c.reason,
    count(*) as rows,
    cast(sum(c.expected_minutes) as bigint) as expected_min,
    cast(sum(c.sample_count) as bigint) as samples,
    cast(sum(greatest(c.expected_minutes - c.sample_count, 0)) as bigint) as missing_min
from coverage as c
where c.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
    and c.meeting_date < coalesce(cast(until as date), date '9999-12-31')
group by c.status, c.reason
order by missing_min desc, rows desc, c.status, c.reason;

-- Participants of the `top` worst meetings, most poor minutes first. place: rank of the meeting in worst-meetings.
-- utc_offset_min: offset of the meeting's local time, so that people in several time zones share one time axis.
create or replace macro meeting_people(since := null, until := null, profile := 'cqd', top := 20) as table
select
    r.place,
    p.participant_key,
    coalesce(f.participant_name, f.who) as who,
    f.who_kind as kind,
    f.site,
    f.network_kind as network,
    f.device,
    f.app_version as version,
    p.judged_minutes as n,
    p.poor_minutes as poor,
    p.is_affected,
    k.utc_offset_min,
    row_number() over (partition by r.place order by p.poor_minutes desc, p.minutes desc, f.join_time_utc, who, p.participant_key) as person_no
from ranked_meetings(since := since, until := until, profile := profile) as r
inner join participant_verdicts(since := since, until := until, profile := profile) as p
    on p.meeting_key = r.meeting_key and p.meeting_date = r.meeting_date
inner join participant_facts as f on f.participant_key = p.participant_key and f.meeting_date = p.meeting_date
left join meetings as k on k.meeting_key = r.meeting_key and k.meeting_date = r.meeting_date
where r.place <= top
order by r.place, person_no;

-- The minutes of these participants, as in the report meeting-timeline; at most `people` participants per meeting.
create or replace macro meeting_minutes(since := null, until := null, profile := 'cqd', top := 20, people := 50) as table
select
    w.place,
    w.person_no,
    m.minute_utc,
    m.is_poor,
    p.cause,
    m.audio_received_poor,
    m.audio_sent_poor,
    m.video_received_poor,
    m.video_sent_poor,
    m.share_received_poor,
    m.share_sent_poor,
    m.delay_ms,
    m.loss_received_pct as loss_in_pct,
    m.loss_sent_pct as loss_out_pct,
    m.audio_jitter_received_ms as jitter_in_ms,
    m.audio_jitter_sent_ms as jitter_out_ms,
    m.video_framerate_received_fps as video_in_fps,
    m.video_height_received_px as video_in_px,
    c.client_pct as client_cpu_pct,
    c.system_pct as system_cpu_pct
from quality_minutes(since := since, until := until, profile := profile) as m
inner join meeting_people(since := since, until := until, profile := profile, top := top) as w
    on w.participant_key = m.participant_key
left join (
    select
        q.participant_key,
        date_trunc('minute', coalesce(q.cpu_usage_time_utc, q.sample_time_utc)) as minute_utc,
        max(q.client_max_cpu_usage_pct) as client_pct,
        max(q.system_max_cpu_usage_pct) as system_pct
    from quality_samples as q
    where q.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
        and q.meeting_date < coalesce(cast(until as date), date '9999-12-31')
    group by q.participant_key, date_trunc('minute', coalesce(q.cpu_usage_time_utc, q.sample_time_utc))
) as c on c.participant_key = m.participant_key and c.minute_utc = m.minute_utc
left join poor_minutes(since := since, until := until, profile := profile) as p
    on p.participant_key = m.participant_key and p.minute_utc = m.minute_utc
where w.person_no <= people
order by w.place, w.person_no, m.minute_utc;
