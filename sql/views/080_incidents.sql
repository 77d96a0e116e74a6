-- Names of what incidents have in common. A macro and not a view, because a view always reads the stored incidents,
-- and vcq-etl puts those of another profile in their place for a session.

-- The latest name of people and rooms, and the topics of meetings.
create or replace macro incident_scope_names() as table
with scopes as (
    select distinct
        i.scope_kind,
        i.scope
    from incidents as i
    where i.scope_kind in ('person', 'room', 'meeting')
)

select
    s.scope_kind,
    s.scope,
    coalesce(r.room_name, n.participant_name) as scope_name
from scopes as s
left join rooms as r on r.room_id = s.scope and s.scope_kind = 'room'
left join (
    select
        c.scope_kind,
        c.scope,
        p.participant_name,
        row_number() over (
            partition by c.scope_kind, c.scope order by p.join_time_utc desc nulls last, p.participant_key desc
        ) as place
    from scopes as c
    inner join participants as p on c.scope = case c.scope_kind when 'person' then p.user_id else p.room_id end
    where p.participant_name is not null and c.scope_kind <> 'meeting'
) as n on n.scope_kind = s.scope_kind and n.scope = s.scope and n.place = 1
where s.scope_kind <> 'meeting'
union all
select
    s.scope_kind,
    s.scope,
    coalesce(m.meeting_topic, m.meeting_no) as scope_name
from scopes as s
inner join meetings as m on m.meeting_key = s.scope
where s.scope_kind = 'meeting';
