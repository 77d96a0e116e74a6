-- check: coverage-status
-- requirement: The expected minutes follow from the participant: its time in the meeting, else the time from join to
--   leave, rounded up.
-- tables: coverage, participants
select
    'coverage of ' || coalesce(cast(c.meeting_date as varchar), 'no date') || ', ' || c.participant_key as place,
    'expected_minutes ' || coalesce(cast(p.minutes as varchar), 'NULL') || ', from participants' as expected,
    'expected_minutes ' || coalesce(cast(c.expected_minutes as varchar), 'NULL') as found
from coverage c
join (
    select
        participant_key,
        (
            coalesce(
                time_in_meeting_s,
                -- Join and leave in whole seconds.
                case
                    when leave_time_utc < join_time_utc then 0
                    else epoch_us(leave_time_utc) // 1000000 - epoch_us(join_time_utc) // 1000000
                end
            ) + 59
        ) // 60 as minutes
    from participants
) p
    on c.participant_key = p.participant_key
where c.expected_minutes is distinct from p.minutes
