-- check: runs
-- requirement: No run has a negative count.
-- tables: runs
select
    'vcq.duckdb, runs, ' || run_id as place,
    'counts of 0 or more' as expected,
    'a negative count' as found
from runs
where least(
    meetings, participants, samples, rejects, calls_meeting_list, calls_participant_list, calls_quality_list, throttles,
    waited_s
) < 0
