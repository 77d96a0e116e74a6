-- check: keys
-- requirement: No two coverage rows have the same key.
-- tables: coverage
select
    'coverage, ' || participant_key as place,
    'the key once' as expected,
    count(*) || ' times' as found
from coverage
group by participant_key
having count(*) > 1
