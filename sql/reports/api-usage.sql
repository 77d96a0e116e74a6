-- id: r33
-- title: Use of the vendor's API
-- question: What did the runs ask, and were they throttled?
-- audience: whoever runs it
-- parameter: since date: First day (UTC) on which a run started; left out: from the beginning.
-- parameter: until date: First day after it; left out: to the end.
-- column: run_id: The run.
-- column: command: sync or rebuild.
-- column: started UTC: Start.
-- column: minutes min: How long it took; empty while under way.
-- column: outcome: The exit code's word.
-- column: calls: Requests to the three lists.
-- column: meeting_list: Requests to meeting_list.
-- column: participant_list: Requests to participant_list.
-- column: quality_list: Requests to participant_quality_list.
-- column: calls_per_participant: Quality requests for each participant row of the window.
-- column: quality_per_min 1/min: Quality requests a minute; the vendor allows 100.
-- column: throttles: Requests that the vendor refused for their rate.
-- column: waited_s s: Seconds spent waiting because the vendor said so.
-- threshold: 100 requests a minute to each of the three lists (the vendor's documentation).
-- caveat: Tokens are not counted. A rebuild asks nothing. A run whose participants were known already has fewer
--   requests than participants.
-- empty: No run started in these days.
select
    a.run_id,
    a.command,
    a.started_utc as started,
    round(a.minutes, 1) as minutes,
    a.outcome,
    a.calls_meeting_list + a.calls_participant_list + a.calls_quality_list as calls,
    a.calls_meeting_list as meeting_list,
    a.calls_participant_list as participant_list,
    a.calls_quality_list as quality_list,
    case when a.participants > 0 then round(1.0 * a.calls_quality_list / a.participants, 2) end as calls_per_participant,
    case when a.minutes >= 1 then round(a.calls_quality_list / a.minutes, 1) end as quality_per_min,
    a.throttles,
    a.waited_s
from (
    select
        r.*,
        (extract(epoch from r.finished_utc) - extract(epoch from r.started_utc)) / 60 as minutes
    from runs as r
    where r.started_utc >= coalesce(cast($since as date), date '1900-01-01')
        and r.started_utc < coalesce(cast($until as date), date '9999-12-31')
) as a
order by a.started_utc desc, a.run_id
