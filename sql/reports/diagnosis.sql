-- id: r13
-- title: Causes of poor quality
-- question: What causes the poor minutes: network, computer, far end, service or licence?
-- audience: help desk and network team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- column: cause: First rule that matches; see the thresholds below.
-- column: poor min: Poor participant-minutes.
-- column: poor_pct %: Percentage of all poor minutes.
-- column: participants: Participant rows with such a minute.
-- column: people: Distinct people and rooms.
-- column: meetings: Distinct meetings.
-- column: proxied_pct %: Percentage of these minutes behind a proxy or over TCP.
-- column: wifi_pct %: Percentage of these minutes on wifi or cellular.
-- column: audio min: Of these minutes, minutes with poor audio.
-- column: video min: Of these minutes, minutes with poor video.
-- column: sharing min: Of these minutes, minutes with poor sharing.
-- column: examples: Up to three meeting numbers with the most minutes of this cause.
-- column: what_to_do: Suggested next step.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: Causes, first match: service side (half of at least 10 judged participants in the minute are poor, across
--   3 public networks), cpu (app or system CPU over its threshold; loss, delay and jitter within theirs), far end (own
--   connection clean, a received stream poor, another participant sending with poor quality), uplink, downlink, both
--   ways (loss or jitter), latency, licence cap (an hour in which 80% of those who send video over a clean connection
--   stay at 360 lines, and this minute does too), unknown.
-- threshold: CPU thresholds in the profile cqd: app 80%, system 90% at peak (Google Meet quality playbook).
-- caveat: Causes are assigned by rules, not measured. CPU values are matched by the timestamp of the CPU section.
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- empty: The window has no poor minutes.
-- next: report run worst-participants
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
        when 'service side' then 'Many networks affected at the same time: contact Feishu with the times from the report episodes.'
        when 'cpu' then 'The computer is overloaded: see cpu-hogs.'
        when 'far end' then 'Another participant sent with poor quality: see meeting-timeline.'
        when 'uplink' then 'Problem in the sending direction: check wifi, VPN and upload bandwidth.'
        when 'downlink' then 'Problem in the receiving direction: check wifi and download bandwidth.'
        when 'both ways' then 'Problem in both directions: check wifi, then see by-site and by-egress.'
        when 'latency' then 'Long network path: see by-egress and proxy-protocol.'
        when 'licence cap' then 'The resolution is capped: check the meeting minutes left in the licence.'
        else 'No rule matches: see meeting-timeline.'
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
