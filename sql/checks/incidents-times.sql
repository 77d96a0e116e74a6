-- check: incidents
-- requirement: An incident does not end before it starts, in UTC and in local time.
-- tables: incidents
select
    'incidents, ' || incident_id as place,
    'a start, and an end that is not before it' as expected,
    concat_ws(' to ', start_time_utc, end_time_utc) || ', local ' || concat_ws(' to ', start_time_local, end_time_local) as found
from incidents
where start_time_utc is null
    or start_time_local is null
    or end_time_utc is null
    or end_time_local is null
    or end_time_utc < start_time_utc
    or end_time_local < start_time_local
