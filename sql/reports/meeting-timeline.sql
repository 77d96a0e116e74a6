-- id: r04
-- title: Meeting timeline
-- question: Who had poor quality in this meeting, and when?
-- audience: help desk
-- parameter: meeting_no text needed: Meeting number (nine digits).
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: only_poor text = no | yes: yes shows only minutes that are poor for at least one participant; no shows
--   all.
-- column: meeting_date local: Date of the meeting; meeting numbers are reused.
-- column: minute local: Minute, local time.
-- column: who: Name, or ID if there is no name.
-- column: verdict: poor, good or empty (unclassified).
-- column: cause: Cause of a poor minute: metric and direction. CPU also for a CPU-limited minute that is not poor.
-- column: audio_in: Verdict on received audio.
-- column: audio_out: Verdict on sent audio.
-- column: video_in: Verdict on received video.
-- column: video_out: Verdict on sent video.
-- column: share_in: Verdict on received sharing.
-- column: share_out: Verdict on sent sharing.
-- column: delay_ms ms: Delay.
-- column: loss_in_pct %: Received packet loss.
-- column: loss_out_pct %: Sent packet loss.
-- column: jitter_in_ms ms: Received audio jitter.
-- column: jitter_out_ms ms: Sent audio jitter.
-- column: video_in_fps fps: Received frame rate.
-- column: video_in_px px: Received resolution (lines).
-- column: client_cpu_pct %: Peak CPU usage of the app in this minute, matched by the timestamp of the CPU section.
-- column: system_cpu_pct %: Peak CPU usage of the system.
-- column: poor_at_once: Participants of the meeting with poor quality in this minute.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- caveat: In a large store, set since and until too: otherwise all days are read.
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- empty: No meeting with this number has minutes in the window; the report worst-meetings lists meeting numbers.
-- table: minute, who, verdict, cause, delay_ms, loss_in_pct, loss_out_pct, jitter_in_ms | jitter_out_ms,
--   poor_at_once, client_cpu_pct, system_cpu_pct, video_in_fps
-- next: report run worst-participants
-- key: minute, who
with meetings_of as (
    select k.meeting_key, k.meeting_date
    from meetings as k
    where k.meeting_no = cast($meeting_no as varchar)
        and k.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and k.meeting_date < coalesce(cast($until as date), date '9999-12-31')
),

cpu as (
    select
        q.participant_key,
        date_trunc('minute', coalesce(q.cpu_usage_time_utc, q.sample_time_utc)) as minute_utc,
        max(q.client_max_cpu_usage_pct) as client_pct,
        max(q.system_max_cpu_usage_pct) as system_pct
    from quality_samples as q
    inner join meetings_of as k on k.meeting_key = q.meeting_key and k.meeting_date = q.meeting_date
    where q.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and q.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    group by q.participant_key, date_trunc('minute', coalesce(q.cpu_usage_time_utc, q.sample_time_utc))
),

minutes_of as (
    select
        m.*,
        count(case when m.is_poor then 1 end) over (partition by m.meeting_key, m.minute_utc) as poor_at_once
    from quality_minutes(since := $since, until := $until, profile := $profile) as m
    inner join meetings_of as k on k.meeting_key = m.meeting_key and k.meeting_date = m.meeting_date
)

select
    m.meeting_date,
    m.minute_local as minute,
    coalesce(f.participant_name, f.who) as who,
    case when m.is_poor then 'poor' when not m.is_poor then 'good' end as verdict,
    cause_label(p.metric, p.direction) as cause,
    case when m.audio_received_poor then 'poor' when not m.audio_received_poor then 'good' end as audio_in,
    case when m.audio_sent_poor then 'poor' when not m.audio_sent_poor then 'good' end as audio_out,
    case when m.video_received_poor then 'poor' when not m.video_received_poor then 'good' end as video_in,
    case when m.video_sent_poor then 'poor' when not m.video_sent_poor then 'good' end as video_out,
    case when m.share_received_poor then 'poor' when not m.share_received_poor then 'good' end as share_in,
    case when m.share_sent_poor then 'poor' when not m.share_sent_poor then 'good' end as share_out,
    m.delay_ms,
    m.loss_received_pct as loss_in_pct,
    m.loss_sent_pct as loss_out_pct,
    m.audio_jitter_received_ms as jitter_in_ms,
    m.audio_jitter_sent_ms as jitter_out_ms,
    m.video_framerate_received_fps as video_in_fps,
    m.video_height_received_px as video_in_px,
    c.client_pct as client_cpu_pct,
    c.system_pct as system_cpu_pct,
    m.poor_at_once,
    cast($profile as varchar) as profile
from minutes_of as m
left join participant_facts as f on f.participant_key = m.participant_key and f.meeting_date = m.meeting_date
left join cpu as c on c.participant_key = m.participant_key and c.minute_utc = m.minute_utc
left join cause_minutes(since := $since, until := $until, profile := $profile) as p on p.participant_key = m.participant_key and p.minute_utc = m.minute_utc
where cast($only_poor as varchar) = 'no' or m.poor_at_once > 0
order by m.meeting_date, m.minute_utc, who, m.participant_key
