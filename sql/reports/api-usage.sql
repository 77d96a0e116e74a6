-- id: r33
-- title: API usage
-- question: How many API requests did each run make, and was it throttled?
-- audience: operators of vcq-etl
-- parameter: since date: Start date (UTC, inclusive) of the runs. Default: earliest.
-- parameter: until date: End date (UTC, exclusive) of the runs. Default: latest.
-- column: run_id: Run ID.
-- column: command: Command: sync or rebuild.
-- column: started UTC: Start of the run.
-- column: minutes min: Duration; empty while the run is in progress.
-- column: outcome: Outcome, the name of the exit code.
-- column: calls: Requests to the three list endpoints.
-- column: meeting_list: Requests to meeting_list.
-- column: participant_list: Requests to participant_list.
-- column: quality_list: Requests to participant_quality_list.
-- column: calls_per_participant: Quality requests per participant row of the window.
-- column: quality_per_min 1/min: Quality requests per minute; Feishu allows 100.
-- column: throttles: Requests that Feishu refused because of the rate limit.
-- column: waited_s s: Time spent waiting because of rate limiting.
-- threshold: 100 requests per minute for each of the three list endpoints (Feishu documentation).
-- caveat: Token requests are not counted. A rebuild makes no requests. A run that already knew its participants makes
--   fewer requests than it has participants.
-- empty: No run started on these days.
-- table: started, command, outcome, minutes, calls, throttles | meeting_list, participant_list, quality_list,
--   calls_per_participant, quality_per_min, waited_s, run_id
-- next: status
-- key: run_id
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
        (epoch(r.finished_utc) - epoch(r.started_utc)) / 60 as minutes
    from runs as r
    where r.started_utc >= coalesce(cast($since as date), date '1900-01-01')
        and r.started_utc < coalesce(cast($until as date), date '9999-12-31')
) as a
order by a.started_utc desc, a.run_id
