-- id: r32
-- title: Freshness
-- question: How new is what we hold, day by day?
-- audience: whoever trusts the other reports
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- column: date: Local day of the meeting's start.
-- column: meetings: Meetings.
-- column: last_start: Latest start, on the wall clock.
-- column: last_minute UTC: Latest minute held.
-- column: last_asked UTC: When one of its participants was last asked for.
-- column: lag_h h: From its latest minute until it was last asked for.
-- column: pending: Participant rows that are not final yet.
-- column: failed: Participant rows that are still owed.
-- column: published UTC: When this file was published.
-- column: age_of_last_minute_h h: From the latest minute until the file was published.
-- caveat: No clock is read: ages are up to the time of publishing, so the report says the same whenever it is run.
-- empty: The window has no meetings.
select
    d.meeting_date as date,
    d.meetings,
    d.last_start,
    q.last_minute,
    c.last_asked,
    round((extract(epoch from c.last_asked) - extract(epoch from q.last_minute)) / 3600, 1) as lag_h,
    coalesce(c.pending, 0) as pending,
    coalesce(c.failed, 0) as failed,
    t.created_utc as published,
    round((extract(epoch from t.created_utc) - extract(epoch from q.last_minute)) / 3600, 1) as age_of_last_minute_h
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
