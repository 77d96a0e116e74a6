-- id: r28
-- title: Rooms on wifi
-- question: Which rooms are not on a wired network?
-- audience: room team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: room: Name of the room, or its ID if it has no name.
-- column: sessions: Meetings on wifi or cellular.
-- column: all_sessions: All meetings of the room.
-- column: last local: Date of the latest of these.
-- column: network: Network type of these meetings.
-- column: site: Building, or subnet if the building is unknown.
-- column: n min: Judged minutes, all networks.
-- column: poor min: Poor minutes.
-- column: poor_pct %: Percentage of judged minutes that are poor; empty below min_n.
-- column: main_cause: Most frequent cause of poor minutes: metric and direction.
-- column: profile: Profile used.
-- threshold: Rooms should be wired (Microsoft Quality of Experience Review guide).
-- caveat: The network type is the one Feishu reports for each participation; a room that was moved to cable within the
--   window shows both.
-- empty: No room in the window was on wifi or cellular; nothing to do.
-- next: report user {room}
-- key: room
with judged as materialized (
    select
        f.room_id,
        f.participant_name,
        f.network_kind,
        f.join_time_local,
        f.site,
        v.judged_minutes,
        v.poor_minutes,
        v.cause,
        v.cause_minutes,
        coalesce(v.cause_no, 1) as cause_no
    from participant_facts as f
    left join verdict_causes(since := $since, until := $until, profile := $profile) as v
        on v.participant_key = f.participant_key and v.meeting_date = f.meeting_date
    where f.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and f.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        and f.who_kind = 'room'
)

select
    r.room,
    r.sessions,
    r.all_sessions,
    cast(r.last as date) as last,
    r.network,
    r.site,
    r.judged as n,
    r.poor,
    share_pct(r.poor, r.judged, $min_n) as poor_pct,
    c.cause as main_cause,
    cast($profile as varchar) as profile
from (
    select
        j.room_id,
        max(coalesce(j.participant_name, j.room_id)) as room,
        count(*) filter (where j.network_kind in ('wifi', 'cellular')) as sessions,
        count(*) as all_sessions,
        max(case when j.network_kind in ('wifi', 'cellular') then j.join_time_local end) as last,
        max(case when j.network_kind in ('wifi', 'cellular') then j.network_kind end) as network,
        max(j.site) as site,
        cast(sum(coalesce(j.judged_minutes, 0)) as bigint) as judged,
        cast(sum(coalesce(j.poor_minutes, 0)) as bigint) as poor
    from judged as j
    where j.cause_no = 1
    group by j.room_id
) as r
left join (
    select
        j.room_id,
        j.cause,
        row_number() over (partition by j.room_id order by sum(j.cause_minutes) desc, j.cause) as place
    from judged as j
    where j.cause is not null
    group by j.room_id, j.cause
) as c on c.room_id = r.room_id and c.place = 1
where r.sessions > 0
order by r.sessions desc, r.room
