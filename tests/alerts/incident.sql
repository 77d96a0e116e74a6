select
    'major' as severity, 'acute' as kind, 'site' as scope_kind, '海港 <at id=all></at> House' as scope_name,
    'jitter' as metric, 'both' as direction,
    timestamp '2026-11-20 09:40:00' as start_time_local, timestamp '2026-11-20 12:06:00' as end_time_local,
    7 as participants, 3 as meetings, 412 as poor_minutes, 660 as judged_minutes,
    62.42::double as poor_pct, 0.4::double as usual_poor_pct, 0.6::double as elsewhere_poor_pct,
    'Harbour House: jitter both ways' as summary, 'a1b2c3' as incident_id, 'harbour' as scope,
    timestamp '2026-11-20 01:40:00' as start_time_utc, timestamp '2026-11-20 04:06:00' as end_time_utc,
    0.001::double as q_value, date '2026-11-20' as meeting_date, 'cqd' as profile
