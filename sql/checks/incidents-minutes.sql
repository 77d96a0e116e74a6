-- check: incidents
-- requirement: The incidents of a participant have no more minutes of a family (loss, delay and jitter; CPU; frame
--   rate) than the participant has in cause_minutes.
-- tables: incident_participants, judged_participants, incidents, participants, published_files
select
    'incident_participants, ' || p.participant_key || ', ' || replace(p.family, '_', ' ') as place,
    'at most ' || coalesce(cast(j.minutes as varchar), '0') || ' minutes' as expected,
    p.minutes || ' minutes' as found
from (
    select
        s.participant_key,
        case when i.metric in ('cpu', 'frame_rate') then i.metric else 'network' end as family,
        sum(s.poor_minutes) as minutes
    from incident_participants as s
    inner join incidents as i on i.incident_id = s.incident_id
    -- Participants of incidents before the first date that the database holds, and of chronic ones soon after it, are
    -- not judged in it.
    where s.meeting_date >= (
        select
            case
                when (select min(f.meeting_date) from published_files as f where f.table_name = 'participants' and f.rows > 0)
                    < min(o.meeting_date) then min(o.meeting_date) + 21
                else date '1900-01-01'
            end
        from participants as o
    )
    group by s.participant_key, case when i.metric in ('cpu', 'frame_rate') then i.metric else 'network' end
) as p
left join (
    select
        participant_key,
        'network' as family,
        loss_minutes + delay_minutes + jitter_minutes as minutes
    from judged_participants
    union all
    select
        participant_key,
        'cpu' as family,
        cpu_minutes as minutes
    from judged_participants
    union all
    select
        participant_key,
        'frame_rate' as family,
        frame_rate_minutes as minutes
    from judged_participants
) as j on j.participant_key = p.participant_key and j.family = p.family
where p.minutes > coalesce(j.minutes, 0)
    or p.minutes is null
