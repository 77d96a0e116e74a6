-- check: incidents
-- requirement: An incident has participants, and its poor minutes are theirs.
-- tables: incidents, incident_participants
select
    'incidents, ' || i.incident_id as place,
    coalesce(cast(i.poor_minutes as varchar), 'NULL') || ' poor minutes' as expected,
    coalesce(cast(p.poor_minutes as varchar), 'none') || ' in incident_participants' as found
from incidents as i
left join (
    select
        incident_id,
        sum(poor_minutes) as poor_minutes
    from incident_participants
    group by incident_id
) as p on p.incident_id = i.incident_id
where p.poor_minutes is distinct from i.poor_minutes
