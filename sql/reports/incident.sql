-- id: r40
-- title: Incident
-- question: Who was affected by this incident, where, and how much?
-- audience: help desk
-- parameter: incident_id text needed: ID of the incident, from the report incidents.
-- parameter: profile text: Profile: cqd, strict, huawei-red or custom. Default: that of the store (setting profile);
--   vcq-etl computes the incidents of another one.
-- column: who: Name, or ID if there is no name.
-- column: site: Building, otherwise subnet or public network.
-- column: device: Client device type.
-- column: version: App version.
-- column: network: Connection type.
-- column: meeting: Topic of the meeting, otherwise its number.
-- column: join_time_local local: When the participant joined; local time.
-- column: judged_minutes min: Judged minutes of the participant in this meeting.
-- column: poor_minutes min: Poor minutes of the participant that belong to the incident.
-- column: first_minute_local local: First of the participant's poor minutes, local time.
-- column: last_minute_local local: Last of them, local time.
-- column: metric: Most frequent metric of the participant's poor minutes.
-- column: who_id: ID of the person or room.
-- column: meeting_no: Meeting number; numbers are reused.
-- column: meeting_date local: Date of the meeting.
-- column: participant_key: Key of the participant.
-- column: profile: Profile used.
-- threshold: Verdicts by profile (table thresholds).
-- caveat: For the metric cpu, poor minutes and percentages are those of CPU-limited minutes, poor or not.
-- caveat: First and last minute are those of all poor minutes of the participant between the start and the end of the
--   incident.
-- empty: There is no incident with this ID; the report incidents lists them.
-- table: who, poor_minutes, judged_minutes, site, network, device | meeting, first_minute_local, last_minute_local,
--   metric, version, join_time_local, who_id, meeting_no
-- next: report meeting {meeting_no} --until {meeting_date:next_day}
-- key: participant_key
with chosen as (
    select
        i.*,
        m.profile as judged_by
    from incidents as i
    cross join incident_profile(profile := $profile, report := 'incident') as m
    where i.incident_id = cast($incident_id as varchar)
),

affected as (
    select
        c.start_time_utc,
        c.end_time_utc,
        c.judged_by,
        p.participant_key,
        p.poor_minutes
    from chosen as c
    -- With the earlier rows of a problem that continues.
    inner join incidents as i
        on i.kind = c.kind
        and i.scope_kind = c.scope_kind
        and i.scope = c.scope
        and i.metric = c.metric
        and i.meeting_date <= c.meeting_date
        and case when c.kind = 'acute' then i.start_time_utc = c.start_time_utc else i.end_time_utc >= c.start_time_utc end
    inner join incident_participants as p on p.incident_id = i.incident_id and p.meeting_date = i.meeting_date
),

-- The ID begins with the date and the kind, which limits what is scanned: an acute incident lasts a few days at most.
minutes_of as (
    select
        b.participant_key,
        b.minute_local,
        b.metric
    from cause_minutes(
        since := case
            when cast($incident_id as varchar) like '____-__-__-acute-%' then try_cast(left(cast($incident_id as varchar), 10) as date) - 7
            else try_cast(left(cast($incident_id as varchar), 10) as date) - 28
        end,
        until := try_cast(left(cast($incident_id as varchar), 10) as date) + 1,
        profile := coalesce((select max(n.profile) from meta as n), 'cqd')
    ) as b
    inner join affected as a on a.participant_key = b.participant_key
    where b.minute_utc between a.start_time_utc and a.end_time_utc
),

spans as (
    select
        b.participant_key,
        min(b.minute_local) as first_minute_local,
        max(b.minute_local) as last_minute_local
    from minutes_of as b
    group by b.participant_key
),

metrics as (
    select
        c.participant_key,
        c.metric,
        row_number() over (partition by c.participant_key order by c.minutes desc, c.metric) as place
    from (
        select
            b.participant_key,
            b.metric,
            count(*) as minutes
        from minutes_of as b
        group by b.participant_key, b.metric
    ) as c
)

select
    coalesce(f.participant_name, f.who, a.participant_key) as who,
    f.site,
    f.device,
    f.app_version as version,
    f.network_kind as network,
    coalesce(k.meeting_topic, k.meeting_no) as meeting,
    f.join_time_local,
    j.judged_minutes,
    a.poor_minutes,
    s.first_minute_local,
    s.last_minute_local,
    m.metric,
    f.who as who_id,
    k.meeting_no,
    f.meeting_date,
    a.participant_key,
    a.judged_by as profile
from affected as a
left join participant_facts as f on f.participant_key = a.participant_key
left join meetings as k on k.meeting_key = f.meeting_key and k.meeting_date = f.meeting_date
left join judged_participants as j on j.participant_key = a.participant_key and j.meeting_date = f.meeting_date
left join spans as s on s.participant_key = a.participant_key
left join metrics as m on m.participant_key = a.participant_key and m.place = 1
order by a.poor_minutes desc, f.join_time_utc, a.participant_key
