-- id: r34
-- title: Duplicates and overlaps
-- question: Does the store contain duplicates or overlaps?
-- audience: data team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- column: check: Name of the check.
-- column: severity: error: must be 0; info: legitimate, but counted twice in sums over participants.
-- column: found: Number found.
-- column: example: Example key.
-- caveat: This report checks only what SQL can see; vcq-etl verify also checks the files.
-- empty: Never empty: each check has one row.
-- next: verify
-- key: check
with facts as (
    select f.*
    from participant_facts as f
    where f.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and f.meeting_date < coalesce(cast($until as date), date '9999-12-31')
),

-- One pass over the samples, with the minutes of an hour as bits: only participants with a minute twice are examined.
samples as materialized (
    select
        h.participant_key,
        cast(sum(h.samples) as bigint) as samples,
        bool_or(h.samples > h.minutes) as has_minute_twice,
        bool_or(h.is_misaligned) as is_misaligned
    from (
        select
            q.participant_key,
            date_trunc('hour', q.sample_time_utc) as hour_utc,
            count(*) as samples,
            bit_count(bit_or(cast(pow(2, minute(q.sample_time_utc)) as bigint))) as minutes,
            bool_or(
                date_trunc('minute', q.audio_time_utc) <> date_trunc('minute', q.sample_time_utc)
                or date_trunc('minute', q.video_time_utc) <> date_trunc('minute', q.sample_time_utc)
                or q.sample_time_utc <> date_trunc('minute', q.sample_time_utc)
            ) as is_misaligned
        from quality_samples as q
        where q.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
            and q.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        group by q.participant_key, date_trunc('hour', q.sample_time_utc)
    ) as h
    group by h.participant_key
),

-- The samples of participants with a minute twice.
suspects as materialized (
    select q.participant_key, q.sample_time_utc
    from quality_samples as q
    inner join samples as t on t.participant_key = q.participant_key and t.has_minute_twice
    where q.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and q.meeting_date < coalesce(cast($until as date), date '9999-12-31')
),

found as (
    select 'meeting key twice' as "check", 'error' as severity, x.meeting_key as example
    from (
        select k.meeting_key
        from meetings as k
        where k.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and k.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        group by k.meeting_key
        having count(*) > 1
    ) as x
    union all
    select 'participant key twice' as "check", 'error' as severity, x.participant_key as example
    from (
        select t.participant_key
        from facts as t
        group by t.participant_key
        having count(*) > 1
    ) as x
    union all
    select 'sample key twice' as "check", 'error' as severity, x.participant_key as example
    from (
        select q.participant_key
        from suspects as q
        group by q.participant_key, q.sample_time_utc
        having count(*) > 1
    ) as x
    union all
    select 'sample without participant' as "check", 'error' as severity, x.participant_key as example
    from samples as x
    where not exists (select 1 from facts as t where t.participant_key = x.participant_key)
    union all
    select 'participant without coverage row' as "check", 'error' as severity, t.participant_key as example
    from facts as t
    where not exists (
        select 1 from coverage as c where c.participant_key = t.participant_key and c.meeting_date = t.meeting_date
    )
    union all
    select 'samples and coverage disagree' as "check", 'error' as severity, c.participant_key as example
    from coverage as c
    left join samples as x on x.participant_key = c.participant_key
    where c.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and c.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        and coalesce(x.samples, 0) <> coalesce(c.sample_count, 0)
    union all
    select 'misaligned_participants is out of date' as "check", 'error' as severity, x.participant_key as example
    from samples as x
    where x.is_misaligned
        and not exists (select 1 from misaligned_participants as d where d.participant_key = x.participant_key)
    union all
    select 'two items in one minute' as "check", 'info' as severity, x.participant_key as example
    from (
        select q.participant_key
        from suspects as q
        group by q.participant_key, date_trunc('minute', q.sample_time_utc)
        having count(*) > 1
    ) as x
    union all
    select 'same person twice in a meeting at once' as "check", 'info' as severity, x.participant_key as example
    from (
        select
            t.participant_key,
            t.join_time_utc,
            max(t.leave_time_utc) over (
                partition by t.meeting_key, t.who order by t.join_time_utc, t.participant_key
                rows between unbounded preceding and 1 preceding
            ) as left_before_utc
        from facts as t
        where t.who_kind <> 'guest'
    ) as x
    where x.join_time_utc < x.left_before_utc
    union all
    select 'same person in two meetings at once' as "check", 'info' as severity, x.participant_key as example
    from (
        select
            t.participant_key,
            t.meeting_key,
            t.join_time_utc,
            lag(t.meeting_key) over (partition by t.who order by t.join_time_utc, t.participant_key) as meeting_before,
            lag(t.leave_time_utc) over (partition by t.who order by t.join_time_utc, t.participant_key) as left_before_utc
        from facts as t
        where t.who_kind <> 'guest'
    ) as x
    where x.join_time_utc < x.left_before_utc
        and x.meeting_key <> x.meeting_before
)

select
    n."check",
    n.severity,
    coalesce(f.found, 0) as found,
    f.example
from (
    select 'meeting key twice' as "check", 'error' as severity, 1 as place
    union all select 'participant key twice' as "check", 'error' as severity, 2 as place
    union all select 'sample key twice' as "check", 'error' as severity, 3 as place
    union all select 'sample without participant' as "check", 'error' as severity, 4 as place
    union all select 'participant without coverage row' as "check", 'error' as severity, 5 as place
    union all select 'samples and coverage disagree' as "check", 'error' as severity, 6 as place
    union all select 'misaligned_participants is out of date' as "check", 'error' as severity, 10 as place
    union all select 'two items in one minute' as "check", 'info' as severity, 7 as place
    union all select 'same person twice in a meeting at once' as "check", 'info' as severity, 8 as place
    union all select 'same person in two meetings at once' as "check", 'info' as severity, 9 as place
) as n
left join (
    select x."check", count(*) as found, min(x.example) as example
    from found as x
    group by x."check"
) as f on f."check" = n."check"
order by n.severity, n.place
