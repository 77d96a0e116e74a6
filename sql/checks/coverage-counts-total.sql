-- check: coverage-counts
-- requirement: The sample counts add up to the number of rows in quality_samples.
-- tables: coverage, quality_samples
select
    'coverage, all rows' as place,
    samples || ' samples, the rows of quality_samples' as expected,
    counted || ' samples' as found
from
    (select coalesce(sum(sample_count), 0)::bigint as counted from coverage),
    (select count(*) as samples from quality_samples)
where counted <> samples
