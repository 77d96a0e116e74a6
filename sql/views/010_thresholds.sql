-- The thresholds used to judge a minute, a participant, a meeting or a day, each with its source.
-- `source` is "own choice" if the number was not published. The profile `custom` is added from the configuration.
-- direction: received, sent or both. poor_when: above, at_or_above or below the value; "is" for rules and counts.
delete from thresholds;

insert into thresholds
with
cqd_audio as (select 'Microsoft Teams Call Quality Dashboard, stream classification, audio (learn.microsoft.com)' as source),
cqd_video as (select 'Microsoft Teams Call Quality Dashboard, stream classification, video (learn.microsoft.com)' as source),
cqd_share as (select 'Microsoft Teams Call Quality Dashboard, stream classification, VBSS (learn.microsoft.com)' as source),
meet as (select 'Google Meet quality playbook (googlecloudcommunity.com, 165810)' as source),
teams as (select 'Microsoft Teams client, call health, typical values (support.microsoft.com)' as source),
huawei as (select 'Huawei Cloud Meeting, control page: shown red' as source),
sparkrtc as (select 'Huawei Cloud SparkRTC, cause detection' as source)
          select 'cqd', 'audio_delay_ms', 'both', 'above', 500.0, 'ms', source from cqd_audio
union all select 'cqd', 'audio_loss_pct', 'both', 'above', 10.0, '%', source from cqd_audio
union all select 'cqd', 'audio_jitter_ms', 'both', 'above', 30.0, 'ms', source from cqd_audio
union all select 'cqd', 'video_framerate_fps', 'both', 'below', 7.0, 'fps', source from cqd_video
union all select 'cqd', 'video_loss_pct', 'both', 'above', 15.0, '%',
    source || '; there after error correction, here of the whole connection' from cqd_video
union all select 'cqd', 'video_first_metric_decides', 'both', 'is', 1.0, 'flag', source from cqd_video
union all select 'cqd', 'share_loss_pct', 'both', 'above', 15.0, '%',
    source || '; there after error correction, here of the whole connection' from cqd_share
union all select 'cqd', 'share_framerate_fps', 'both', 'below', 2.0, 'fps',
    source || '; here only together with poor loss or delay, because a still slide is legitimately slow' from cqd_share
union all select 'cqd', 'cpu_client_max_pct', 'both', 'at_or_above', 80.0, '%', source || '; the dashboard itself has no CPU limit' from meet
union all select 'cqd', 'cpu_system_max_pct', 'both', 'at_or_above', 90.0, '%', source || '; the dashboard itself has no CPU limit' from meet

union all select 'strict', 'audio_delay_ms', 'both', 'at_or_above', 200.0, 'ms', source from teams
union all select 'strict', 'audio_loss_pct', 'both', 'at_or_above', 3.0, '%', source from meet
union all select 'strict', 'audio_jitter_ms', 'both', 'at_or_above', 30.0, 'ms', source from teams
union all select 'strict', 'video_framerate_fps', 'both', 'below', 7.0, 'fps', source from cqd_video
union all select 'strict', 'video_loss_pct', 'both', 'at_or_above', 3.0, '%', source from meet
union all select 'strict', 'video_first_metric_decides', 'both', 'is', 0.0, 'flag', 'own choice: any broken limit is poor'
union all select 'strict', 'share_loss_pct', 'both', 'at_or_above', 3.0, '%', source from meet
union all select 'strict', 'share_framerate_fps', 'both', 'below', 2.0, 'fps',
    source || '; here only together with poor loss or delay' from cqd_share
union all select 'strict', 'cpu_client_max_pct', 'both', 'at_or_above', 80.0, '%', source from meet
union all select 'strict', 'cpu_system_max_pct', 'both', 'at_or_above', 80.0, '%',
    source || '; there for the client, here for the machine too' from meet

union all select 'huawei-red', 'audio_delay_ms', 'both', 'at_or_above', 250.0, 'ms', source from huawei
union all select 'huawei-red', 'audio_loss_pct', 'both', 'at_or_above', 10.0, '%', source from huawei
union all select 'huawei-red', 'audio_jitter_ms', 'both', 'at_or_above', 50.0, 'ms', source from huawei
union all select 'huawei-red', 'video_delay_ms', 'both', 'at_or_above', 250.0, 'ms', source from huawei
union all select 'huawei-red', 'video_loss_pct', 'both', 'at_or_above', 3.0, '%', source from huawei
union all select 'huawei-red', 'video_jitter_ms', 'both', 'at_or_above', 50.0, 'ms', source from huawei
union all select 'huawei-red', 'video_first_metric_decides', 'both', 'is', 0.0, 'flag', source || ' if any is broken' from huawei
union all select 'huawei-red', 'share_delay_ms', 'both', 'at_or_above', 250.0, 'ms', source || '; taken from video' from huawei
union all select 'huawei-red', 'share_loss_pct', 'both', 'at_or_above', 3.0, '%', source || '; taken from video' from huawei
union all select 'huawei-red', 'share_jitter_ms', 'both', 'at_or_above', 50.0, 'ms', source || '; taken from video' from huawei
union all select 'huawei-red', 'cpu_client_max_pct', 'both', 'at_or_above', 70.0, '%', source from sparkrtc
union all select 'huawei-red', 'cpu_system_max_pct', 'both', 'at_or_above', 80.0, '%', source from sparkrtc;

-- Thresholds that do not depend on stream verdicts are the same in every profile.
insert into thresholds
select p.profile, c.metric, 'both', c.poor_when, c.value, c.unit, c.source
from (select distinct profile from thresholds) as p
cross join (
              select 'episode_min_minutes' as metric, 'at_or_above' as poor_when, 3.0 as value, 'min' as unit,
        'own choice, after Circuit: three poor samples in a row' as source
    union all select 'cpu_framerate_fps', 'below', 15.0, 'fps',
        'own choice, after the bands of Teams real-time analytics: part of the rule for CPU-limited minutes'
    union all select 'participant_poor_minutes_pct', 'above', 10.0, '%', 'own choice'
    union all select 'meeting_affected_pct', 'at_or_above', 20.0, '%', 'own choice'
    union all select 'meeting_affected_participants', 'at_or_above', 2.0, 'participants', 'own choice'
    union all select 'service_poor_pct', 'at_or_above', 50.0, '%', 'own choice'
    union all select 'service_sites', 'at_or_above', 3.0, 'public networks', 'own choice'
    union all select 'service_participants', 'at_or_above', 10.0, 'participants', 'own choice: fewer are chance'
    union all select 'licence_video_px', 'is', 360.0, 'px', 'Lark help centre, 021036484885: video of new meetings once the minutes are used up'
    union all select 'licence_share_px', 'is', 720.0, 'px', 'Lark help centre, 021036484885: sharing in new meetings once the minutes are used up'
    union all select 'licence_capped_pct', 'at_or_above', 80.0, '%', 'own choice'
    union all select 'licence_participants', 'at_or_above', 10.0, 'participants', 'own choice: fewer are chance'
    union all select 'status_degraded_pct', 'at_or_above', 5.0, '%', 'CQLens: degraded from 5 %'
    union all select 'status_critical_pct', 'at_or_above', 20.0, '%', 'CQLens: critical from 20 %'
    union all select 'target_overall_pct', 'above', 3.0, '%', 'Microsoft Quality of Experience Review guide: audio poor stream rate, overall'
    union all select 'target_inside_pct', 'above', 2.0, '%', 'Microsoft Quality of Experience Review guide: audio poor stream rate, all internal'
    union all select 'target_wifi_pct', 'above', 2.0, '%', 'Microsoft Quality of Experience Review guide: conferencing over 2.4 GHz; the band is not known here'
    union all select 'target_wired_pct', 'above', 1.0, '%', 'Microsoft Quality of Experience Review guide: conferencing, wired'
    union all select 'incident_critical_people', 'at_or_above', 10.0, 'people', 'own choice'
    union all select 'incident_major_people', 'at_or_above', 5.0, 'people', 'own choice'
    union all select 'incident_major_poor_pct', 'at_or_above', 50.0, '%', 'own choice'
    union all select 'mos_low', 'below', 3.6, 'MOS', 'ITU-T G.107 and G.109: below, many users are dissatisfied'
    union all select 'chronic_days', 'at_or_above', 3.0, 'days of 7', 'own choice'
    union all select 'coverage_gate_pct', 'below', 98.0, '%', 'own choice'
    union all select 'trend_z', 'at_or_above', 3.0, 'standard errors', 'own choice'
    union all select 'trend_change_pp', 'at_or_above', 0.5, 'percentage points', 'own choice'
    union all select 'trend_min_minutes', 'is', 300.0, 'min', 'own choice'
) as c;

-- The thresholds of one profile as one row, ready for comparison: poor is "> threshold" for *_ms and *_pct and
-- "< threshold" for *_fps; for at_or_above it is the next smaller double. NULL means the profile has no such threshold.
-- An unknown profile is an error because without thresholds every minute would be good.
create or replace macro limits(profile := 'cqd') as table
select
    max(case when t.metric = 'audio_delay_ms' then t.limit_value end) as audio_delay_ms,
    max(case when t.metric = 'audio_loss_pct' then t.limit_value end) as audio_loss_pct,
    max(case when t.metric = 'audio_jitter_ms' then t.limit_value end) as audio_jitter_ms,
    max(case when t.metric = 'video_delay_ms' then t.limit_value end) as video_delay_ms,
    max(case when t.metric = 'video_loss_pct' then t.limit_value end) as video_loss_pct,
    max(case when t.metric = 'video_jitter_ms' then t.limit_value end) as video_jitter_ms,
    max(case when t.metric = 'video_framerate_fps' then t.limit_value end) as video_framerate_fps,
    max(case when t.metric = 'video_first_metric_decides' then t.limit_value end) as video_first_metric_decides,
    max(case when t.metric = 'share_delay_ms' then t.limit_value end) as share_delay_ms,
    max(case when t.metric = 'share_loss_pct' then t.limit_value end) as share_loss_pct,
    max(case when t.metric = 'share_jitter_ms' then t.limit_value end) as share_jitter_ms,
    max(case when t.metric = 'share_framerate_fps' then t.limit_value end) as share_framerate_fps,
    min(case when t.metric in ('audio_delay_ms', 'video_delay_ms', 'share_delay_ms') then t.limit_value end) as network_delay_ms,
    min(case when t.metric in ('audio_loss_pct', 'video_loss_pct', 'share_loss_pct') then t.limit_value end) as network_loss_pct,
    max(case when t.metric = 'cpu_client_max_pct' then t.limit_value end) as cpu_client_max_pct,
    max(case when t.metric = 'cpu_system_max_pct' then t.limit_value end) as cpu_system_max_pct,
    max(case when t.metric = 'cpu_framerate_fps' then t.limit_value end) as cpu_framerate_fps,
    max(case when t.metric = 'episode_min_minutes' then t.value end) as episode_min_minutes,
    max(case when t.metric = 'participant_poor_minutes_pct' then t.value end) as participant_poor_minutes_pct,
    max(case when t.metric = 'meeting_affected_pct' then t.value end) as meeting_affected_pct,
    max(case when t.metric = 'meeting_affected_participants' then t.value end) as meeting_affected_participants,
    max(case when t.metric = 'service_poor_pct' then t.value end) as service_poor_pct,
    max(case when t.metric = 'service_sites' then t.value end) as service_sites,
    max(case when t.metric = 'service_participants' then t.value end) as service_participants,
    max(case when t.metric = 'licence_video_px' then t.value end) as licence_video_px,
    max(case when t.metric = 'licence_share_px' then t.value end) as licence_share_px,
    max(case when t.metric = 'licence_capped_pct' then t.value end) as licence_capped_pct,
    max(case when t.metric = 'licence_participants' then t.value end) as licence_participants,
    max(case when t.metric = 'status_degraded_pct' then t.value end) as status_degraded_pct,
    max(case when t.metric = 'status_critical_pct' then t.value end) as status_critical_pct,
    max(case when t.metric = 'target_overall_pct' then t.value end) as target_overall_pct,
    max(case when t.metric = 'target_inside_pct' then t.value end) as target_inside_pct,
    max(case when t.metric = 'target_wifi_pct' then t.value end) as target_wifi_pct,
    max(case when t.metric = 'target_wired_pct' then t.value end) as target_wired_pct,
    max(case when t.metric = 'incident_critical_people' then t.value end) as incident_critical_people,
    max(case when t.metric = 'incident_major_people' then t.value end) as incident_major_people,
    max(case when t.metric = 'incident_major_poor_pct' then t.value end) as incident_major_poor_pct,
    max(case when t.metric = 'mos_low' then t.value end) as mos_low,
    max(case when t.metric = 'chronic_days' then t.value end) as chronic_days,
    max(case when t.metric = 'coverage_gate_pct' then t.value end) as coverage_gate_pct,
    max(case when t.metric = 'trend_z' then t.value end) as trend_z,
    max(case when t.metric = 'trend_change_pp' then t.value end) as trend_change_pp,
    max(case when t.metric = 'trend_min_minutes' then t.value end) as trend_min_minutes
from (
    select
        s.metric,
        s.value,
        case
            when s.poor_when = 'at_or_above' then nextafter(s.value, cast('-infinity' as double))
            else s.value
        end as limit_value
    from thresholds as s
    where s.profile = cast(profile as varchar)
) as t
having case
    when count(*) = 0 then error('no such profile in the table thresholds; see: select distinct profile from thresholds')
    else true
end;

-- 0 if the stored minutes and audio streams (stored_marked_minutes, stored_cpu_minutes and stored_audio_streams, which
-- vcq-etl fills when it publishes) were judged by the thresholds of this profile, else more.
create or replace macro differing_limits(profile := 'cqd') as table
select count(*) as differences
from (
    select u.metric, u.poor_when, u.value
    from (
        select t.metric, t.poor_when, t.value, 1 as side from thresholds as t where t.profile = cast(profile as varchar)
        union all
        select s.metric, s.poor_when, s.value, -1 as side from stored_limits as s
    ) as u
    group by u.metric, u.poor_when, u.value
    -- Equal thresholds cancel out.
    having sum(u.side) <> 0
) as d;
