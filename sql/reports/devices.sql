-- id: r16
-- title: Devices, microphones, loudspeakers, cameras
-- question: Which headset, microphone or kind of device goes with silence or trouble?
-- audience: workplace team
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: profile text = cqd: Limits to judge by: cqd, strict, huawei-red or custom; the report threshold-sheet
--   lists them.
-- parameter: min_n integer = 60: Fewer judged minutes show no share: it would be chance.
-- parameter: silent_db number = -60: At or below, a microphone that sends counts as silent.
-- parameter: low_db number = -40: At or below, a loudspeaker that receives counts as low.
-- column: kind: device, microphone, speaker or camera.
-- column: value: Which one; the vendor's text.
-- column: participants: Participant rows with minutes.
-- column: people: Different people and rooms.
-- column: n min: Judged participant-minutes.
-- column: poor min: Poor ones.
-- column: poor_pct %: Their share; empty below min_n.
-- column: mic_n min: Minutes with sent audio and a microphone level.
-- column: silent_mic min: Of these, at or below silent_db.
-- column: speaker_n min: Minutes with received audio and a loudspeaker level.
-- column: low_speaker min: Of these, at or below low_db.
-- column: profile: Limits used.
-- threshold: Verdicts by the chosen profile (table thresholds): delay, loss and jitter for audio, frame rate, else loss
--   for video, loss for sharing; a minute is poor where one of its streams is.
-- threshold: Silence and low sound: own choice; the vendor does not say what its level is relative to.
-- caveat: Names are free text in the language of the computer: the same headset can have several, and one name many
--   devices.
-- caveat: Minutes without bit rate or metric are unclassified and in no share; the report unclassified counts them.
-- empty: Nothing was judged in this window.
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
