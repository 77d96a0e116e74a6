-- check: keys
-- requirement: No two meetings have the same key.
-- tables: meetings
select
    'meetings, ' || meeting_key as place,
    'the key once' as expected,
    count(*) || ' times' as found
from meetings
group by meeting_key
having count(*) > 1
