-- id: r37
-- title: Room alarms
-- question: Which meetings took place in a room with an active alarm, and how was their quality?
-- audience: room team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 10: Hide percentages based on fewer than this many judged minutes.
-- column: start local: When the room joined; local time as reported by Feishu.
-- column: room: Name of the room, or its ID if it has no name.
-- column: building: Building of the room, if known.
-- column: meeting_no: Meeting number; numbers are reused.
-- column: topic: Meeting topic.
-- column: alarm: The rule that raised the alarm.
-- column: level: Level of the alarm; Feishu's numeric code.
-- column: alarm_from local: When the alarm began; local time.
-- column: alarm_until local: When the alarm ended; local time, empty if it has not ended.
-- column: overlap_min min: Minutes in which the room was in the meeting and the alarm was active.
-- column: n min: Judged minutes of the room in this meeting.
-- column: poor min: Poor minutes of the room in this meeting.
-- column: poor_pct %: Percentage of judged minutes that are poor; empty below min_n.
-- column: room_verdict: affected or good; unclassified if no minute was judged.
-- column: meeting_verdict: poor if at least two participants, and at least 20% of them, are affected; passable with
--   other poor minutes; good without; unclassified without a judged minute.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds): delay, loss and jitter for audio; frame rate for video (loss if
--   the frame rate is unknown); loss for sharing. A minute is poor if at least one of its streams is poor.
-- threshold: A participant counts as affected if more than 10% of their minutes are poor or they have an episode of
--   three consecutive poor minutes (this project's choice).
-- caveat: Needs sync --also room_alerts; names and buildings of rooms need --also rooms.
-- caveat: An alarm at the same time is not necessarily the cause. An alarm that never ended counts for all later
--   meetings.
-- caveat: A meeting has one row for each alarm.
-- empty: No room had an alarm during a meeting in this period, or no alarms were fetched: run vcq-etl sync --also
--   room_alerts.
-- table: start, room, topic, alarm, level, overlap_min, poor, n | building, alarm_from, alarm_until, poor_pct,
--   room_verdict, meeting_verdict, meeting_no
-- next: report meeting {meeting_no} --until {start:next_day}
-- key: meeting_no, start, room, alarm, alarm_from
select
    f.join_time_local as start,
    coalesce(r.room_name, f.participant_name, f.room_id) as room,
    coalesce(r.building, f.building) as building,
    f.meeting_no,
    k.meeting_topic as topic,
    coalesce(a.alert_rule, a.alert_strategy) as alarm,
    a.alert_level as level,
    a.alert_time_local as alarm_from,
    a.recover_time_local as alarm_until,
    cast(ceil((
        epoch(least(coalesce(a.recover_time_utc, f.leave_time_utc), f.leave_time_utc))
        - epoch(greatest(a.alert_time_utc, f.join_time_utc))
    ) / 60.0) as bigint) as overlap_min,
    coalesce(v.judged_minutes, 0) as n,
    coalesce(v.poor_minutes, 0) as poor,
    share_pct(v.poor_minutes, v.judged_minutes, $min_n) as poor_pct,
    case when v.is_affected then 'affected' when v.judged_minutes > 0 then 'good' else 'unclassified' end as room_verdict,
    case
        when g.is_poor then 'poor'
        when g.poor_minutes > 0 then 'passable'
        when g.judged_minutes > 0 then 'good'
        else 'unclassified'
    end as meeting_verdict,
    cast($profile as varchar) as profile
from participant_facts as f
inner join room_alerts as a
    on a.room_id = f.room_id
    and a.alert_time_utc < f.leave_time_utc
    and (a.recover_time_utc is null or a.recover_time_utc > f.join_time_utc)
left join rooms as r on r.room_id = f.room_id
left join meetings as k on k.meeting_key = f.meeting_key and k.meeting_date = f.meeting_date
left join participant_verdicts(since := $since, until := $until, profile := $profile) as v
    on v.participant_key = f.participant_key and v.meeting_date = f.meeting_date
left join meeting_verdicts(since := $since, until := $until, profile := $profile) as g
    on g.meeting_key = f.meeting_key and g.meeting_date = f.meeting_date
where f.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
    and f.meeting_date < coalesce(cast($until as date), date '9999-12-31')
order by coalesce(v.poor_minutes, 0) desc, f.join_time_local, coalesce(r.room_name, f.participant_name, f.room_id), a.alert_time_local, a.alert_id
