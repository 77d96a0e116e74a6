-- id: r30
-- title: Minutes without a verdict
-- question: Why do minutes have no verdict?
-- audience: whoever trusts the other reports
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: profile text = cqd: Limits to judge by: cqd, strict, huawei-red or custom; the report threshold-sheet
--   lists them.
-- column: medium: audio, video or share; any: the participant-minute as a whole.
-- column: direction: received, sent or both.
-- column: minutes min: Stream-minutes, one for each participant-minute held.
-- column: judged min: With a verdict.
-- column: judged_pct %: Their share.
-- column: inactive min: Without: the bit rate is 0 (muted, camera off).
-- column: no_bitrate min: Without: no bit rate was sent, which mostly means that there was no such stream.
-- column: no_metric min: Without, though bits flow: no metric that the profile has a limit for.
-- column: rejected: Values of this medium and direction in rejects.
-- column: profile: Limits used.
-- threshold: Verdicts by the chosen profile (table thresholds): delay, loss and jitter for audio, frame rate, else loss
--   for video, loss for sharing; a minute is poor where one of its streams is.
-- caveat: Rejects of the connection, of CPU and of whole rows stand in the line any.
-- caveat: A muted microphone is not poor quality: it is left out of every share and counted here.
-- empty: There are no minutes in this window.
select
    a.medium,
    a.direction,
    a.minutes,
    a.judged,
    share_pct(a.judged, a.minutes, 1) as judged_pct,
    a.inactive,
    a.no_bitrate,
    a.no_metric,
    coalesce(r.rejected, 0) as rejected,
    cast($profile as varchar) as profile
from (
    select
        t.medium,
        t.direction,
        count(*) as minutes,
        count(*) filter (where t.verdict <> 'unclassified') as judged,
        count(*) filter (where t.verdict = 'unclassified' and t.bitrate_kbps <= 0) as inactive,
        count(*) filter (where t.verdict = 'unclassified' and t.bitrate_kbps is null) as no_bitrate,
        count(*) filter (where t.verdict = 'unclassified' and t.bitrate_kbps > 0) as no_metric
    from stream_minutes(since := $since, until := $until, profile := $profile) as t
    group by t.medium, t.direction
    union all
    select
        'any' as medium,
        'both' as direction,
        count(*) as minutes,
        count(g.judged) as judged,
        count(*) filter (where g.judged is null and g.most_kbps <= 0) as inactive,
        count(*) filter (where g.judged is null and g.most_kbps is null) as no_bitrate,
        count(*) filter (where g.judged is null and g.most_kbps > 0) as no_metric
    from (
        select
            m.is_poor as judged,
            greatest(
                m.audio_bitrate_received_kbps, m.audio_bitrate_sent_kbps, m.video_bitrate_received_kbps,
                m.video_bitrate_sent_kbps, m.share_bitrate_received_kbps, m.share_bitrate_sent_kbps
            ) as most_kbps
        from quality_minutes(since := $since, until := $until, profile := $profile) as m
    ) as g
    having count(*) > 0
) as a
left join (
    select
        case
            when j.column_name like 'audio%' then 'audio'
            when j.column_name like 'video%' then 'video'
            when j.column_name like 'screen_sharing%' then 'share'
            else 'any'
        end as medium,
        case
            when j.column_name not like 'audio%' and j.column_name not like 'video%' and j.column_name not like 'screen_sharing%' then 'both'
            when j.column_name like '%received%' or j.column_name like '%speaker%' then 'received'
            when j.column_name like '%sent%' or j.column_name like '%mic%' then 'sent'
            else 'both'
        end as direction,
        count(*) as rejected
    from rejects as j
    where j.table_name = 'quality_samples'
        and j.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and j.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    group by 1, 2
) as r on r.medium = a.medium and r.direction = a.direction
order by case a.medium when 'any' then 0 else 1 end, a.medium, a.direction
