-- id: r01
-- title: Daily summary
-- question: How was each day, against the target and the week before?
-- audience: IT lead
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: profile text = cqd: Limits to judge by: cqd, strict, huawei-red or custom; the report threshold-sheet
--   lists them.
-- parameter: min_n integer = 60: Fewer judged minutes show no share: it would be chance.
-- column: date: Local day of the meetings' start.
-- column: meetings: Meetings with at least one quality minute.
-- column: participants: Participant rows with at least one quality minute.
-- column: rooms: Different rooms among them.
-- column: hours h: Hours in meetings that we hold minutes of: distinct participant-minutes / 60.
-- column: n min: Participant-minutes that could be judged.
-- column: poor_pct %: Poor participant-minutes; empty below min_n.
-- column: week_before_pct %: Median poor_pct of the days with meetings among the seven before.
-- column: delta_pp pp: poor_pct less week_before_pct: above 0 is worse.
-- column: audio_in_pct %: Poor share of received audio minutes.
-- column: audio_out_pct %: Poor share of sent audio minutes.
-- column: video_in_pct %: Poor share of received video minutes.
-- column: video_out_pct %: Poor share of sent video minutes.
-- column: share_in_pct %: Poor share of received sharing minutes.
-- column: share_out_pct %: Poor share of sent sharing minutes.
-- column: audio_streams_pct %: Poor audio streams, averaged first and then judged: the number to compare with
--   Microsoft's dashboard.
-- column: target: met, missed or empty: audio_streams_pct against the target, from 30 judged streams.
-- column: affected_pct %: Affected participants of those judged.
-- column: poor_meetings: Meetings with at least two, and 20 % of their, participants affected.
-- column: top_cause: Cause of most poor minutes.
-- column: mos_p10 MOS est.: Opinion score that 10 % of the received audio minutes are below.
-- column: mos_p50 MOS est.: Median opinion score.
-- column: unclassified_pct %: Participant-minutes without a verdict, of all.
-- column: coverage_pct %: Minutes held of minutes expected, at most 100 for each participant.
-- column: profile: Limits used.
-- threshold: Verdicts by the chosen profile (table thresholds): delay, loss and jitter for audio, frame rate, else loss
--   for video, loss for sharing; a minute is poor where one of its streams is.
-- threshold: A participant is affected with more than 10 % poor minutes or an episode of three poor minutes in a row
--   (own choice).
-- threshold: Target: 3 % poor audio streams overall (Microsoft Quality of Experience Review guide).
-- caveat: Minutes without bit rate or metric are unclassified and in no share; the report unclassified counts them.
-- caveat: The vendor tells loss for the whole connection, not for each medium.
-- caveat: The opinion score is an estimate from delay, jitter and loss, not measured.
-- caveat: The week before is read from the store even where since is later; a store that begins at since has none.
-- empty: Nothing was judged in this window.
select
    d.meeting_date as date,
    d.meetings,
    d.participants,
    d.rooms,
    round(d.minutes / 60.0, 1) as hours,
    d.judged_minutes as n,
    d.poor_pct,
    round(w.week_before_pct, 1) as week_before_pct,
    round(d.poor_pct - w.week_before_pct, 1) as delta_pp,
    share_pct(d.audio_in_poor, d.audio_in, $min_n) as audio_in_pct,
    share_pct(d.audio_out_poor, d.audio_out, $min_n) as audio_out_pct,
    share_pct(d.video_in_poor, d.video_in, $min_n) as video_in_pct,
    share_pct(d.video_out_poor, d.video_out, $min_n) as video_out_pct,
    share_pct(d.share_in_poor, d.share_in, $min_n) as share_in_pct,
    share_pct(d.share_out_poor, d.share_out, $min_n) as share_out_pct,
    share_pct(s.poor_streams, s.streams, 30) as audio_streams_pct,
    case
        when s.streams < 30 then null
        when 100.0 * s.poor_streams / s.streams > l.target_overall_pct then 'missed'
        else 'met'
    end as target,
    share_pct(v.affected, v.judged, 10) as affected_pct,
    v.poor_meetings,
    c.cause as top_cause,
    round(d.mos_p10, 2) as mos_p10,
    round(d.mos_p50, 2) as mos_p50,
    share_pct(d.minutes - d.judged_minutes, d.minutes, $min_n) as unclassified_pct,
    k.coverage_pct,
    cast($profile as varchar) as profile
from (
    select
        t.*,
        share_pct(t.poor_minutes, t.judged_minutes, $min_n) as poor_pct
    from (
        select
            m.meeting_date,
            count(distinct m.meeting_key) as meetings,
            count(distinct m.participant_key) as participants,
            count(distinct f.room_id) as rooms,
            count(*) as minutes,
            count(m.is_poor) as judged_minutes,
            count(*) filter (where m.is_poor) as poor_minutes,
            count(m.audio_received_poor) as audio_in,
            count(*) filter (where m.audio_received_poor) as audio_in_poor,
            count(m.audio_sent_poor) as audio_out,
            count(*) filter (where m.audio_sent_poor) as audio_out_poor,
            count(m.video_received_poor) as video_in,
            count(*) filter (where m.video_received_poor) as video_in_poor,
            count(m.video_sent_poor) as video_out,
            count(*) filter (where m.video_sent_poor) as video_out_poor,
            count(m.share_received_poor) as share_in,
            count(*) filter (where m.share_received_poor) as share_in_poor,
            count(m.share_sent_poor) as share_out,
            count(*) filter (where m.share_sent_poor) as share_out_poor,
            percentile_cont(0.1) within group (order by m.mos_received_estimate) as mos_p10,
            percentile_cont(0.5) within group (order by m.mos_received_estimate) as mos_p50
        from quality_minutes(since := $since, until := $until, profile := $profile) as m
        left join participant_facts as f on f.participant_key = m.participant_key and f.meeting_date = m.meeting_date
        group by m.meeting_date
    ) as t
) as d
cross join limits(profile := $profile) as l
left join (
    select
        e.meeting_date,
        percentile_cont(0.5) within group (order by b.poor_pct) as week_before_pct
    from (
        select distinct c.meeting_date
        from coverage as c
        where c.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
            and c.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    ) as e
    inner join (
        select
            x.meeting_date,
            share_pct(x.poor_minutes, x.judged_minutes, $min_n) as poor_pct
        from (
            select
                m.meeting_date,
                count(m.is_poor) as judged_minutes,
                count(*) filter (where m.is_poor) as poor_minutes
            from quality_minutes(since := cast($since as date) - 7, until := $until, profile := $profile) as m
            group by m.meeting_date
        ) as x
    ) as b on b.meeting_date < e.meeting_date and b.meeting_date >= e.meeting_date - 7
    group by e.meeting_date
) as w on w.meeting_date = d.meeting_date
left join (
    select
        q.meeting_date,
        count(*) filter (where q.verdict <> 'unclassified') as streams,
        count(*) filter (where q.verdict = 'poor') as poor_streams
    from stream_verdicts(since := $since, until := $until, profile := $profile) as q
    where q.medium = 'audio'
    group by q.meeting_date
) as s on s.meeting_date = d.meeting_date
left join (
    select
        g.meeting_date,
        cast(sum(g.judged_participants) as bigint) as judged,
        cast(sum(g.affected_participants) as bigint) as affected,
        count(*) filter (where g.is_poor) as poor_meetings
    from meeting_verdicts(since := $since, until := $until, profile := $profile) as g
    group by g.meeting_date
) as v on v.meeting_date = d.meeting_date
left join (
    select
        r.meeting_date,
        r.cause,
        row_number() over (partition by r.meeting_date order by r.minutes desc, r.cause) as place
    from (
        select p.meeting_date, p.cause, count(*) as minutes
        from poor_minutes(since := $since, until := $until, profile := $profile) as p
        group by p.meeting_date, p.cause
    ) as r
) as c on c.meeting_date = d.meeting_date and c.place = 1
left join (
    select
        o.meeting_date,
        round(100.0 * sum(least(o.sample_count, o.expected_minutes)) / nullif(sum(o.expected_minutes), 0), 1) as coverage_pct
    from coverage as o
    where o.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and o.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    group by o.meeting_date
) as k on k.meeting_date = d.meeting_date
order by d.meeting_date desc
