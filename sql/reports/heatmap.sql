-- id: r20
-- title: Quality by weekday and hour
-- question: On which weekdays and at which hours is quality poor?
-- audience: network team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: weekday_no: Weekday number, from 1 (Monday) to 7 (Sunday).
-- column: weekday: Weekday, Mon to Sun.
-- column: hour local: Hour in the participants' local time, as reported by Feishu.
-- column: days: Distinct days with minutes in this hour.
-- column: participants: Participant rows with a minute in this hour.
-- column: n min: Judged participant-minutes.
-- column: poor min: Poor participant-minutes.
-- column: poor_pct %: Percentage of judged minutes that are poor; empty below min_n.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- caveat: Minutes that lack a bitrate or a required metric are unclassified and excluded from all percentages; see the
--   report unclassified.
-- caveat: Use at least four weeks (28 days); in a single week one outage looks like a pattern. Check the column days.
-- empty: The window has no judged minutes.
-- grid: weekday x hour: poor_pct
-- next: report run heatmap --since 28d
-- key: weekday_no, hour
select
    h.weekday_no,
    case h.weekday_no
        when 1 then 'Mon' when 2 then 'Tue' when 3 then 'Wed' when 4 then 'Thu' when 5 then 'Fri' when 6 then 'Sat' else 'Sun'
    end as weekday,
    h.hour,
    h.days,
    h.participants,
    h.judged as n,
    h.poor,
    share_pct(h.poor, h.judged, $min_n) as poor_pct,
    cast($profile as varchar) as profile
from (
    select
        isodow(m.minute_local) as weekday_no,
        extract(hour from m.minute_local) as hour,
        count(distinct cast(m.minute_local as date)) as days,
        count(distinct m.participant_key) as participants,
        count(m.is_poor) as judged,
        count(*) filter (where m.is_poor) as poor
    from quality_minutes(since := $since, until := $until, profile := $profile) as m
    group by isodow(m.minute_local), extract(hour from m.minute_local)
) as h
where h.judged > 0
order by h.weekday_no, h.hour
