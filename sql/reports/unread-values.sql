-- id: r31
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
-- column: first_date: The earliest meeting date that has one.
-- column: last_date: The latest.
-- column: first_seen UTC: When one was first answered.
-- caveat: The values are NULL in their tables; rejects holds every text, and the raw answers hold the rest.
-- empty: Every value of this window was typed: that is the wanted state.
select
    r.table_name as "table",
    r.column_name as "column",
    r.reason,
    count(*) as "values",
    count(distinct r.raw_text) as forms,
    substring(min(r.raw_text), 1, 60) as example,
    min(r.meeting_date) as first_date,
    max(r.meeting_date) as last_date,
    min(r.first_seen_utc) as first_seen
from rejects as r
where r.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
    and r.meeting_date < coalesce(cast($until as date), date '9999-12-31')
group by r.table_name, r.column_name, r.reason
order by count(*) desc, r.table_name, r.column_name, r.reason
