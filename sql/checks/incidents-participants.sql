-- check: incidents
-- requirement: An incident has participants, and no fewer poor minutes than they have.
-- tables: incidents, incident_participants
select
    'incidents, ' || i.incident_id as place,
    'no more than ' || coalesce(cast(i.poor_minutes as varchar), 'NULL') || ' poor minutes' as expected,
    coalesce(cast(p.poor_minutes as varchar), 'none') || ' in incident_participants' as found
from incidents as i
left join (
    select
        incident_id,
        sum(poor_minutes) as poor_minutes
    from incident_participants
    group by incident_id
) as p on p.incident_id = i.incident_id
where coalesce(p.poor_minutes <= i.poor_minutes, false) = false
