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
-- column: profile: Profile used.
-- threshold: Rooms should be wired (Microsoft Quality of Experience Review guide).
-- caveat: The network type is the one Feishu reports for each participation; a room that was moved to cable within the
--   window shows both.
-- empty: No room in the window was on wifi or cellular; nothing to do.
-- next: report user {room}
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
    cast($profile as varchar) as profile
from (
    select
        max(coalesce(f.participant_name, f.room_id)) as room,
        count(*) filter (where f.network_kind in ('wifi', 'cellular')) as sessions,
        count(*) as all_sessions,
        max(case when f.network_kind in ('wifi', 'cellular') then f.join_time_local end) as last,
        max(case when f.network_kind in ('wifi', 'cellular') then f.network_kind end) as network,
        max(f.site) as site,
        cast(sum(coalesce(v.judged_minutes, 0)) as bigint) as judged,
        cast(sum(coalesce(v.poor_minutes, 0)) as bigint) as poor
    from participant_facts as f
    left join participant_verdicts(since := $since, until := $until, profile := $profile) as v on v.participant_key = f.participant_key and v.meeting_date = f.meeting_date
    where f.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and f.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        and f.who_kind = 'room'
    group by f.room_id
) as r
where r.sessions > 0
order by r.sessions desc, r.room
