-- Shared by several reports.

-- What a participant can be grouped by. dimension is one of the words below; anything else gives NULL.
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

-- One row for each value of a dimension: volume, poor minutes, affected participants, percentiles, main cause.
create or replace macro quality_by(since := null, until := null, profile := 'cqd', dimension := 'site') as table
select
    a.dimension_value,
    v.participants,
    v.people,
    a.minutes,
    a.judged_minutes,
    a.poor_minutes,
    sum(a.poor_minutes) over () as all_poor_minutes,
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
    c.minutes as main_cause_minutes
from (
    select
        d.dimension_value,
        count(*) as minutes,
        count(m.is_poor) as judged_minutes,
        count(*) filter (where m.is_poor) as poor_minutes,
        percentile_cont(0.5) within group (order by m.delay_ms) as delay_p50_ms,
        percentile_cont(0.95) within group (order by m.delay_ms) as delay_p95_ms,
        percentile_cont(0.95) within group (order by m.loss_received_pct) as loss_received_p95_pct,
        percentile_cont(0.95) within group (order by m.loss_sent_pct) as loss_sent_p95_pct,
        percentile_cont(0.95) within group (order by m.audio_jitter_received_ms) as jitter_received_p95_ms,
        percentile_cont(0.1) within group (order by m.mos_received_estimate) as mos_p10_estimate
    from quality_minutes(since := since, until := until, profile := profile) as m
    inner join dimension_values(since := since, until := until, dimension := dimension) as d
        on d.participant_key = m.participant_key and d.meeting_date = m.meeting_date
    group by d.dimension_value
) as a
inner join (
    select
        d.dimension_value,
        count(*) as participants,
        count(distinct d.who) as people,
        count(p.is_affected) as judged_participants,
        count(*) filter (where p.is_affected) as affected_participants
    from participant_verdicts(since := since, until := until, profile := profile) as p
    inner join dimension_values(since := since, until := until, dimension := dimension) as d
        on d.participant_key = p.participant_key and d.meeting_date = p.meeting_date
    group by d.dimension_value
) as v on v.dimension_value = a.dimension_value
left join (
    select
        r.dimension_value,
        r.cause,
        r.minutes,
        row_number() over (partition by r.dimension_value order by r.minutes desc, r.cause) as place
    from (
        select
            d.dimension_value,
            x.cause,
            count(*) as minutes
        from poor_minutes(since := since, until := until, profile := profile) as x
        inner join dimension_values(since := since, until := until, dimension := dimension) as d
            on d.participant_key = x.participant_key and d.meeting_date = x.meeting_date
        group by d.dimension_value, x.cause
    ) as r
) as c on c.dimension_value = a.dimension_value and c.place = 1;

-- Why a report of a window has no rows: one row, one sentence. is_of_minutes: there are meetings, so that the reason is
-- in the minutes and their verdicts; a report that looks at neither has another.
create or replace macro why_no_rows(since := null, until := null, profile := 'cqd') as table
select
    case
        when e.meetings_in_store = 0 then 'The store holds no meetings yet: run vcq-etl sync.'
        when e.meetings = 0 then 'No meeting started in this window; the store holds '
            || cast(e.first_date as varchar) || ' to ' || cast(e.last_date as varchar) || '.'
        when e.minutes = 0 then 'The window has ' || cast(e.meetings as varchar)
            || ' meetings, but no quality minutes: see the report coverage.'
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
