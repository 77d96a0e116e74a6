-- check: runs
-- requirement: No run is recorded twice.
-- tables: runs
select
    'vcq.duckdb, runs, ' || run_id as place,
    'the run once' as expected,
    'twice' as found
from runs
where run_id in (select run_id from runs group by run_id having count(*) > 1)
