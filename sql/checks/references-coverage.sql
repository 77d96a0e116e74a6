-- check: references
-- requirement: Every coverage row belongs to a participant, or as `<meeting_key>/*` to a meeting, of the same date.
-- tables: coverage, participants, meetings
select
    'coverage of ' || coalesce(cast(c.meeting_date as varchar), 'no date') || ', ' || c.participant_key as place,
    'a participant of that date and meeting, or a meeting''s /*' as expected,
    'neither' as found
from coverage c
anti join (
    select participant_key, meeting_key, meeting_date from participants
    union all
    select meeting_key || '/*', meeting_key, meeting_date from meetings
) p
    on c.participant_key = p.participant_key
    and c.meeting_key = p.meeting_key
    and c.meeting_date = p.meeting_date
