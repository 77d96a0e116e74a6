-- title: Worst meetings
-- question: Which meetings lost most participant-minutes to a poor connection, and to what?
-- audience: help desk
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: top integer = 20: Most meetings shown.
-- parameter: min_minutes integer = 60: Fewer judged minutes show no share: it would be chance.
-- parameter: delay_ms number = 500: A minute with more delay is poor.
-- parameter: loss_pct number = 10: A minute with more average packet loss, received or sent, is poor.
-- parameter: jitter_ms number = 30: A minute with more audio jitter, received or sent, is poor.
-- column: start: Start on the wall clock that the vendor printed.
-- column: meeting_no: Meeting number; it recurs.
-- column: topic: Topic.
-- column: people: Participant rows with at least one judged minute.
-- column: n: Participant-minutes that could be judged.
-- column: poor: Poor participant-minutes.
-- column: poor_pct: Their share of the judged minutes in percent; empty below min_minutes.
-- column: symptom: What made most of the poor minutes poor: loss, delay or jitter.
-- threshold: Delay, loss and jitter are the limits by which Microsoft's Call Quality Dashboard calls an audio stream
--   poor (round trip 500 ms, loss 10 %, jitter 30 ms; learn.microsoft.com, stream classification). The vendor
--   publishes none.
-- caveat: A minute without delay, loss and audio jitter can't be judged and is counted nowhere.
-- caveat: The dashboard judges whole streams, this report single minutes: the shares are not the dashboard's.
with params as (
    select
        cast($since as date) as since,
        cast($until as date) as until,
        cast($top as bigint) as top,
        cast($min_minutes as bigint) as min_minutes,
        cast($delay_ms as double) as delay_ms,
        cast($loss_pct as double) as loss_pct,
        cast($jitter_ms as double) as jitter_ms
),

judged as (
    select
        q.meeting_key,
        q.participant_key,
        case when q.network_delay_ms > p.delay_ms then 1 else 0 end as by_delay,
        case
            when q.network_packet_loss_avg_received_pct > p.loss_pct
                or q.network_packet_loss_avg_sent_pct > p.loss_pct then 1
            else 0
        end as by_loss,
        case
            when q.audio_jitter_received_ms > p.jitter_ms
                or q.audio_jitter_sent_ms > p.jitter_ms then 1
            else 0
        end as by_jitter
    from quality_samples as q
    cross join params as p
    where (p.since is null or q.meeting_date >= p.since)
        and (p.until is null or q.meeting_date < p.until)
        and coalesce(
            q.network_delay_ms,
            q.network_packet_loss_avg_received_pct,
            q.network_packet_loss_avg_sent_pct,
            q.audio_jitter_received_ms,
            q.audio_jitter_sent_ms
        ) is not null
),

meeting_minutes as (
    select
        meeting_key,
        count(distinct participant_key) as people,
        count(*) as minutes,
        sum(case when by_delay + by_loss + by_jitter > 0 then 1 else 0 end) as poor,
        sum(by_loss) as by_loss,
        sum(by_delay) as by_delay,
        sum(by_jitter) as by_jitter
    from judged
    group by meeting_key
),

ranked as (
    select
        m.*,
        row_number() over (order by m.poor desc, m.minutes, m.meeting_key) as place
    from meeting_minutes as m
    where m.poor > 0
)

select
    k.start_time_local as start,
    k.meeting_no,
    k.meeting_topic as topic,
    r.people,
    r.minutes as n,
    cast(r.poor as bigint) as poor,
    case when r.minutes >= p.min_minutes then round(100.0 * r.poor / r.minutes, 1) end as poor_pct,
    case
        when r.by_loss >= r.by_delay and r.by_loss >= r.by_jitter then 'loss'
        when r.by_delay >= r.by_jitter then 'delay'
        else 'jitter'
    end as symptom
from ranked as r
cross join params as p
left join meetings as k on k.meeting_key = r.meeting_key
where r.place <= p.top
order by r.place
