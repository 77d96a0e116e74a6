-- check: runs
-- requirement: A run that ended has an end time, an outcome and an exit code; a run that has not ended has none of
--   them.
-- tables: runs
select
    'vcq.duckdb, runs, ' || run_id as place,
    'end, outcome and exit code, or none of them' as expected,
    concat_ws(
        ', ',
        coalesce(cast(finished_utc as varchar), 'no end'),
        coalesce(outcome, 'no outcome'),
        coalesce(cast(exit_code as varchar), 'no exit code')
    ) as found
from runs
where (finished_utc is null) <> (outcome is null)
    or (outcome is null) <> (exit_code is null)
