-- check: keys
-- requirement: No two reservations have the same key.
-- tables: reservations
select
    'reservations, ' || reservation_key as place,
    'the key once' as expected,
    count(*) || ' times' as found
from reservations
group by reservation_key
having count(*) > 1
