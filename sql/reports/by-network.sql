-- id: r10
-- title: By network type
-- question: How much worse are wifi and cellular than wired, and do they meet their targets?
-- audience: network team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: top integer = 50: Maximum number of rows.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: network: Network type, or `unknown` if Feishu does not report it.
-- column: participants: Participant rows with at least one judged minute.
-- column: people: Distinct people and rooms.
-- column: hours h: Participant-minutes in the store, in hours.
-- column: n min: Judged participant-minutes.
-- column: poor min: Poor participant-minutes.
-- column: poor_pct %: Percentage of judged minutes that are poor; empty below min_n.
-- column: of_all_poor_pct %: Percentage of all poor minutes that this row accounts for.
-- column: affected_pct %: Percentage of participants affected; empty below 10 participants.
-- column: affected_low_pct %: 95% confidence interval of affected_pct (Wilson), lower bound.
-- column: affected_high_pct %: 95% confidence interval of affected_pct (Wilson), upper bound.
-- column: status: healthy below 5% poor minutes, degraded below 20%, critical from 20%, empty below min_n; with an
--   incident at least degraded, with a critical one critical.
-- column: main_cause: Most frequent cause of poor minutes: metric and direction.
-- column: cpu min: CPU-limited minutes, poor or not; see cpu-hogs.
-- column: delay_p50_ms ms: Median delay.
-- column: delay_p95_ms ms: 95th percentile of delay.
-- column: loss_in_p95_pct %: 95th percentile of received packet loss.
-- column: loss_out_p95_pct %: 95th percentile of sent packet loss.
-- column: jitter_in_p95_ms ms: 95th percentile of received audio jitter.
-- column: mos_p10 MOS est.: MOS estimate, 10th percentile of received audio minutes.
-- column: allowed_pct %: Target: maximum percentage of poor audio streams.
-- column: audio_streams_pct %: Percentage of audio streams that are poor. Metrics are averaged per stream, then judged.
--   Empty below 30 streams.
-- column: streams: Judged audio streams.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: A participant counts as affected if more than 10% of their minutes are poor or they have an episode of
--   three consecutive poor minutes (this project's choice).
-- threshold: Status: degraded from 5% poor minutes, critical from 20% (CQLens).
-- threshold: Incidents count for the status if they overlap the window and the profile is that of the store.
-- threshold: Targets for poor audio streams: wired 1%, wifi 2%, all others 3% (Microsoft Quality of Experience Review
--   guide).
-- caveat: Minutes that lack a bitrate or a required metric are unclassified and excluded from all percentages; see the
--   report unclassified.
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- caveat: MOS is estimated from delay, jitter and loss; it is not measured.
-- caveat: The guide treats 5 GHz like wired and has a separate target for 2.4 GHz; Feishu reports only wifi.
-- empty: The window has no judged minutes.
-- table: network, people, n, poor, poor_pct, status, main_cause | cpu, participants, of_all_poor_pct, affected_pct,
--   hours, delay_p95_ms, loss_in_p95_pct, loss_out_p95_pct, jitter_in_p95_ms
-- next: report run worst-participants
-- key: network
select
    q.dimension_value as network,
    q.judged_participants as participants,
    q.people,
    round(q.minutes / 60.0, 1) as hours,
    q.judged_minutes as n,
    q.poor_minutes as poor,
    share_pct(q.poor_minutes, q.judged_minutes, $min_n) as poor_pct,
    round(100.0 * q.poor_minutes / nullif(q.all_poor_minutes, 0), 1) as of_all_poor_pct,
    share_pct(q.affected_participants, q.judged_participants, 10) as affected_pct,
    -- abs(): for 0 affected participants the rounded Wilson constants make the bound slightly negative, shown as -0.
    case when q.judged_participants >= 10 then round(abs(q.affected_low_pct), 1) end as affected_low_pct,
    case when q.judged_participants >= 10 then round(q.affected_high_pct, 1) end as affected_high_pct,
    worse_status(
        q.poor_minutes, q.judged_minutes, $min_n, l.status_degraded_pct, l.status_critical_pct, i.incident_status
    ) as status,
    q.main_cause,
    q.cpu_minutes as cpu,
    round(q.delay_p50_ms, 0) as delay_p50_ms,
    round(q.delay_p95_ms, 0) as delay_p95_ms,
    round(q.loss_received_p95_pct, 1) as loss_in_p95_pct,
    round(q.loss_sent_p95_pct, 1) as loss_out_p95_pct,
    round(q.jitter_received_p95_ms, 0) as jitter_in_p95_ms,
    round(q.mos_p10_estimate, 2) as mos_p10,
    case q.dimension_value
        when 'wired' then l.target_wired_pct
        when 'wifi' then l.target_wifi_pct
        else l.target_overall_pct
    end as allowed_pct,
    case
        when s.streams < 30 then null
        else round(100.0 * s.poor_streams / s.streams, 1)
    end as audio_streams_pct,
    s.streams,
    cast($profile as varchar) as profile
from quality_by(since := $since, until := $until, profile := $profile, dimension := 'network') as q
cross join limits(profile := $profile) as l
left join incident_statuses(since := $since, until := $until, profile := $profile, dimension := 'network') as i
    on i.dimension_value = q.dimension_value
left join (
    select
        v.network_kind,
        cast(sum(v.streams) as bigint) as streams,
        cast(sum(v.poor_streams) as bigint) as poor_streams
    from (
        select
            network_kind_of(p.network_type) as network_kind,
            case when a.received_verdict <> 'unclassified' then 1 else 0 end
            + case when a.sent_verdict <> 'unclassified' then 1 else 0 end as streams,
            case when a.received_verdict = 'poor' then 1 else 0 end
            + case when a.sent_verdict = 'poor' then 1 else 0 end as poor_streams
        from audio_streams(since := $since, until := $until, profile := $profile) as a
        inner join participants as p on p.participant_key = a.participant_key and p.meeting_date = a.meeting_date
    ) as v
    where v.streams > 0
    group by v.network_kind
) as s on s.network_kind = q.dimension_value
order by q.poor_minutes desc, q.judged_minutes desc, q.dimension_value
limit cast($top as bigint)
