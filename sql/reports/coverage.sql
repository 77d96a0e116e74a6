-- id: r24
-- title: Coverage
-- question: How much of each day's data is in the store, and why is the rest missing?
-- audience: data team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- column: date local: Local date on which the meetings start.
-- column: status: all, or one coverage status. Later runs request pending and failed again; the others are final.
--   not_covered: no complete run covers part of this day.
-- column: rows: Participant rows, plus one for each meeting whose participants could not all be listed.
-- column: rows_pct %: Percentage of the day's rows.
-- column: expected_min min: Expected minutes: the time these participants spent in meetings.
-- column: samples min: Minutes in the store.
-- column: covered_pct %: Percentage of expected minutes that are in the store; at most 100 per participant; empty if no
--   minutes are expected.
-- column: askable_pct %: Only for status all: covered_pct without participants whose data cannot be requested
--   (unaddressable, unsupported).
-- column: gate: Only for status all: gap if askable_pct is below 98, a list of participants is missing or short, or
--   some time of the day is not covered; otherwise ok.
-- column: example_reason: Example reason.
-- threshold: Gate: 98% (this project's choice).
-- caveat: Expected minutes are an upper bound for people who rejoined, so complete days can stay below 100%.
-- empty: No meetings of the window have been synced: run vcq-etl sync.
-- next: report run reconcile
-- key: date, status
select
    a.date,
    a.status,
    a.rows,
    round(100.0 * a.rows / nullif(max(a.rows) over (partition by a.date), 0), 1) as rows_pct,
    a.expected_min,
    a.samples,
    round(a.covered_pct, 1) as covered_pct,
    case when a.status = 'all' then round(a.askable_pct, 1) end as askable_pct,
    case when a.status = 'all' then
        case when a.askable_pct < l.coverage_gate_pct
            or a.missing_lists > 0
            or count(case when a.status = 'not_covered' then 1 end) over (partition by a.date) > 0
        then 'gap' else 'ok' end
    end as gate,
    case when a.status not in ('all', 'complete') then a.example_reason end as example_reason
from (
    select
        c.meeting_date as date,
        s.status,
        count(*) as rows,
        cast(sum(c.expected_minutes) as bigint) as expected_min,
        cast(sum(c.sample_count) as bigint) as samples,
        case when sum(c.expected_minutes) > 0 then
            100.0 * sum(case when c.sample_count < c.expected_minutes then c.sample_count else c.expected_minutes end)
            / sum(c.expected_minutes)
        end as covered_pct,
        case when sum(case when c.status in ('unaddressable', 'unsupported') then 0 else c.expected_minutes end) > 0 then
            100.0 * sum(case when c.sample_count < c.expected_minutes then c.sample_count else c.expected_minutes end)
            / sum(case when c.status in ('unaddressable', 'unsupported') then 0 else c.expected_minutes end)
        end as askable_pct,
        count(case
            when c.status = 'list_short' or (c.status in ('pending', 'failed') and c.participant_key like '%/*') then 1
        end) as missing_lists,
        max(c.reason) as example_reason
    from coverage as c
    inner join (
        select 'all' as status
        union all select 'complete' as status
        union all select 'empty' as status
        union all select 'unreadable' as status
        union all select 'not_found' as status
        union all select 'unaddressable' as status
        union all select 'too_long' as status
        union all select 'forbidden' as status
        union all select 'unsupported' as status
        union all select 'list_short' as status
        union all select 'failed' as status
        union all select 'pending' as status
    ) as s on s.status = 'all' or s.status = c.status
    where c.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and c.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    group by c.meeting_date, s.status
    union all
    select
        d.date,
        'not_covered' as status,
        0 as rows,
        null as expected_min,
        null as samples,
        null as covered_pct,
        null as askable_pct,
        0 as missing_lists,
        'no complete run covers ' || substr(cast(min(d.since_local) as varchar), 1, 16) || ' to '
        || substr(cast(max(d.until_local) as varchar), 1, 16) as example_reason
    from (
        -- Every day of an uncovered period; at most ten years, in case a year is wrong.
        select
            n.since_local,
            n.until_local,
            cast(n.since_local as date) + cast(i.day_no as integer) as date
        from not_covered as n
        inner join range(0, 3660) as i(day_no)
            on cast(n.since_local as date) + cast(i.day_no as integer) < n.until_local
    ) as d
    where d.date >= coalesce(cast($since as date), date '1900-01-01')
        and d.date < coalesce(cast($until as date), date '9999-12-31')
    group by d.date
) as a
cross join limits() as l
order by a.date desc, case a.status when 'all' then 0 else 1 end, a.rows desc, a.status
