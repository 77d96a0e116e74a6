-- check: incidents
-- requirement: An acute incident has the date of the meetings of its participants.
-- tables: incidents, incident_participants, participants
select
    'incidents, ' || i.incident_id as place,
    'participants of ' || cast(i.meeting_date as varchar) as expected,
    k.participant_key || ' of ' || coalesce(cast(k.meeting_date as varchar), 'no date') as found
from incidents as i
inner join incident_participants as p on p.incident_id = i.incident_id and p.meeting_date = i.meeting_date
inner join participants as k on k.participant_key = p.participant_key
where i.kind = 'acute'
    and k.meeting_date is distinct from i.meeting_date
