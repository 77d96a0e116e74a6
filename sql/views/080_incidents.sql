-- The profile by which the stored incidents are judged; an error if another one is requested. vcq-etl computes
-- the incidents of another profile and runs the report on them.
create or replace macro incident_profile(profile := null, report := 'incidents') as table
select n.profile
from meta as n
where case
    when coalesce(cast(profile as varchar) = n.profile, true) then true
    else error(
        'the incidents in this database are judged by the profile ' || n.profile || ', not by ' || cast(profile as varchar)
        || ': vcq-etl report run ' || cast(report as varchar) || ' --profile computes those of another profile'
    )
end;

-- Names of what incidents have in common. A macro and not a view, because a view always reads the stored incidents,
-- and vcq-etl puts those of another profile in their place for a session.

-- The latest name of people and rooms, and the topics of meetings. If several people or rooms have the same
-- name, the part of the e-mail address before the @ is added to it, or the ID.
create or replace macro incident_scope_names() as table
with scopes as (
    select distinct
        i.scope_kind,
        i.scope
    from incidents as i
    where i.scope_kind in ('person', 'room', 'meeting')
)

select
    d.scope_kind,
    d.scope,
    case
        when d.namesakes = 1 then d.name
        when count(*) over (partition by d.name, d.detail) = 1 then d.name || ' (' || d.detail || ')'
        else d.name || ' (' || d.scope || ')'
    end as scope_name
from (
    select
        s.scope_kind,
        s.scope,
        coalesce(r.room_name, n.participant_name) as name,
        coalesce(nullif(split_part(n.email, '@', 1), ''), s.scope) as detail,
        count(*) over (partition by coalesce(r.room_name, n.participant_name)) as namesakes
    from scopes as s
    left join rooms as r on r.room_id = s.scope and s.scope_kind = 'room'
    left join (
        select
            c.scope_kind,
            c.scope,
            p.participant_name,
            p.email,
            row_number() over (
                partition by c.scope_kind, c.scope order by p.join_time_utc desc nulls last, p.participant_key desc
            ) as place
        from scopes as c
        inner join participants as p on c.scope = case c.scope_kind when 'person' then p.user_id else p.room_id end
        where p.participant_name is not null and c.scope_kind <> 'meeting'
    ) as n on n.scope_kind = s.scope_kind and n.scope = s.scope and n.place = 1
    where s.scope_kind <> 'meeting'
) as d
union all
select
    s.scope_kind,
    s.scope,
    coalesce(m.meeting_topic, m.meeting_no) as scope_name
from scopes as s
inner join meetings as m on m.meeting_key = s.scope
where s.scope_kind = 'meeting';

-- Statuses of the values of a dimension that have incidents overlapping the window: critical for a critical one, else
-- degraded. None if the profile is not the one by which the stored incidents are judged.
create or replace macro incident_statuses(since := null, until := null, profile := 'cqd', dimension := 'site') as table
select
    i.scope as dimension_value,
    case when bool_or(i.severity = 'critical') then 'critical' else 'degraded' end as incident_status
from incidents as i
inner join meta as m on m.profile = cast(profile as varchar)
where i.start_time_local < coalesce(cast(until as date), date '9999-12-31')
    and i.end_time_local >= coalesce(cast(since as date), date '1900-01-01')
    and case cast(dimension as varchar)
        -- A site without a building is a subnet or a public network.
        when 'site' then i.scope_kind in ('site', 'subnet', 'egress')
        when 'building' then i.scope_kind = 'site'
        when 'network' then i.scope_kind = 'network_type'
        else i.scope_kind = cast(dimension as varchar)
    end
group by i.scope;

-- The worse of the status by the share of poor minutes and that of the incidents; without incidents, empty below min_n.
create or replace macro worse_status(poor, judged, min_n, degraded_pct, critical_pct, incident_status) as
    case
        when incident_status = 'critical' then 'critical'
        when judged >= greatest(min_n, 1) and 100.0 * poor >= critical_pct * judged then 'critical'
        when incident_status = 'degraded' then 'degraded'
        when judged >= greatest(min_n, 1) and 100.0 * poor >= degraded_pct * judged then 'degraded'
        when judged >= greatest(min_n, 1) then 'healthy'
    end;
