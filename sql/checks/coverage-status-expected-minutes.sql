-- check: coverage-status
-- requirement: `expected_minutes` is the participant's time in the meeting, or the time from join to leave if that is
--   missing, rounded up to whole minutes.
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
                -- Truncated before subtracting: the program subtracts whole Unix seconds, so fractions of a second
                -- must not change the rounded minutes.
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
