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
-- column: main_cause: Most frequent cause of poor minutes: metric and direction.
-- column: cpu min: CPU-limited minutes, poor or not; see cpu-hogs.
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
-- table: kind, value, people, n, poor, poor_pct | main_cause, cpu, participants, mic_n, silent_mic, speaker_n, low_speaker
-- next: report run worst-participants
-- key: kind, value
with judged as materialized (
    select
        v.participant_key,
        v.judged_minutes,
        v.poor_minutes,
        v.cause,
        v.cause_minutes,
        v.cause_no,
        f.who,
        f.device,
        f.microphone,
        f.speaker,
        f.camera
    from verdict_causes(since := $since, until := $until, profile := $profile) as v
    inner join participant_facts as f on f.participant_key = v.participant_key and f.meeting_date = v.meeting_date
),

used as materialized (
    select
        u.*
    from (
        select
            j.*,
            s.kind,
            case s.kind when 'device' then j.device when 'microphone' then j.microphone when 'speaker' then j.speaker else j.camera end as value
        from judged as j
        cross join (
            select 'device' as kind
            union all select 'microphone' as kind
            union all select 'speaker' as kind
            union all select 'camera' as kind
        ) as s
    ) as u
    where u.value is not null
        and u.value not in ('-', '--', '')
)

select
    a.kind,
    a.value,
    a.participants,
    a.people,
    a.judged as n,
    a.poor,
    share_pct(a.poor, a.judged, $min_n) as poor_pct,
    c.cause as main_cause,
    a.cpu,
    a.mic_n,
    a.silent_mic,
    a.speaker_n,
    a.low_speaker,
    cast($profile as varchar) as profile
from (
    select
        d.kind,
        d.value,
        count(*) as participants,
        count(distinct d.who) as people,
        cast(sum(d.judged_minutes) as bigint) as judged,
        cast(sum(d.poor_minutes) as bigint) as poor,
        cast(sum(coalesce(p.minutes, 0)) as bigint) as cpu,
        cast(sum(coalesce(u.mic_n, 0)) as bigint) as mic_n,
        cast(sum(coalesce(u.silent_mic, 0)) as bigint) as silent_mic,
        cast(sum(coalesce(u.speaker_n, 0)) as bigint) as speaker_n,
        cast(sum(coalesce(u.low_speaker, 0)) as bigint) as low_speaker
    from used as d
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
    ) as u on u.participant_key = d.participant_key
    left join (
        select
            m.participant_key,
            count(*) as minutes
        from cpu_minutes(since := $since, until := $until, profile := $profile) as m
        group by m.participant_key
    ) as p on p.participant_key = d.participant_key
    where d.cause_no = 1
    group by d.kind, d.value
) as a
left join (
    select
        d.kind,
        d.value,
        d.cause,
        row_number() over (partition by d.kind, d.value order by sum(d.cause_minutes) desc, d.cause) as place
    from used as d
    where d.cause is not null
    group by d.kind, d.value, d.cause
) as c on c.kind = a.kind and c.value = a.value and c.place = 1
order by a.kind, a.poor desc, a.participants desc, a.value
