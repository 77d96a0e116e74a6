-- check: keys
-- requirement: No two rooms have the same id.
-- tables: rooms
select
    'rooms, ' || room_id as place,
    'the key once' as expected,
    count(*) || ' times' as found
from rooms
group by room_id
having count(*) > 1
