-- id: r13
-- title: Causes of poor quality
-- question: What causes the poor minutes: loss, delay, jitter, the frame rate or the CPU, and in which direction?
-- audience: help desk and network team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- column: cause: Metric and direction. Every cause is listed, also those without minutes.
-- column: minutes min: Minutes with this cause: poor minutes, and for CPU also CPU-limited minutes that are not poor.
-- column: poor min: Poor participant-minutes.
-- column: poor_pct %: Percentage of all poor minutes.
-- column: participants: Participant rows with such a minute.
-- column: people: Distinct people and rooms.
-- column: meetings: Distinct meetings.
-- column: service_wide min: Poor minutes in which half of at least 10 judged participants are poor, across 3 public
--   networks.
-- column: far_end min: Poor minutes with a clean connection, a poor received stream, and another participant sending with
--   poor quality.
-- column: capped min: Poor minutes at or below the resolution of an hour in which the licence appears to cap it.
-- column: proxied_pct %: Percentage of the minutes behind a proxy or over TCP.
-- column: wifi_pct %: Percentage of the minutes on wifi or cellular.
-- column: audio min: Of the poor minutes, those with poor audio.
-- column: video min: Of the poor minutes, those with poor video.
-- column: sharing min: Of the poor minutes, those with poor sharing.
-- column: examples: Up to three meeting numbers with the most minutes of this cause.
-- column: what_to_do: Suggested next step.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: Cause: of loss, delay and jitter over their thresholds, the one with the largest ratio of value to threshold;
--   if none is, CPU if it is over its threshold, otherwise the frame rate (this project's choice).
-- threshold: CPU thresholds in the profile cqd: app 80%, system 90% at peak (Google Meet quality playbook); cpu-hogs has
--   the rule for CPU-limited minutes.
-- threshold: Capped hour: 80% of those who send video over a clean connection stay at 360 lines (this project's choice).
-- caveat: Causes are assigned by rules, not measured. CPU values are matched by the timestamp of the CPU section.
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- empty: The window has no quality data.
-- table: cause, minutes, poor, poor_pct, people, meetings | what_to_do, wifi_pct, proxied_pct, service_wide, far_end, capped,
--   examples
-- next: report run worst-participants
-- key: cause
with minutes_of as materialized (
    select
        p.*,
        f.who,
        coalesce(f.use_rtc_proxy, false) or coalesce(f.protocol, '') = 'tcp' as is_proxied,
        f.network_kind,
        f.meeting_no
    from (
        select
            m.participant_key,
            m.meeting_key,
            m.meeting_date,
            m.cause,
            true as is_poor,
            m.is_audio_poor,
            m.is_video_poor,
            m.is_share_poor,
            m.is_service_wide,
            m.is_far_end,
            m.is_licence_capped
        from poor_minutes(since := $since, until := $until, profile := $profile) as m
        union all
        select
            c.participant_key,
            c.meeting_key,
            c.meeting_date,
            cause_label('cpu', c.direction) as cause,
            false as is_poor,
            false as is_audio_poor,
            false as is_video_poor,
            false as is_share_poor,
            false as is_service_wide,
            false as is_far_end,
            false as is_licence_capped
        from cpu_minutes(since := $since, until := $until, profile := $profile) as c
        where not c.is_poor
    ) as p
    inner join participant_facts as f on f.participant_key = p.participant_key and f.meeting_date = p.meeting_date
    where f.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and f.meeting_date < coalesce(cast($until as date), date '9999-12-31')
),

examples as (
    select
        g.cause,
        concat_ws(
            ', ',
            max(case when g.place = 1 then g.meeting_no end),
            max(case when g.place = 2 then g.meeting_no end),
            max(case when g.place = 3 then g.meeting_no end)
        ) as meeting_nos
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
    n.cause,
    coalesce(a.minutes, 0) as minutes,
    coalesce(a.poor, 0) as poor,
    round(100.0 * coalesce(a.poor, 0) / nullif(sum(a.poor) over (), 0), 1) as poor_pct,
    coalesce(a.participants, 0) as participants,
    coalesce(a.people, 0) as people,
    coalesce(a.meetings, 0) as meetings,
    coalesce(a.service_wide, 0) as service_wide,
    coalesce(a.far_end, 0) as far_end,
    coalesce(a.capped, 0) as capped,
    round(100.0 * a.proxied / a.minutes, 1) as proxied_pct,
    round(100.0 * a.wireless / a.minutes, 1) as wifi_pct,
    coalesce(a.audio, 0) as audio,
    coalesce(a.video, 0) as video,
    coalesce(a.sharing, 0) as sharing,
    e.meeting_nos as examples,
    case
        when a.minutes is null then null
        when n.cause = 'CPU' then 'The computer is too slow: close other programs or replace it; see cpu-hogs.'
        when 2 * a.service_wide > a.minutes
            then 'Many networks are affected at the same time: contact Feishu with the times from the report episodes.'
        when 2 * a.far_end > a.minutes then 'Another participant sent with poor quality: see meeting-timeline.'
        when 2 * a.capped > a.minutes then 'The resolution is capped: check the meeting minutes left in the licence.'
        when 2 * a.wireless < a.minutes and (n.cause like 'loss %' or n.cause like 'jitter %')
            then 'Most of these minutes are not on wifi: check network ports, cables and switches; see by-site.'
        else case n.cause
            when 'loss received' then 'Packets are lost on the way in: check wifi, VPN and download bandwidth; see by-site and by-egress.'
            when 'loss sent' then 'Packets are lost on the way out: check wifi, VPN and upload bandwidth; see by-site and by-egress.'
            when 'loss both ways' then 'Packets are lost both ways: check wifi and the line of the site; see by-site and by-network.'
            when 'delay' then 'The network path is long or congested: check VPN and proxy; see by-egress and proxy-protocol.'
            when 'jitter received' then 'Packets arrive unevenly: check wifi and whether the download line is full; see by-network.'
            when 'jitter sent' then 'Packets leave unevenly: check wifi and whether the upload line is full; see by-network.'
            when 'jitter both ways' then 'Packets are uneven both ways: check wifi and whether the line is full; see by-site and by-network.'
            when 'frame rate received' then 'Few frames arrive over a clean connection: check the senders; see meeting-timeline.'
            when 'frame rate sent' then 'Few frames are sent over a clean connection: check camera, light and graphics driver; see devices.'
            when 'frame rate both ways' then 'Few frames over a clean connection: check graphics driver and app version; see app-versions.'
        end
    end as what_to_do,
    cast($profile as varchar) as profile
from (
    select
        c.label as cause,
        min(c.place) as place
    from cause_names as c
    group by c.label
) as n
left join (
    select
        m.cause,
        count(*) as minutes,
        count(*) filter (where m.is_poor) as poor,
        count(distinct m.participant_key) as participants,
        count(distinct m.who) as people,
        count(distinct m.meeting_key) as meetings,
        count(*) filter (where m.is_service_wide) as service_wide,
        count(*) filter (where m.is_far_end) as far_end,
        count(*) filter (where m.is_licence_capped) as capped,
        count(*) filter (where m.is_proxied) as proxied,
        count(*) filter (where m.network_kind in ('wifi', 'cellular')) as wireless,
        count(*) filter (where m.is_audio_poor) as audio,
        count(*) filter (where m.is_video_poor) as video,
        count(*) filter (where m.is_share_poor) as sharing
    from minutes_of as m
    group by m.cause
) as a on a.cause = n.cause
left join examples as e on e.cause = n.cause
where exists (
    select q.meeting_date
    from quality_samples as q
    where q.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and q.meeting_date < coalesce(cast($until as date), date '9999-12-31')
)
order by coalesce(a.minutes, 0) desc, n.place
