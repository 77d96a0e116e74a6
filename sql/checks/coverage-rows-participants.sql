-- check: coverage-rows
-- requirement: Every participant has a coverage row.
-- tables: participants, coverage
select
    'coverage of ' || coalesce(cast(p.meeting_date as varchar), 'no date') || ', ' || p.participant_key as place,
    'a row for this participant' as expected,
    'none' as found
from participants p
anti join coverage c on p.participant_key = c.participant_key
