-- check: references
-- requirement: Every sample belongs to a participant of the same date and meeting.
-- tables: quality_samples, participants
select
    'quality_samples of ' || coalesce(cast(s.meeting_date as varchar), 'no date') || ', ' || s.participant_key as place,
    'a participant of that date and meeting' as expected,
    'none for ' || s.samples || ' samples of meeting ' || coalesce(s.meeting_key, 'NULL') as found
from (
    select participant_key, meeting_key, meeting_date, count(*) as samples
    from quality_samples
    group by all
) s
anti join participants p
    on s.participant_key = p.participant_key
    and s.meeting_key = p.meeting_key
    and s.meeting_date = p.meeting_date
