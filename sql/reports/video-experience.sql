-- id: r18
-- title: Video experience
-- question: How sharp and smooth is video, and does the licence cap it?
-- audience: collaboration team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: date local: Local date on which the meetings start.
-- column: direction: in (received) or out (sent).
-- column: n min: Active video minutes.
-- column: px1080_pct %: Percentage of minutes with at least 1080 lines; empty below min_n.
-- column: px720_pct %: Percentage of minutes with 720 to 1079 lines.
-- column: px360_pct %: Percentage of minutes with 360 to 719 lines.
-- column: px_less_pct %: Percentage of minutes below 360 lines.
-- column: fps25_pct %: Percentage of minutes with at least 25 fps.
-- column: fps15_pct %: Percentage of minutes with 15 to 24 fps.
-- column: fps7_pct %: Percentage of minutes with 7 to 14 fps.
-- column: fps_less_pct %: Percentage of minutes below 7 fps.
-- column: downgrades: Number of times the resolution dropped from one minute to the next.
-- column: downgrades_per_hour 1/h: Resolution drops per hour of active video.
-- column: poor_pct %: Percentage of judged video minutes that are poor.
-- column: capped_hours h: Hours of that day in which the licence appears to cap the resolution.
-- column: licence: suspect if there are capped hours: check the meeting minutes left in the licence.
-- column: profile: Profile used.
-- threshold: Poor video by profile (table thresholds).
-- threshold: Capped hour: 80% of at least 10 people who send video over a clean connection stay at or below 360 lines
--   (this project's choice; the cap: Lark help centre, 021036484885). Frame rate bands: Teams real-time analytics.
-- caveat: The resolution is the highest of the minute; in gallery view, small video tiles are received at low
--   resolution by design.
-- caveat: This is a hint, not proof: an administrator may have limited the resolution, and a tenant without HD is
--   always capped.
-- empty: The window has no active video.
-- table: date, direction, n, poor_pct, px1080_pct, px720_pct, px360_pct | px_less_pct, fps25_pct, fps15_pct,
--   fps7_pct, fps_less_pct, downgrades, capped_hours, licence
-- next: report run cpu-hogs
-- key: date, direction
with active as (
    select
        m.meeting_date,
        'in' as direction,
        m.video_height_received_px as height_px,
        m.video_framerate_received_fps as fps,
        m.video_received_poor as is_poor
    from quality_minutes(since := $since, until := $until, profile := $profile) as m
    where m.video_bitrate_received_kbps > 0
    union all
    select
        m.meeting_date,
        'out' as direction,
        m.video_height_sent_px as height_px,
        m.video_framerate_sent_fps as fps,
        m.video_sent_poor as is_poor
    from quality_minutes(since := $since, until := $until, profile := $profile) as m
    where m.video_bitrate_sent_kbps > 0
),

-- Participants whose height changes, with a short number: only their minutes are sorted.
changing as materialized (
    select
        h.participant_key,
        row_number() over (order by h.participant_key) as participant_no
    from (
        select
            m.participant_key,
            case when m.video_bitrate_received_kbps > 0 then m.video_height_received_px end as in_px,
            case when m.video_bitrate_sent_kbps > 0 then m.video_height_sent_px end as out_px
        from aligned_minutes(since := $since, until := $until) as m
    ) as h
    group by h.participant_key
    having min(h.in_px) < max(h.in_px) or min(h.out_px) < max(h.out_px)
),

downgraded as materialized (
    select
        d.meeting_date,
        count(*) filter (where d.in_px < d.in_before_px) as in_downgrades,
        count(*) filter (where d.out_px < d.out_before_px) as out_downgrades
    from (
        select
            h.*,
            lag(h.in_px) over (partition by h.participant_no order by h.minute_utc) as in_before_px,
            lag(h.out_px) over (partition by h.participant_no order by h.minute_utc) as out_before_px,
            lag(h.minute_utc) over (partition by h.participant_no order by h.minute_utc) as minute_before_utc
        from (
            select
                c.participant_no,
                m.meeting_date,
                m.minute_utc,
                case when m.video_bitrate_received_kbps > 0 then m.video_height_received_px end as in_px,
                case when m.video_bitrate_sent_kbps > 0 then m.video_height_sent_px end as out_px
            from aligned_minutes(since := $since, until := $until) as m
            inner join changing as c on c.participant_key = m.participant_key
        ) as h
    ) as d
    where d.minute_utc = d.minute_before_utc + interval '1 minute'
    group by d.meeting_date
),

capped as (
    select h.meeting_date, count(*) as hours
    from licence_capped_hours(since := $since, until := $until, profile := $profile) as h
    group by h.meeting_date
)

select
    a.meeting_date as date,
    a.direction,
    a.n,
    share_pct(a.at_least_1080_px, a.with_px, $min_n) as px1080_pct,
    share_pct(a.at_least_720_px - a.at_least_1080_px, a.with_px, $min_n) as px720_pct,
    share_pct(a.at_least_360_px - a.at_least_720_px, a.with_px, $min_n) as px360_pct,
    share_pct(a.with_px - a.at_least_360_px, a.with_px, $min_n) as px_less_pct,
    share_pct(a.at_least_25_fps, a.with_fps, $min_n) as fps25_pct,
    share_pct(a.at_least_15_fps - a.at_least_25_fps, a.with_fps, $min_n) as fps15_pct,
    share_pct(a.at_least_7_fps - a.at_least_15_fps, a.with_fps, $min_n) as fps7_pct,
    share_pct(a.with_fps - a.at_least_7_fps, a.with_fps, $min_n) as fps_less_pct,
    coalesce(d.downgrades, 0) as downgrades,
    case when a.n >= $min_n then round(60.0 * coalesce(d.downgrades, 0) / a.n, 1) end as downgrades_per_hour,
    share_pct(a.poor, a.judged, $min_n) as poor_pct,
    coalesce(c.hours, 0) as capped_hours,
    case when c.hours > 0 then 'suspect' end as licence,
    cast($profile as varchar) as profile
from (
    select
        v.meeting_date,
        v.direction,
        count(*) as n,
        count(v.height_px) as with_px,
        count(*) filter (where v.height_px >= 1080) as at_least_1080_px,
        count(*) filter (where v.height_px >= 720) as at_least_720_px,
        count(*) filter (where v.height_px >= 360) as at_least_360_px,
        count(v.fps) as with_fps,
        count(*) filter (where v.fps >= 25) as at_least_25_fps,
        count(*) filter (where v.fps >= 15) as at_least_15_fps,
        count(*) filter (where v.fps >= 7) as at_least_7_fps,
        count(v.is_poor) as judged,
        count(*) filter (where v.is_poor) as poor
    from active as v
    group by v.meeting_date, v.direction
) as a
left join (
    select 'in' as direction, g.meeting_date, g.in_downgrades as downgrades from downgraded as g
    union all
    select 'out' as direction, g.meeting_date, g.out_downgrades as downgrades from downgraded as g
) as d on d.meeting_date = a.meeting_date and d.direction = a.direction
left join capped as c on c.meeting_date = a.meeting_date
order by a.meeting_date desc, a.direction
