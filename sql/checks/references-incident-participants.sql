-- check: references
-- requirement: Every row of incident_participants belongs to an incident of the same date and to a participant.
-- tables: incident_participants, incidents, participants, published_files
select
    'incident_participants of ' || coalesce(cast(p.meeting_date as varchar), 'no date') || ', ' || p.incident_id || ', '
    || p.participant_key as place,
    'an incident of that date, and a participant' as expected,
    case when i.incident_id is null then 'no such incident' else 'no such participant' end as found
from incident_participants as p
left join incidents as i on i.incident_id = p.incident_id and i.meeting_date = p.meeting_date
left join participants as k on k.participant_key = p.participant_key
where i.incident_id is null
    -- Those of incidents before the first date that the database holds, and of chronic ones soon after it, are not there.
    or k.participant_key is null and p.meeting_date >= (
        select
            case
                when (select min(f.meeting_date) from published_files as f where f.table_name = 'participants' and f.rows > 0)
                    < min(o.meeting_date) then min(o.meeting_date) + 21
                else date '1900-01-01'
            end
        from participants as o
    )
