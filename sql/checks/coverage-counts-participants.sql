-- check: coverage-counts
-- requirement: Every participant's sample count equals its number of rows in quality_samples.
-- tables: coverage, quality_samples
select
    'coverage of ' || coalesce(cast(c.meeting_date as varchar), 'no date') || ', ' || c.participant_key as place,
    'sample_count ' || coalesce(s.samples, 0) || ', the rows of quality_samples' as expected,
    'sample_count ' || coalesce(cast(c.sample_count as varchar), 'NULL') as found
from coverage c
left join (
    select participant_key, count(*) as samples from quality_samples group by participant_key
) s
    on c.participant_key = s.participant_key
where c.sample_count is distinct from coalesce(s.samples, 0)
