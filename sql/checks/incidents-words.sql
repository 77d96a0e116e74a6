-- check: incidents
-- requirement: Kind, scope kind, metric, direction and severity have documented values.
-- tables: incidents
select
    'incidents, ' || incident_id as place,
    'documented values' as expected,
    concat_ws(', ', kind, scope_kind, metric, direction, severity) as found
from incidents
where coalesce(kind, '') not in ('acute', 'chronic')
    or coalesce(scope_kind, '') not in (
        'service', 'site', 'egress', 'subnet', 'room', 'meeting', 'person', 'app_version', 'device', 'network_type', 'location'
    )
    or coalesce(metric, '') not in ('loss', 'delay', 'jitter', 'frame_rate', 'cpu')
    or coalesce(direction, '') not in ('received', 'sent', 'both')
    or coalesce(severity, '') not in ('minor', 'major', 'critical')
