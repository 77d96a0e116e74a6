-- id: r20
-- title: When it hurts
-- question: On which weekdays and at which hours is quality bad?
-- audience: network team
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: profile text = cqd: Limits to judge by: cqd, strict, huawei-red or custom; the report threshold-sheet
--   lists them.
-- parameter: min_n integer = 60: Fewer judged minutes show no share: it would be chance.
-- column: weekday_no: 1 Monday to 7 Sunday.
-- column: weekday: Mon to Sun.
-- column: hour h: Hour on the participants' wall clock, as the vendor printed it.
-- column: days: Different days with minutes in this hour.
-- column: participants: Participant rows with a minute in this hour.
-- column: n min: Judged participant-minutes.
-- column: poor min: Poor participant-minutes.
-- column: poor_pct %: Their share; empty below min_n.
-- column: profile: Limits used.
-- threshold: Verdicts by the chosen profile (table thresholds): delay, loss and jitter for audio, frame rate, else loss
--   for video, loss for sharing; a minute is poor where one of its streams is.
-- caveat: Minutes without bit rate or metric are unclassified and in no share; the report unclassified counts them.
-- caveat: Four weeks (28 days) are a fair window; with one week a single outage looks like a habit: see days.
-- empty: Nothing was judged in this window.
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
        extract(isodow from m.minute_local) as weekday_no,
        extract(hour from m.minute_local) as hour,
        count(distinct cast(m.minute_local as date)) as days,
        count(distinct m.participant_key) as participants,
        count(m.is_poor) as judged,
        count(*) filter (where m.is_poor) as poor
    from quality_minutes(since := $since, until := $until, profile := $profile) as m
    group by extract(isodow from m.minute_local), extract(hour from m.minute_local)
) as h
where h.judged > 0
order by h.weekday_no, h.hour
