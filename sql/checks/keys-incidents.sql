-- check: keys
-- requirement: No two incidents have the same id, which begins with the date.
-- tables: incidents
select
    'incidents, ' || incident_id as place,
    'the key once, with the date ' || coalesce(cast(min(meeting_date) as varchar), 'NULL') as expected,
    count(*) || ' times' as found
from incidents
group by incident_id
having count(*) > 1
    or left(incident_id, 10) <> cast(min(meeting_date) as varchar)
