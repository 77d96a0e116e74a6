-- id: r16
-- title: Devices, microphones, loudspeakers and cameras
-- question: Which headsets, microphones or device types correlate with silence or poor quality?
-- audience: workplace team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- parameter: silent_db number = -60: A microphone level at or below this counts as silent while audio is sent.
-- parameter: low_db number = -40: A loudspeaker level at or below this counts as low while audio is received.
-- column: kind: device, microphone, speaker or camera.
-- column: value: Name as reported by Feishu.
-- column: participants: Participant rows with minutes.
-- column: people: Distinct people and rooms.
-- column: n min: Judged participant-minutes.
-- column: poor min: Poor minutes.
-- column: poor_pct %: Percentage of judged minutes that are poor; empty below min_n.
-- column: mic_n min: Minutes with sent audio and a microphone level.
-- column: silent_mic min: Of these, minutes at or below silent_db.
-- column: speaker_n min: Minutes with received audio and a loudspeaker level.
-- column: low_speaker min: Of these, minutes at or below low_db.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: Silent and low levels: this project's choice; Feishu does not document the reference level.
-- caveat: Names are free text in the language of the computer: one headset can have several names, and one name can
--   cover many devices.
-- caveat: Minutes that lack a bitrate or a required metric are unclassified and excluded from all percentages; see the
--   report unclassified.
-- empty: The window has no judged minutes.
-- fold: people: devices with one person each
-- table: kind, value, people, n, poor, poor_pct | participants, mic_n, silent_mic, speaker_n, low_speaker
-- next: report run worst-participants
select
    a.kind,
    a.value,
    a.participants,
    a.people,
    a.judged as n,
    a.poor,
    share_pct(a.poor, a.judged, $min_n) as poor_pct,
    a.mic_n,
    a.silent_mic,
    a.speaker_n,
    a.low_speaker,
    cast($profile as varchar) as profile
from (
    select
        s.kind,
        case s.kind when 'device' then f.device when 'microphone' then f.microphone when 'speaker' then f.speaker else f.camera end as value,
        count(*) as participants,
        count(distinct f.who) as people,
        cast(sum(v.judged_minutes) as bigint) as judged,
        cast(sum(v.poor_minutes) as bigint) as poor,
        cast(sum(coalesce(u.mic_n, 0)) as bigint) as mic_n,
        cast(sum(coalesce(u.silent_mic, 0)) as bigint) as silent_mic,
        cast(sum(coalesce(u.speaker_n, 0)) as bigint) as speaker_n,
        cast(sum(coalesce(u.low_speaker, 0)) as bigint) as low_speaker
    from participant_verdicts(since := $since, until := $until, profile := $profile) as v
    inner join participant_facts as f on f.participant_key = v.participant_key and f.meeting_date = v.meeting_date
    left join (
        select
            q.participant_key,
            count(*) filter (where q.audio_bitrate_sent_kbps > 0 and q.audio_mic_input_volume_db is not null) as mic_n,
            count(*) filter (where q.audio_bitrate_sent_kbps > 0 and q.audio_mic_input_volume_db <= $silent_db) as silent_mic,
            count(*) filter (where q.audio_bitrate_received_kbps > 0 and q.audio_speaker_volume_db is not null) as speaker_n,
            count(*) filter (where q.audio_bitrate_received_kbps > 0 and q.audio_speaker_volume_db <= $low_db) as low_speaker
        from quality_samples as q
        where q.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
            and q.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        group by q.participant_key
    ) as u on u.participant_key = v.participant_key
    cross join (
        select 'device' as kind
        union all select 'microphone' as kind
        union all select 'speaker' as kind
        union all select 'camera' as kind
    ) as s
    group by 1, 2
) as a
where a.value is not null
    and a.value not in ('-', '--', '')
order by a.kind, a.poor desc, a.participants desc, a.value
