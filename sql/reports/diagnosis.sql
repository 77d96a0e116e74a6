-- id: r13
-- title: Network or laptop
-- question: What are the poor minutes due to: the network, the computer, the far end, the service, the licence?
-- audience: help desk and network team
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: profile text = cqd: Limits to judge by: cqd, strict, huawei-red or custom; the report threshold-sheet
--   lists them.
-- column: cause: First rule that fits; see thresholds.
-- column: poor min: Poor participant-minutes.
-- column: poor_pct %: Their share of all poor ones.
-- column: participants: Participant rows that have one.
-- column: people: Different people and rooms.
-- column: meetings: Different meetings.
-- column: proxied_pct %: Of these minutes, those behind a proxy or on TCP.
-- column: wifi_pct %: Of these minutes, those on wifi or cellular.
-- column: audio min: Of these minutes, those with poor audio.
-- column: video min: With poor video.
-- column: sharing min: With poor sharing.
-- column: examples: Up to three meeting numbers with the most of it.
-- column: what_to_do: Where to look.
-- column: profile: Limits used.
-- threshold: Verdicts by the chosen profile (table thresholds): delay, loss and jitter for audio, frame rate, else loss
--   for video, loss for sharing; a minute is poor where one of its streams is.
-- threshold: Causes, the first that fits: service side (half of at least 10 judged participants of the minute, over 3
--   public networks), cpu (client or system at its limit; loss, delay and jitter within theirs), far end (own line
--   clean, received stream poor, somebody else in the meeting sends badly), uplink, downlink, both ways (loss or
--   jitter), latency, licence cap (an hour in which 80 % of those who send video over a clean line stay at 360
--   lines, and this minute too), unknown.
-- threshold: CPU: client 80 %, system 90 % at peak, profile cqd (Google Meet quality playbook).
-- caveat: A cause is a rule, not a measurement. The CPU is that of the same minute by the CPU section's own time.
-- caveat: The vendor tells loss for the whole connection, not for each medium.
-- empty: No minute of this window is poor.
with minutes_of as (
    select
        p.*,
        f.who,
        coalesce(f.use_rtc_proxy, false) or coalesce(f.protocol, '') = 'tcp' as is_proxied,
        f.network_kind,
        f.meeting_no
    from poor_minutes(since := $since, until := $until, profile := $profile) as p
    inner join participant_facts as f on f.participant_key = p.participant_key and f.meeting_date = p.meeting_date
    where f.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and f.meeting_date < coalesce(cast($until as date), date '9999-12-31')
),

examples as (
    select
        g.cause,
        string_agg(g.meeting_no, ', ' order by g.place) as meeting_nos
    from (
        select
            x.cause,
            x.meeting_no,
            row_number() over (partition by x.cause order by count(*) desc, x.meeting_no) as place
        from minutes_of as x
        group by x.cause, x.meeting_no
    ) as g
    where g.place <= 3
    group by g.cause
)

select
    a.cause,
    a.poor,
    round(100.0 * a.poor / sum(a.poor) over (), 1) as poor_pct,
    a.participants,
    a.people,
    a.meetings,
    round(100.0 * a.proxied / a.poor, 1) as proxied_pct,
    round(100.0 * a.wireless / a.poor, 1) as wifi_pct,
    a.audio,
    a.video,
    a.sharing,
    e.meeting_nos as examples,
    case a.cause
        when 'service side' then 'Many sites at once: ask the vendor, with the times of episodes.'
        when 'cpu' then 'The computer is at its limit: see cpu-hogs.'
        when 'far end' then 'Somebody else in the meeting sent badly: see meeting-timeline.'
        when 'uplink' then 'The way out of the participant: wifi, VPN, upload of the line.'
        when 'downlink' then 'The way to the participant: wifi, download of the line.'
        when 'both ways' then 'The line of the participant as a whole: wifi, then by-site and by-egress.'
        when 'latency' then 'A long way: see by-egress and proxy-protocol.'
        when 'licence cap' then 'The picture is capped: check the meeting minutes left in the licence.'
        else 'Limits are broken without a cause in the data: see meeting-timeline.'
    end as what_to_do,
    cast($profile as varchar) as profile
from (
    select
        m.cause,
        count(*) as poor,
        count(distinct m.participant_key) as participants,
        count(distinct m.who) as people,
        count(distinct m.meeting_key) as meetings,
        count(*) filter (where m.is_proxied) as proxied,
        count(*) filter (where m.network_kind in ('wifi', 'cellular')) as wireless,
        count(*) filter (where m.is_audio_poor) as audio,
        count(*) filter (where m.is_video_poor) as video,
        count(*) filter (where m.is_share_poor) as sharing
    from minutes_of as m
    group by m.cause
) as a
left join examples as e on e.cause = a.cause
order by a.poor desc, a.cause
