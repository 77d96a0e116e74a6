-- id: r26
-- title: User timeline
-- question: How was the quality of each meeting of this person or room?
-- audience: help desk
-- parameter: who text needed: Id or exact name of a person or room.
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   limits.
-- column: start: Time of joining, local time.
-- column: meeting_no: Meeting number.
-- column: topic: Topic.
-- column: name: Name.
-- column: site: Site.
-- column: network: Network type.
-- column: protocol: Transport protocol.
-- column: proxy: yes if behind a proxy.
-- column: device: Device.
-- column: version: App version.
-- column: n min: Judged minutes.
-- column: poor min: Poor minutes.
-- column: episodes: Episodes (three or more consecutive poor minutes).
-- column: verdict: affected, good or empty (nothing judged).
-- column: main_cause: Most frequent cause of poor minutes.
-- column: others_affected: Other affected participants of the meeting; if above 0, the problem was not limited to this
--   person.
-- column: mos_p10 MOS est.: MOS estimate, 10th percentile of received audio minutes.
-- column: coverage: Coverage status of the participant.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate, or loss if unknown,
--   for video; loss for sharing. A minute is poor if one of its streams is.
-- threshold: A participant is affected by more than 10% poor minutes or an episode of three consecutive poor minutes
--   (own choice).
-- caveat: Minutes without a bitrate or a metric are unclassified and excluded from all percentages; see the report
--   unclassified.
-- caveat: Feishu reports packet loss for the whole connection, not per medium.
-- caveat: Names are not unique; ids are.
-- caveat: In a large store, set since too: verdicts and causes need all participants of those days.
-- empty: Nobody with this id or exact name took part in a meeting in the window; the report worst-participants lists
--   ids.
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
    k.meeting_topic as topic,
    s.participant_name as name,
    s.site,
    s.network_kind as network,
    s.protocol,
    case when s.use_rtc_proxy then 'yes' else 'no' end as proxy,
    s.device,
    s.app_version as version,
    coalesce(v.judged_minutes, 0) as n,
    coalesce(v.poor_minutes, 0) as poor,
    coalesce(v.episodes, 0) as episodes,
    case when v.is_affected then 'affected' when not v.is_affected then 'good' end as verdict,
    v.cause as main_cause,
    g.affected_participants - case when v.is_affected then 1 else 0 end as others_affected,
    round(e.mos_p10, 2) as mos_p10,
    o.status as coverage,
    cast($profile as varchar) as profile
from sessions as s
left join meetings as k on k.meeting_key = s.meeting_key
left join judged as v on v.participant_key = s.participant_key and v.meeting_date = s.meeting_date
left join (
    select
        j.meeting_key,
        j.meeting_date,
        count(*) filter (where j.is_affected) as affected_participants
    from judged as j
    group by j.meeting_key, j.meeting_date
) as g on g.meeting_key = s.meeting_key and g.meeting_date = s.meeting_date
left join coverage as o on o.participant_key = s.participant_key and o.meeting_date = s.meeting_date
left join (
    select
        t.participant_key,
        percentile_cont(0.1) within group (order by m.mos_received_estimate) as mos_p10
    from quality_minutes(since := $since, until := $until, profile := $profile) as m
    inner join sessions as t on t.participant_key = m.participant_key and t.meeting_date = m.meeting_date
    group by t.participant_key
) as e on e.participant_key = s.participant_key
order by s.join_time_local desc, s.participant_key
