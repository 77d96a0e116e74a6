-- check: coverage-status
-- requirement: A participant has samples if it is `complete`, none if it is `empty`, `unreadable` or `unaddressable`; only
--   `/*` is `list_short`.
-- tables: coverage
select
    'coverage of ' || coalesce(cast(meeting_date as varchar), 'no date') || ', ' || participant_key as place,
    case status when 'complete' then 'samples, because complete' else 'no samples, because ' || status end as expected,
    'sample_count ' || coalesce(cast(sample_count as varchar), 'NULL') as found
from coverage
where (status = 'complete' and not sample_count > 0)
    or (status in ('empty', 'unreadable', 'unaddressable', 'list_short') and sample_count <> 0)
    or (status = 'list_short' and participant_key <> meeting_key || '/*')
