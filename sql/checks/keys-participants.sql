-- check: keys
-- requirement: No two participants have the same key.
-- tables: participants
select
    'participants, ' || participant_key as place,
    'the key once' as expected,
    count(*) || ' times' as found
from participants
group by participant_key
having count(*) > 1
