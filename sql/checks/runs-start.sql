-- check: runs
-- requirement: Every run has a start time.
-- tables: runs
select
    'vcq.duckdb, runs, ' || run_id as place,
    'a start time' as expected,
    'none' as found
from runs
where started_utc is null
