-- check: keys
-- requirement: No participant has two samples with the same time.
-- tables: quality_samples
-- note: Runs once for each meeting date, because all samples at once do not fit in memory. A participant belongs to one
--   date (ensured by other checks of keys and references), so a key that is unique on each date is unique.
select
    'quality_samples of ' || cast(meeting_date as varchar) || ', '
        || concat_ws(', ', participant_key, cast(sample_time_utc as varchar)) as place,
    'the key once' as expected,
    count(*) || ' times' as found
from quality_samples
where meeting_date = date $meeting_date
group by meeting_date, participant_key, sample_time_utc
having count(*) > 1
