-- id: r30
-- title: Minutes without a verdict
-- question: Why do some minutes have no verdict?
-- audience: data team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- column: medium: audio, video or share; any is the participant-minute over all media.
-- column: direction: received, sent or both.
-- column: minutes min: Stream-minutes: one per participant-minute in the store.
-- column: judged min: Minutes with a verdict.
-- column: judged_pct %: Percentage of minutes with a verdict.
-- column: inactive min: Without a verdict because the bitrate is 0 (muted, camera off).
-- column: no_bitrate min: Without a verdict because no bitrate was reported, which usually means there was no such
--   stream.
-- column: no_metric min: Without a verdict although the stream was active: none of the metrics that the profile judges
--   was reported.
-- column: rejected: Values of this medium and direction in the table rejects.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- caveat: Rejected connection values, CPU values and entire rows are counted in the row any.
-- caveat: A muted microphone is not poor quality: it is excluded from all percentages and counted here.
-- empty: The window has no minutes.
-- next: report run unread-values
-- key: medium, direction
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
