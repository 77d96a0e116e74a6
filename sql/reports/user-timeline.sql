-- id: r26
-- title: User timeline
-- question: How was the quality of each meeting of this person or room?
-- audience: help desk
-- parameter: who text needed: ID or exact name of a person or room.
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- column: start local: Local join time.
-- column: meeting_no: Meeting number.
-- column: topic: Meeting topic.
-- column: name: Name of the participant or room.
-- column: site: Building, or subnet if the building is unknown.
-- column: network: Network type.
-- column: protocol: Transport protocol.
-- column: proxy: yes if behind a proxy.
-- column: device: Client device type.
-- column: version: App version.
-- column: n min: Judged minutes.
-- column: poor min: Poor minutes.
-- column: episodes: Episodes (three or more consecutive poor minutes).
-- column: verdict: affected, good or empty (nothing judged).
-- column: main_cause: Most frequent cause of poor minutes: metric and direction.
-- column: cpu min: CPU-limited minutes, poor or not; see cpu-hogs.
-- column: others_affected: Other affected participants of the meeting; if above 0, the problem was not limited to this
--   person.
-- column: mos_p10 MOS est.: MOS estimate, 10th percentile of received audio minutes.
-- column: coverage: Coverage status of the participant.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: A participant counts as affected if more than 10% of their minutes are poor or they have an episode of
--   three consecutive poor minutes (this project's choice).
-- caveat: Minutes that lack a bitrate or a required metric are unclassified and excluded from all percentages; see the
--   report unclassified.
-- caveat: Feishu reports packet loss for the whole connection, not per audio, video or sharing stream.
-- caveat: Names are not unique; IDs are.
-- caveat: In a large store, set since too: others_affected needs all participants of those days.
-- empty: Nobody with this ID or exact name took part in a meeting in the window; the report worst-participants lists
--   IDs.
-- table: start, topic, n, poor, cpu, verdict, main_cause, site | network, device, others_affected, meeting_no, version,
--   coverage
-- next: report meeting {meeting_no} --until {start:next_day}
-- key: meeting_no, start
with sessions as (
    select f.*
    from participant_facts as f
    where f.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and f.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        and (f.who = cast($who as varchar) or f.participant_name = cast($who as varchar))
),

judged as materialized (
    select r.* from verdict_causes(since := $since, until := $until, profile := $profile) as r where r.cause_no = 1
)

select
    s.join_time_local as start,
    s.meeting_no,
    meetings.meeting_topic as topic,
    s.participant_name as name,
    s.site,
    s.network_kind as network,
    s.protocol,
    case when s.use_rtc_proxy then 'yes' else 'no' end as proxy,
    s.device,
    s.app_version as version,
    coalesce(judged.judged_minutes, 0) as n,
    coalesce(judged.poor_minutes, 0) as poor,
    coalesce(judged.episodes, 0) as episodes,
    case when judged.is_affected then 'affected' when not judged.is_affected then 'good' end as verdict,
    judged.cause as main_cause,
    coalesce(cpu.minutes, 0) as cpu,
    affected.affected_participants - case when judged.is_affected then 1 else 0 end as others_affected,
    round(mos.mos_p10, 2) as mos_p10,
    coverage.status as coverage,
    cast($profile as varchar) as profile
from sessions as s
left join meetings on meetings.meeting_key = s.meeting_key
left join judged on judged.participant_key = s.participant_key and judged.meeting_date = s.meeting_date
left join (
    select
        j.meeting_key,
        j.meeting_date,
        count(*) filter (where j.is_affected) as affected_participants
    from judged as j
    group by j.meeting_key, j.meeting_date
) as affected on affected.meeting_key = s.meeting_key and affected.meeting_date = s.meeting_date
left join (
    select
        m.participant_key,
        count(*) as minutes
    from cpu_minutes(since := $since, until := $until, profile := $profile) as m
    group by m.participant_key
) as cpu on cpu.participant_key = s.participant_key
left join coverage on coverage.participant_key = s.participant_key and coverage.meeting_date = s.meeting_date
left join (
    select
        t.participant_key,
        quantile_cont(m.mos_received_estimate, 0.1) as mos_p10
    from quality_minutes(since := $since, until := $until, profile := $profile) as m
    inner join sessions as t on t.participant_key = m.participant_key and t.meeting_date = m.meeting_date
    group by t.participant_key
) as mos on mos.participant_key = s.participant_key
order by s.join_time_local desc, s.participant_key
