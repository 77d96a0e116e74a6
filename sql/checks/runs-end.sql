-- check: runs
-- requirement: No run ended before it started.
-- tables: runs
select
    'vcq.duckdb, runs, ' || run_id as place,
    'an end after the start' as expected,
    cast(started_utc as varchar) || ' to ' || cast(finished_utc as varchar) as found
from runs
where finished_utc < started_utc
