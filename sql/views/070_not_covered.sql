-- Time that no complete run covers, so that meetings may be missing. Covered days without meetings are not in it. The
-- rule is that of src/ledger/holes.rs; a test compares the two.

-- The windows that a run covers: it read the list of all meetings in it to its end.
create or replace view covered_windows as
select
    r.run_id,
    r.since_utc,
    least(r.until_utc, r.started_utc) as until_utc
from runs as r
where r.command = 'sync'
    and r.exit_code in (0, 7)
    and r.meeting_nos is null
    and r.since_utc < least(r.until_utc, r.started_utc);

-- The gaps between these windows, and the time from the newest one to the publication if that is more than 36 hours.
-- Time whose data `vcq-etl prune` removed is not a gap.
-- Local times have the offset of the tenant's zone, or that of the newest meeting if the zone has a name.
create or replace view not_covered as
select
    greatest(h.since_utc, q.pruned_utc) as since_utc,
    h.until_utc,
    greatest(h.since_utc, q.pruned_utc) + o.utc_offset_min * interval 1 minute as since_local,
    h.until_utc + o.utc_offset_min * interval 1 minute as until_local
from (
    select
        g.covered_until_utc as since_utc,
        g.next_since_utc as until_utc
    from (
        select
            max(w.until_utc) over (
                order by w.since_utc, w.until_utc, w.run_id rows between unbounded preceding and current row
            ) as covered_until_utc,
            lead(w.since_utc) over (order by w.since_utc, w.until_utc, w.run_id) as next_since_utc
        from covered_windows as w
    ) as g
    where g.next_since_utc > g.covered_until_utc
    union all
    select
        e.covered_until_utc as since_utc,
        m.created_utc as until_utc
    from (select max(w.until_utc) as covered_until_utc from covered_windows as w) as e
    cross join meta as m
    where m.created_utc > e.covered_until_utc + interval 36 hour
) as h
inner join (
    select coalesce(max(r.until_utc), timestamp '1970-01-01') as pruned_utc
    from runs as r
    where r.command = 'prune'
        and r.exit_code = 0
) as q on h.until_utc > q.pruned_utc
cross join (
    select
        coalesce(
            max(case when z.place = 1 then z.utc_offset_min end), max(case when z.place = 2 then z.utc_offset_min end), 0
        ) as utc_offset_min
    from (
        select
            1 as place,
            (case when substr(m.timezone, 1, 1) = '-' then -1 else 1 end)
            * (60 * try_cast(substr(m.timezone, 2, 2) as integer) + try_cast(substr(m.timezone, 5, 2) as integer))
                as utc_offset_min
        from meta as m
        where m.timezone like '+__:__' or m.timezone like '-__:__'
        union all
        select
            2 as place,
            k.utc_offset_min
        from meetings as k
        where k.start_time_utc = (select max(l.start_time_utc) from meetings as l)
    ) as z
) as o;

-- The last published date with meetings that this database does not hold, because the setting `database` keeps the newest
-- dates only; NULL if it holds all.
create or replace view last_date_not_held as
select max(f.meeting_date) as date
from published_files as f
where f.table_name = 'coverage'
    and f.rows > 0
    and f.meeting_date < (select min(c.meeting_date) from coverage as c);

-- The days that the database holds: those with meetings, and those that a complete run covers.
create or replace view held_dates as
select distinct c.meeting_date as date
from coverage as c
union
select d.date
from (
    select
        g.first_date + cast(i.day_no as integer) as date,
        g.end_date
    from (
        select
            cast(greatest(min(w.since_utc), q.pruned_utc) + o.utc_offset_min * interval 1 minute + interval 86399 second as date) as first_date,
            cast(max(w.until_utc) + o.utc_offset_min * interval 1 minute as date) as end_date
        from covered_windows as w
        cross join (
            select coalesce(max(k.utc_offset_min), 0) as utc_offset_min
            from meetings as k
            where k.start_time_utc = (select max(l.start_time_utc) from meetings as l)
        ) as o
        cross join (
            select coalesce(max(r.until_utc), timestamp '1970-01-01') as pruned_utc
            from runs as r
            where r.command = 'prune'
                and r.exit_code = 0
        ) as q
        group by o.utc_offset_min, q.pruned_utc
    ) as g
    inner join range(0, 3660) as i(day_no) on g.first_date + cast(i.day_no as integer) < g.end_date
) as d
left join not_covered as n on n.since_local < d.date + 1 and n.until_local > d.date
where n.since_local is null
    and d.date > coalesce((select max(l.date) from last_date_not_held as l), date '1900-01-01');

-- The days of a period that both it and the earlier period hold, counted from the first day of each: only these are
-- compared.
create or replace macro held_days(since := null, until := null, before_since := null, before_until := null) as table
select
    a.date,
    b.date as before_date
from held_dates as a
inner join held_dates as b on b.date - cast(before_since as date) = a.date - cast(since as date)
where a.date >= cast(since as date)
    and a.date < cast(until as date)
    and b.date >= cast(before_since as date)
    and b.date < cast(before_until as date);
