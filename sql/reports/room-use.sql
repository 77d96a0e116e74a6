-- id: r38
-- title: Room use
-- question: Which rooms are reserved but not used, released early, or idle?
-- audience: facilities team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: dimension text = room | building: Dimension to group by.
-- column: name: Room or building.
-- column: building: Building; unknown without the list of rooms.
-- column: rooms: Number of rooms.
-- column: seats: Sum of their capacities.
-- column: reservations: Reservations that were not refused or cancelled.
-- column: reserved_h h: Reserved hours.
-- column: no_shows: Reservations that ended without a check-in, a meeting in the room or a release by a
--   person.
-- column: no_show_pct %: Percentage of reservations that are no-shows; empty for fewer than 5 reservations.
-- column: early_releases: Other reservations released before their end.
-- column: released_h h: Hours from the release to the reserved end, for these.
-- column: meetings: Meetings that the room joined.
-- column: used_h h: Hours that the room was in meetings.
-- column: days_used: Days with a meeting, or with a reservation that was neither a no-show nor released before its
--   start; for a building, summed over its rooms.
-- column: use: idle if there is no reservation or meeting; no-shows if at least half of five or more reservations
--   are no-shows; otherwise used.
-- threshold: no-shows: at least half of at least five reservations (this project's choice).
-- caveat: Needs sync --also reservations; idle rooms need --also rooms, which lists rooms that nobody reserved.
-- caveat: Feishu's state texts are localised: unknown texts count as reserved and, without a check-in time, as not
--   checked in.
-- caveat: A room that is used without a check-in and without a Feishu meeting counts as a no-show.
-- empty: Neither rooms nor reservations were fetched, and no room was in a meeting: run vcq-etl sync --also
--   rooms,reservations.
-- table: name, building, reservations, no_shows, meetings, used_h, use | seats, days_used, reserved_h, no_show_pct,
--   early_releases, released_h, rooms
-- next: report run room-health
-- key: name, building
with stays as materialized (
    select
        p.room_id,
        p.meeting_key,
        p.participant_name,
        p.meeting_date,
        p.join_time_utc,
        p.leave_time_utc,
        coalesce(cast(p.time_in_meeting_s as double), epoch(p.leave_time_utc) - epoch(p.join_time_utc), 0.0) as in_meeting_s
    from participants as p
    where p.room_id is not null
        and p.user_id is null
        and p.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and p.meeting_date < coalesce(cast($until as date), date '9999-12-31')
),

reserved as materialized (
    select
        v.reservation_key,
        v.room_id,
        v.room_name,
        v.meeting_date,
        v.event_start_utc,
        v.event_end_utc,
        coalesce(v.is_release_early, false) as is_released,
        coalesce(v.is_release_early, false) and v.releasing_person is not null as is_released_by_person,
        v.releasing_time_utc,
        coalesce(cast(v.event_duration_s as double), epoch(v.event_end_utc) - epoch(v.event_start_utc), 0.0) as reserved_s,
        v.check_in_time_utc is not null
            or lower(trim(coalesce(v.room_check_in_status, ''))) in ('已签到', 'checked in', 'checked-in', 'yes', 'true', '1') as is_checked_in,
        v.event_end_utc <= t.created_utc as is_over
    from reservations as v
    cross join meta as t
    where v.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and v.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        and lower(trim(coalesce(v.reservation_status, ''))) not in (
            '预定失败', '预订失败', '已取消', '取消', '已拒绝', '拒绝', 'failed', 'cancelled', 'canceled', 'declined', 'rejected',
            'reservation failed'
        )
),

shown as (
    select
        e.reservation_key,
        count(s.room_id) as meetings
    from reserved as e
    left join stays as s
        on s.room_id = e.room_id and s.join_time_utc < e.event_end_utc and s.leave_time_utc > e.event_start_utc
    group by e.reservation_key
),

judged as (
    select
        e.*,
        e.is_over and not e.is_checked_in and not e.is_released_by_person and w.meetings = 0 as is_no_show
    from reserved as e
    inner join shown as w on w.reservation_key = e.reservation_key
),

by_reservation as (
    select
        j.room_id,
        max(j.room_name) as room_name,
        count(*) as reservations,
        sum(j.reserved_s) as reserved_s,
        count(*) filter (where j.is_no_show) as no_shows,
        count(*) filter (where j.is_released and not j.is_no_show) as releases,
        sum(case when j.is_released and not j.is_no_show
            then greatest(epoch(j.event_end_utc) - epoch(greatest(j.releasing_time_utc, j.event_start_utc)), 0.0) end) as released_s
    from judged as j
    group by j.room_id
),

by_stay as (
    select
        s.room_id,
        max(s.participant_name) as room_name,
        count(distinct s.meeting_key) as meetings,
        sum(s.in_meeting_s) as in_meeting_s
    from stays as s
    group by s.room_id
),

by_day as (
    select
        u.room_id,
        count(distinct u.meeting_date) as days
    from (
        select s.room_id, s.meeting_date from stays as s
        union all
        select j.room_id, j.meeting_date from judged as j
        where not j.is_no_show and not coalesce(j.is_released and j.releasing_time_utc <= j.event_start_utc, false)
    ) as u
    group by u.room_id
),

all_rooms as (
    select
        i.room_id,
        coalesce(r.room_name, b.room_name, m.room_name, i.room_id) as room,
        coalesce(r.building, 'unknown') as building,
        r.capacity,
        coalesce(b.reservations, 0) as reservations,
        coalesce(b.reserved_s, 0) as reserved_s,
        coalesce(b.no_shows, 0) as no_shows,
        coalesce(b.releases, 0) as releases,
        coalesce(b.released_s, 0) as released_s,
        coalesce(m.meetings, 0) as meetings,
        coalesce(m.in_meeting_s, 0) as in_meeting_s,
        coalesce(d.days, 0) as days
    from (
        select o.room_id from rooms as o cross join (
            select count(*) as held from meetings as k
            where k.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
                and k.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        ) as w where w.held > 0
        union
        select b.room_id from by_reservation as b
        union
        select m.room_id from by_stay as m
    ) as i
    left join rooms as r on r.room_id = i.room_id
    left join by_reservation as b on b.room_id = i.room_id
    left join by_stay as m on m.room_id = i.room_id
    left join by_day as d on d.room_id = i.room_id
),

grouped as (
    select
        g.name,
        case when count(distinct g.building) = 1 then max(g.building) end as building,
        count(*) as rooms,
        cast(sum(g.capacity) as bigint) as seats,
        cast(sum(g.reservations) as bigint) as reservations,
        sum(g.reserved_s) as reserved_s,
        cast(sum(g.no_shows) as bigint) as no_shows,
        cast(sum(g.releases) as bigint) as releases,
        sum(g.released_s) as released_s,
        cast(sum(g.meetings) as bigint) as meetings,
        sum(g.in_meeting_s) as in_meeting_s,
        cast(sum(g.days) as bigint) as days
    from (
        select
            a.*,
            case cast($dimension as varchar) when 'building' then a.building else a.room end as name,
            case cast($dimension as varchar) when 'building' then a.building else a.room_id end as group_key
        from all_rooms as a
    ) as g
    group by g.group_key, g.name
)

select
    g.name,
    g.building,
    g.rooms,
    g.seats,
    g.reservations,
    round(g.reserved_s / 3600.0, 1) as reserved_h,
    g.no_shows,
    share_pct(g.no_shows, g.reservations, 5) as no_show_pct,
    g.releases as early_releases,
    round(g.released_s / 3600.0, 1) as released_h,
    g.meetings,
    round(g.in_meeting_s / 3600.0, 1) as used_h,
    g.days as days_used,
    case
        when g.reservations = 0 and g.meetings = 0 then 'idle'
        when g.reservations >= 5 and 2 * g.no_shows >= g.reservations then 'no-shows'
        else 'used'
    end as use
from grouped as g
order by g.no_shows desc, g.reservations + g.meetings, g.name, g.building
