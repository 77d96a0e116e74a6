-- id: r39
-- title: Incidents
-- question: What went wrong, for whom, and since when?
-- audience: everybody
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text: Profile: cqd, strict, huawei-red or custom. Default: that of the store (setting profile);
--   vcq-etl computes the incidents of another one.
-- column: severity: critical, major or minor.
-- column: kind: acute: more people are affected over a stretch of time than the scope's own history and everybody else
--   explain; chronic: worse than its peers on at least five of the last ten days on which it was used.
-- column: scope_kind: What the poor minutes have in common: service, site, egress, subnet, room, meeting, person,
--   app_version, device, network_type or location.
-- column: scope_name: Name of the person or room, topic of the meeting, otherwise the scope.
-- column: metric: loss, delay, jitter, frame_rate or cpu.
-- column: direction: received, sent or both.
-- column: start_time_local local: First poor minute; for a problem that continues over several dates, that of its first
--   date.
-- column: end_time_local local, so far: Last poor minute; for a chronic incident, the last one up to the date, which is
--   not its end.
-- column: participants: People and rooms affected.
-- column: meetings: Meetings affected.
-- column: poor_minutes min: Participant-minutes of the incident.
-- column: judged_minutes min: Judged participant-minutes of the scope from start to end.
-- column: poor_pct %: Percentage of the scope's judged minutes that are poor.
-- column: usual_poor_pct %: The same for the scope over the 28 days before.
-- column: elsewhere_poor_pct %: The same for everybody else at that time.
-- column: summary: The incident in one sentence.
-- column: incident_id: ID, for the report incident.
-- column: scope: The scope as in the tables: an ID, a network, a building.
-- column: start_time_utc UTC: First poor minute, UTC.
-- column: end_time_utc UTC, so far: The same, UTC.
-- column: q_value: Expected share of false discoveries among incidents at least this certain.
-- column: meeting_date local: Date of the row that is shown.
-- column: profile: Profile used.
-- threshold: The limits of the search: docs/INCIDENTS.md.
-- caveat: A problem that continues over several dates is one row with the counts from its start to its latest date; a
--   problem that became chronic is one row, without the acute ones of its first days.
-- caveat: For the metric cpu, poor minutes and percentages are those of CPU-limited minutes, poor or not.
-- caveat: A connection that has always been poor is not an incident: every scope is compared with its own history and
--   with its peers.
-- empty: No incident overlaps this period.
-- table: severity, summary + incident_id | scope_kind, participants, meetings, poor_minutes, poor_pct, usual_poor_pct,
--   elsewhere_poor_pct, kind
-- next: report incident {incident_id}
-- key: scope_kind, scope, metric (loss = delay = jitter)
-- span: start_time_utc to end_time_utc
-- grows: severity: minor, major, critical
with stored as (
    select
        i.*,
        m.profile as judged_by
    from incidents as i
    cross join incident_profile(profile := $profile, report := 'incidents') as m
    where i.start_time_local < coalesce(cast($until as date), date '9999-12-31')
        and i.end_time_local >= coalesce(cast($since as date), date '1900-01-01')
),

-- Rows that continue one another are folded into the latest, and the acute rows of the days in which a problem became
-- chronic into the chronic one.
latest as (
    select f.*
    from (
        select
            s.*,
            row_number() over (
                partition by s.kind, s.scope_kind, s.scope, s.metric, case when s.kind = 'acute' then s.start_time_utc end
                order by s.meeting_date desc, s.end_time_utc desc, s.incident_id
            ) as place
        from stored as s
    ) as f
    where f.place = 1
        and not (
            f.kind = 'acute'
            and exists (
                select 1
                from stored as c
                where c.kind = 'chronic'
                    and c.scope_kind = f.scope_kind
                    and c.scope = f.scope
                    and c.metric = f.metric
                    and c.start_time_utc <= f.end_time_utc
                    and c.end_time_utc >= f.start_time_utc
            )
        )
)

select
    r.severity,
    r.kind,
    r.scope_kind,
    coalesce(n.scope_name, r.scope) as scope_name,
    r.metric,
    r.direction,
    r.start_time_local,
    r.end_time_local,
    r.participants,
    r.meetings,
    r.poor_minutes,
    r.judged_minutes,
    round(r.poor_pct, 1) as poor_pct,
    round(r.usual_poor_pct, 1) as usual_poor_pct,
    round(r.elsewhere_poor_pct, 1) as elsewhere_poor_pct,
    r.summary,
    r.incident_id,
    r.scope,
    r.start_time_utc,
    r.end_time_utc,
    r.q_value,
    r.meeting_date,
    r.judged_by as profile
from latest as r
left join incident_scope_names() as n on n.scope_kind = r.scope_kind and n.scope = r.scope
order by
    case r.severity when 'critical' then 1 when 'major' then 2 else 3 end,
    r.participants desc,
    r.start_time_utc,
    r.incident_id
