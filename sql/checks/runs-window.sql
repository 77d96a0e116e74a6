-- check: runs
-- requirement: No run has a window that ends before it begins.
-- tables: runs
select
    'vcq.duckdb, runs, ' || run_id as place,
    'a window that ends after it begins' as expected,
    cast(since_utc as varchar) || ' to ' || cast(until_utc as varchar) as found
from runs
where until_utc < since_utc
