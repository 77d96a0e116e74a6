-- check: keys
-- requirement: No two room alarms have the same id.
-- tables: room_alerts
select
    'room_alerts, ' || alert_id as place,
    'the key once' as expected,
    count(*) || ' times' as found
from room_alerts
group by alert_id
having count(*) > 1
