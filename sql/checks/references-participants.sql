-- check: references
-- requirement: Every participant belongs to a meeting of the same date.
-- tables: participants, meetings
select
    'participants of ' || coalesce(cast(p.meeting_date as varchar), 'no date') || ', ' || p.participant_key as place,
    'a meeting of that date' as expected,
    'no meeting ' || coalesce(p.meeting_key, 'NULL') as found
from participants p
anti join meetings m
    on p.meeting_key = m.meeting_key and p.meeting_date = m.meeting_date
