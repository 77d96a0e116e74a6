-- id: r29
-- title: Screen sharing
-- question: Is shared text readable?
-- audience: collaboration team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: date local: Local date on which the meetings start.
-- column: direction: in (received) or out (sent).
-- column: participants: Participant rows with sharing.
-- column: n min: Judged sharing minutes.
-- column: poor min: Poor minutes.
-- column: poor_pct %: Percentage of judged minutes that are poor; empty below min_n.
-- column: blurry_pct %: Percentage of minutes below 720 lines, of those with a known resolution.
-- column: still_pct %: Percentage of minutes below 2 fps that are not poor (a still slide over a clean connection).
-- column: slow_poor_pct %: Percentage of minutes below 2 fps that are poor.
-- column: height_p50 px: Median resolution (lines).
-- column: kbps_p50 kbps: Median bitrate.
-- column: profile: Profile used.
-- threshold: Poor sharing by profile (table thresholds): loss above 15%, or below 2 fps together with poor loss or
--   delay, because a still slide needs no frames.
-- threshold: Blurry: below 720 lines (this project's choice).
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- empty: Nothing was shared in the window.
-- table: date, direction, n, poor, poor_pct, blurry_pct, still_pct | slow_poor_pct, participants, height_p50,
--   kbps_p50
-- next: report run worst-meetings
-- key: date, direction
with active as (
    select x.*
    from (
        select
            m.meeting_date,
            m.participant_key,
            s.direction,
            case s.direction when 'in' then m.share_bitrate_received_kbps else m.share_bitrate_sent_kbps end as bitrate_kbps,
            case s.direction when 'in' then m.share_height_received_px else m.share_height_sent_px end as height_px,
            case s.direction when 'in' then m.share_framerate_received_fps else m.share_framerate_sent_fps end as fps,
            case s.direction when 'in' then m.share_received_poor else m.share_sent_poor end as is_poor
        from quality_minutes(since := $since, until := $until, profile := $profile) as m
        cross join (select 'in' as direction union all select 'out' as direction) as s
    ) as x
    where x.bitrate_kbps > 0
)

select
    a.meeting_date as date,
    a.direction,
    a.participants,
    a.judged as n,
    a.poor,
    share_pct(a.poor, a.judged, $min_n) as poor_pct,
    share_pct(a.blurry, a.with_px, $min_n) as blurry_pct,
    share_pct(a.still, a.with_fps, $min_n) as still_pct,
    share_pct(a.slow_poor, a.with_fps, $min_n) as slow_poor_pct,
    round(a.height_p50, 0) as height_p50,
    round(a.kbps_p50, 0) as kbps_p50,
    cast($profile as varchar) as profile
from (
    select
        v.meeting_date,
        v.direction,
        count(distinct v.participant_key) as participants,
        count(v.is_poor) as judged,
        count(*) filter (where v.is_poor) as poor,
        count(v.height_px) as with_px,
        count(*) filter (where v.height_px < 720) as blurry,
        count(v.fps) as with_fps,
        count(*) filter (where v.fps < 2 and not v.is_poor) as still,
        count(*) filter (where v.fps < 2 and v.is_poor) as slow_poor,
        quantile_cont(v.height_px, 0.5) as height_p50,
        quantile_cont(v.bitrate_kbps, 0.5) as kbps_p50
    from active as v
    group by v.meeting_date, v.direction
) as a
order by a.meeting_date desc, a.direction
