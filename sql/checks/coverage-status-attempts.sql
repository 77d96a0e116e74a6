-- check: coverage-status
-- requirement: The first attempt is not after the last, and both have a time if there were attempts.
-- tables: coverage
select
    'coverage of ' || coalesce(cast(meeting_date as varchar), 'no date') || ', ' || participant_key as place,
    'a first attempt not after the last, and both if there were attempts' as expected,
    concat_ws(
        ', ',
        coalesce(cast(first_attempt_utc as varchar), 'none'),
        coalesce(cast(last_attempt_utc as varchar), 'none'),
        attempts || ' attempts'
    ) as found
from coverage
where first_attempt_utc > last_attempt_utc
    or (first_attempt_utc is null) <> (last_attempt_utc is null)
    or (attempts > 0 and first_attempt_utc is null)
    or (attempts = 0 and first_attempt_utc is not null and participant_key <> meeting_key || '/*')
