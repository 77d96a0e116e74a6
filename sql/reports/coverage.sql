-- title: Coverage
-- question: How much of each day's meetings do we hold, and why is the rest missing?
-- audience: whoever trusts the other reports
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- column: date: Local day of the meeting's start.
-- column: status: complete and empty are final answers; pending and failed are asked again by later runs.
-- column: rows: Participant rows; a meeting whose participants could not be listed counts as one.
-- column: expected_min: Minutes that these participants spent in the meeting.
-- column: samples: Minutes that we hold.
-- column: covered_pct: Samples in percent of expected minutes, at most 100; empty where no minutes are expected.
-- caveat: Expected minutes are an upper bound where somebody rejoined, so complete days can stay below 100.
with params as (
    select
        cast($since as date) as since,
        cast($until as date) as until
)

select
    c.meeting_date as date,
    c.status,
    count(*) as rows,
    cast(sum(c.expected_minutes) as bigint) as expected_min,
    cast(sum(c.sample_count) as bigint) as samples,
    case
        when sum(c.expected_minutes) > 0 then round(
            100.0 * sum(
                case when c.sample_count < c.expected_minutes then c.sample_count else c.expected_minutes end
            ) / sum(c.expected_minutes),
            1
        )
    end as covered_pct
from coverage as c
cross join params as p
where (p.since is null or c.meeting_date >= p.since)
    and (p.until is null or c.meeting_date < p.until)
group by c.meeting_date, c.status
order by c.meeting_date desc, rows desc, c.status
