-- check: keys
-- requirement: No incident has a participant twice.
-- tables: incident_participants
select
    'incident_participants, ' || incident_id || ', ' || participant_key as place,
    'the key once' as expected,
    count(*) || ' times' as found
from incident_participants
group by incident_id, participant_key
having count(*) > 1
