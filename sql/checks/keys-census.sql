-- check: keys
-- requirement: A day, and a user on a day, is counted once.
-- tables: census_daily, census_users
select
    name || ', ' || cast(meeting_date as varchar) || concat(' ', user_id) as place,
    'the key once' as expected,
    count(*) || ' times' as found
from (
    select 'census_daily' as name, meeting_date, null as user_id from census_daily
    union all
    select 'census_users' as name, meeting_date, user_id from census_users
)
group by name, meeting_date, user_id
having count(*) > 1
