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
with combinations as (
    -- Few combinations occur, so streams are counted from these rows, not from minutes.
    select
        m.audio_received_poor is not null as audio_received_judged,
        m.audio_bitrate_received_kbps > 0 as audio_received_active,
        m.audio_sent_poor is not null as audio_sent_judged,
        m.audio_bitrate_sent_kbps > 0 as audio_sent_active,
        m.video_received_poor is not null as video_received_judged,
        m.video_bitrate_received_kbps > 0 as video_received_active,
        m.video_sent_poor is not null as video_sent_judged,
        m.video_bitrate_sent_kbps > 0 as video_sent_active,
        m.share_received_poor is not null as share_received_judged,
        m.share_bitrate_received_kbps > 0 as share_received_active,
        m.share_sent_poor is not null as share_sent_judged,
        m.share_bitrate_sent_kbps > 0 as share_sent_active,
        count(*) as minutes
    from quality_minutes(since := $since, until := $until, profile := $profile) as m
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
)

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
        cast(sum(t.minutes) as bigint) as minutes,
        cast(coalesce(sum(t.minutes) filter (where t.is_judged), 0) as bigint) as judged,
        cast(coalesce(sum(t.minutes) filter (where not t.is_judged and not t.is_active), 0) as bigint) as inactive,
        cast(coalesce(sum(t.minutes) filter (where not t.is_judged and t.is_active is null), 0) as bigint) as no_bitrate,
        cast(coalesce(sum(t.minutes) filter (where not t.is_judged and t.is_active), 0) as bigint) as no_metric
    from (
        select
            s.medium,
            s.direction,
            k.minutes,
            case s.medium || s.direction
                when 'audioreceived' then k.audio_received_judged
                when 'audiosent' then k.audio_sent_judged
                when 'videoreceived' then k.video_received_judged
                when 'videosent' then k.video_sent_judged
                when 'sharereceived' then k.share_received_judged
                when 'sharesent' then k.share_sent_judged
                -- A minute is judged if one of its streams is.
                else k.audio_received_judged
                    or k.audio_sent_judged
                    or k.video_received_judged
                    or k.video_sent_judged
                    or k.share_received_judged
                    or k.share_sent_judged
            end as is_judged,
            case s.medium || s.direction
                when 'audioreceived' then k.audio_received_active
                when 'audiosent' then k.audio_sent_active
                when 'videoreceived' then k.video_received_active
                when 'videosent' then k.video_sent_active
                when 'sharereceived' then k.share_received_active
                when 'sharesent' then k.share_sent_active
                else greatest(
                    k.audio_received_active, k.audio_sent_active, k.video_received_active,
                    k.video_sent_active, k.share_received_active, k.share_sent_active
                )
            end as is_active
        from combinations as k
        cross join (
            select 'any' as medium, 'both' as direction
            union all select 'audio' as medium, 'received' as direction
            union all select 'audio' as medium, 'sent' as direction
            union all select 'video' as medium, 'received' as direction
            union all select 'video' as medium, 'sent' as direction
            union all select 'share' as medium, 'received' as direction
            union all select 'share' as medium, 'sent' as direction
        ) as s
    ) as t
    group by t.medium, t.direction
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
