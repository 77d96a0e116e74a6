-- id: r31
-- title: Unparsable values
-- question: Which values from Feishu could not be parsed, and what do they look like?
-- audience: maintainers of vcq-etl
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- column: table: Table the values belong to.
-- column: column: Name of the column; * for entire rows.
-- column: reason: unparsable, unknown_unit, out_of_range, no_time or duplicate_sample.
-- column: values: Number of values.
-- column: forms: Number of distinct texts.
-- column: example: One example, truncated to 60 characters.
-- column: first_date local: Earliest meeting date with such a value.
-- column: last_date local: Latest meeting date with such a value.
-- column: first_seen UTC: When such a value was first received.
-- caveat: These values are NULL in their tables. The table rejects has every original text; the raw log has the
--   complete responses.
-- empty: All values of the window were parsed; nothing to do.
-- next: report show unread-values
-- key: table, column, reason
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
