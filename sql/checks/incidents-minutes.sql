-- check: incidents
-- requirement: The incidents of a participant have no more minutes than the participant has in cause_minutes.
-- tables: incident_participants, judged_participants
select
    'incident_participants, ' || p.participant_key as place,
    'at most ' || coalesce(cast(j.minutes as varchar), '0') || ' minutes' as expected,
    p.minutes || ' minutes' as found
from (
    select
        participant_key,
        sum(poor_minutes) as minutes
    from incident_participants
    group by participant_key
) as p
left join (
    select
        participant_key,
        loss_minutes + delay_minutes + jitter_minutes + frame_rate_minutes + cpu_minutes as minutes
    from judged_participants
) as j on j.participant_key = p.participant_key
where p.minutes > coalesce(j.minutes, 0)
    or p.minutes is null
