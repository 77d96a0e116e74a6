-- title: Unread values
-- question: Which of the vendor's values could not be typed, and what do they look like?
-- audience: whoever keeps the parsers
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- column: table: The table that the values were meant for.
-- column: column: The column; * for whole rows.
-- column: reason: unparsable, unknown_unit, out_of_range, no_time or duplicate_sample.
-- column: values: How many there are.
-- column: forms: How many different texts.
-- column: example: One of them, cut at 60 characters.
-- column: last_date: The latest meeting date that has one.
-- caveat: The values are NULL in their tables; rejects holds every text, and the raw answers hold the rest.
with params as (
    select
        cast($since as date) as since,
        cast($until as date) as until
)

select
    r.table_name as "table",
    r.column_name as "column",
    r.reason,
    count(*) as "values",
    count(distinct r.raw_text) as forms,
    substring(min(r.raw_text), 1, 60) as example,
    max(r.meeting_date) as last_date
from rejects as r
cross join params as p
where (p.since is null or r.meeting_date >= p.since)
    and (p.until is null or r.meeting_date < p.until)
group by r.table_name, r.column_name, r.reason
order by count(*) desc, r.table_name, r.column_name, r.reason
