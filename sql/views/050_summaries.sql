-- Macros shared by several reports.

-- The dimension value of each participant; 'unknown' if the dimension does not exist.
create or replace macro dimension_values(since := null, until := null, dimension := 'site') as table
select
    f.participant_key,
    f.meeting_key,
    f.meeting_date,
    f.who,
    f.who_kind,
    f.network_kind,
    coalesce(case cast(dimension as varchar)
        when 'all' then 'all'
        when 'site' then f.site
        when 'building' then f.building
        when 'floor' then f.building || ' ' || coalesce(f.floor, '')
        when 'subnet' then f.subnet
        when 'egress' then f.egress
        when 'location' then f.location
        when 'network' then f.network_kind
        when 'protocol' then f.protocol
        when 'path' then case when f.use_rtc_proxy then 'proxy' when f.use_rtc_proxy = false then 'direct' end
            || ' ' || coalesce(f.protocol, '?')
        when 'inside' then case
            when f.is_vpn then 'vpn'
            when f.is_inside then 'inside'
            when f.building is not null then 'mapped, outside'
            when f.is_home_like then 'home-like range'
            else 'not in the building map'
        end
        when 'version' then f.app_version
        when 'device' then f.device
        when 'department' then f.department
        when 'kind' then f.who_kind
        when 'room' then case when f.who_kind = 'room' then coalesce(f.participant_name, f.room_id) end
        when 'microphone' then f.microphone
        when 'speaker' then f.speaker
        when 'camera' then f.camera
    end, 'unknown') as dimension_value
from participant_facts as f
where f.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
    and f.meeting_date < coalesce(cast(until as date), date '9999-12-31');

-- One row per dimension value: volume, poor minutes, affected participants, percentiles, main cause, CPU-limited
-- minutes.
create or replace macro quality_by(since := null, until := null, profile := 'cqd', dimension := 'site') as table
with judged as materialized (
    select
        v.participant_key,
        v.meeting_date,
        d.dimension_value,
        d.dimension_no,
        d.who,
        v.minutes,
        v.judged_minutes,
        v.poor_minutes,
        v.is_affected,
        v.cause,
        v.cause_minutes,
        v.cause_no
    from verdict_causes(since := since, until := until, profile := profile) as v
    inner join (
        select
            x.participant_key,
            x.meeting_date,
            x.who,
            x.dimension_value,
            dense_rank() over (order by x.dimension_value) as dimension_no
        from dimension_values(since := since, until := until, dimension := dimension) as x
    ) as d on d.participant_key = v.participant_key and d.meeting_date = v.meeting_date
),

-- Numbers are compared faster than texts, and MOS is computed once per value of R, not once per minute.
counted as (
    select
        c.dimension_no,
        c.metric,
        case when c.metric = 30 then mos_of_r(c.x) else c.x end as x,
        sum(c.minutes) over (partition by c.dimension_no, c.metric order by c.x) as upto,
        sum(c.minutes) over (partition by c.dimension_no, c.metric) as n
    from (
        select
            e.dimension_no,
            16 * grouping(e.delay_ms)
            + 8 * grouping(e.loss_received_pct)
            + 4 * grouping(e.loss_sent_pct)
            + 2 * grouping(e.audio_jitter_received_ms)
            + grouping(e.r_received) as metric,
            coalesce(e.delay_ms, e.loss_received_pct, e.loss_sent_pct, e.audio_jitter_received_ms, e.r_received) as x,
            cast(count(*) as double) as minutes
        from (
            select
                d.dimension_no,
                m.delay_ms,
                m.loss_received_pct,
                m.loss_sent_pct,
                m.audio_jitter_received_ms,
                case when m.audio_bitrate_received_kbps > 0
                    then r_estimate(m.delay_ms, m.audio_jitter_received_ms, m.loss_received_pct) end as r_received
            from aligned_minutes(since := since, until := until) as m
            inner join judged as d
                on d.participant_key = m.participant_key
                and d.meeting_date = m.meeting_date
                and d.cause_no = 1
        ) as e
        group by grouping sets (
            (e.dimension_no, e.delay_ms),
            (e.dimension_no, e.loss_received_pct),
            (e.dimension_no, e.loss_sent_pct),
            (e.dimension_no, e.audio_jitter_received_ms),
            (e.dimension_no, e.r_received)
        )
    ) as c
    where c.x is not null
),

-- grouping() has a bit for each column that is not in the grouping set: 15 is the first of the five columns, 30 the
-- last.
percentiles as (
    select
        p.dimension_no,
        max(case when p.metric = 15 then p.p50 end) as delay_p50_ms,
        max(case when p.metric = 15 then p.p95 end) as delay_p95_ms,
        max(case when p.metric = 23 then p.p95 end) as loss_received_p95_pct,
        max(case when p.metric = 27 then p.p95 end) as loss_sent_p95_pct,
        max(case when p.metric = 29 then p.p95 end) as jitter_received_p95_ms,
        max(case when p.metric = 30 then p.p10 end) as mos_p10_estimate
    from (
        select
            k.dimension_no,
            k.metric,
            counted_percentile(0.1, k.x, k.upto, k.n) as p10,
            counted_percentile(0.5, k.x, k.upto, k.n) as p50,
            counted_percentile(0.95, k.x, k.upto, k.n) as p95
        from counted as k
        group by k.dimension_no, k.metric
    ) as p
    group by p.dimension_no
)

select
    v.dimension_value,
    v.participants,
    v.people,
    v.minutes,
    v.judged_minutes,
    v.poor_minutes,
    sum(v.poor_minutes) over () as all_poor_minutes,
    v.judged_participants,
    v.affected_participants,
    wilson_low_pct(v.affected_participants, v.judged_participants) as affected_low_pct,
    wilson_high_pct(v.affected_participants, v.judged_participants) as affected_high_pct,
    a.delay_p50_ms,
    a.delay_p95_ms,
    a.loss_received_p95_pct,
    a.loss_sent_p95_pct,
    a.jitter_received_p95_ms,
    a.mos_p10_estimate,
    c.cause as main_cause,
    c.minutes as main_cause_minutes,
    coalesce(u.minutes, 0) as cpu_minutes
from (
    select
        j.dimension_no,
        j.dimension_value,
        count(*) as participants,
        count(distinct j.who) as people,
        cast(sum(j.minutes) as bigint) as minutes,
        cast(sum(j.judged_minutes) as bigint) as judged_minutes,
        cast(sum(j.poor_minutes) as bigint) as poor_minutes,
        count(j.is_affected) as judged_participants,
        count(*) filter (where j.is_affected) as affected_participants
    from judged as j
    where j.cause_no = 1
    group by j.dimension_no, j.dimension_value
) as v
left join percentiles as a on a.dimension_no = v.dimension_no
left join (
    select
        j.dimension_no,
        j.cause,
        cast(sum(j.cause_minutes) as bigint) as minutes,
        row_number() over (partition by j.dimension_no order by sum(j.cause_minutes) desc, j.cause) as place
    from judged as j
    where j.cause is not null
    group by j.dimension_no, j.cause
) as c on c.dimension_no = v.dimension_no and c.place = 1
left join (
    select
        j.dimension_no,
        count(*) as minutes
    from cpu_minutes(since := since, until := until, profile := profile) as m
    inner join judged as j
        on j.participant_key = m.participant_key
        and j.meeting_date = m.meeting_date
        and j.cause_no = 1
    group by j.dimension_no
) as u on u.dimension_no = v.dimension_no;

-- One sentence that explains why a report has no rows in the window. is_of_minutes: the window has meetings, so the
-- cause is in the minutes or verdicts; a report that uses neither shows its own text instead.
create or replace macro why_no_rows(since := null, until := null, profile := 'cqd') as table
select
    case
        when e.meetings_in_store = 0 then 'The store holds no meetings yet: run vcq-etl sync.'
        when e.meetings = 0 then 'No meeting started in this window; the store holds '
            || cast(e.first_date as varchar) || ' to ' || cast(e.last_date as varchar) || '.'
        when e.minutes = 0 then 'The window has ' || cast(e.meetings as varchar)
            || ' meetings, but no quality data: see the report coverage.'
        when e.judged_minutes = 0 then 'None of the ' || cast(e.minutes as varchar)
            || ' minutes could be judged: see the report unclassified.'
        else 'There are ' || cast(e.judged_minutes as varchar)
            || ' judged minutes; nothing in them meets the conditions of this report and its parameters.'
    end as sentence,
    e.meetings > 0 as is_of_minutes
from (
    select
        k.*,
        q.minutes,
        q.judged_minutes
    from (
        select
            count(*) as meetings_in_store,
            min(g.meeting_date) as first_date,
            max(g.meeting_date) as last_date,
            count(*) filter (
                where g.meeting_date >= coalesce(cast(since as date), date '1900-01-01')
                    and g.meeting_date < coalesce(cast(until as date), date '9999-12-31')
            ) as meetings
        from meetings as g
    ) as k
    cross join (
        select
            count(*) as minutes,
            count(m.is_poor) as judged_minutes
        from quality_minutes(since := since, until := until, profile := profile) as m
    ) as q
) as e;
