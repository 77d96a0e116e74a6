-- id: r32
-- title: Freshness
-- question: How fresh is the data of each day?
-- audience: data team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- column: date local: Local date on which the meetings start.
-- column: meetings: Meetings.
-- column: last_start local: Latest meeting start, local time.
-- column: last_minute UTC: Latest minute in the store.
-- column: last_asked UTC: Time of the last request for one of its participants.
-- column: lag_h h: Time from the latest minute to the last request.
-- column: pending: Participant rows that are not final yet.
-- column: failed: Participant rows whose requests failed; a later run retries them.
-- column: published UTC: When this database was published.
-- column: age_of_last_minute_h h: Time from the latest minute to publication.
-- caveat: Ages are relative to the publication time, not to the current time, so the result does not depend on when the
--   report is run.
-- empty: The window has no meetings.
-- next: status
-- key: date
select
    d.meeting_date as date,
    d.meetings,
    d.last_start,
    q.last_minute,
    c.last_asked,
    round((epoch(c.last_asked) - epoch(q.last_minute)) / 3600, 1) as lag_h,
    coalesce(c.pending, 0) as pending,
    coalesce(c.failed, 0) as failed,
    t.created_utc as published,
    round((epoch(t.created_utc) - epoch(q.last_minute)) / 3600, 1) as age_of_last_minute_h
from (
    select k.meeting_date, count(*) as meetings, max(k.start_time_local) as last_start
    from meetings as k
    where k.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and k.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    group by k.meeting_date
) as d
left join (
    select s.meeting_date, max(s.sample_time_utc) as last_minute
    from quality_samples as s
    where s.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and s.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    group by s.meeting_date
) as q on q.meeting_date = d.meeting_date
left join (
    select
        o.meeting_date,
        max(o.last_attempt_utc) as last_asked,
        count(*) filter (where o.status = 'pending') as pending,
        count(*) filter (where o.status = 'failed') as failed
    from coverage as o
    where o.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and o.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    group by o.meeting_date
) as c on c.meeting_date = d.meeting_date
cross join meta as t
order by d.meeting_date desc
