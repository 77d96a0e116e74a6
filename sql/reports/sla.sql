-- id: r21
-- title: Service level
-- question: Did we meet the service level this month, and how much of the error budget is used?
-- audience: service owner
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: min_n integer = 300: Hide percentages based on fewer than this many judged minutes.
-- column: month local: First day of the month.
-- column: scope: all, inside, wired, wifi, cellular or rooms.
-- column: participants: Participant rows with at least one judged audio minute.
-- column: n min: Participant-minutes with judged audio.
-- column: good_pct %: Percentage of minutes with good audio; empty below min_n.
-- column: target_pct %: Target for good_pct: 100 minus the allowed poor share of the scope.
-- column: met: yes or no; empty below min_n.
-- column: budget_used_pct %: Percentage of the error budget used (poor share relative to the allowed share); above 100
--   means that the target was missed.
-- column: days: Days with at least 60 judged minutes.
-- column: days_breached: Of these, days on which the poor share exceeded the allowed share.
-- column: profile: Profile used.
-- threshold: Audio verdicts by profile (table thresholds).
-- threshold: Allowed poor share: all and cellular 3%, inside 2%, wired 1%, wifi 2%, rooms 1% because they should be
--   wired (Microsoft Quality of Experience Review guide, which counts streams).
-- caveat: The guide's targets apply to streams; here they are applied to minutes with poor audio in either direction,
--   which is stricter about short problems.
-- caveat: The scope inside requires an imported building file.
-- empty: The window has no judged minutes.
-- table: month, scope, n, good_pct, target_pct, met, budget_used_pct | days, days_breached, participants
-- next: report run sla --since 28d
-- key: month, scope
select
    m.month,
    m.scope,
    m.participants,
    m.judged as n,
    share_pct(m.judged - m.poor, m.judged, $min_n) as good_pct,
    100 - m.allowed_pct as target_pct,
    case when m.judged >= $min_n then case when 100.0 * m.poor / m.judged > m.allowed_pct then 'no' else 'yes' end end as met,
    round(share_pct(m.poor, m.judged, $min_n) / m.allowed_pct * 100, 0) as budget_used_pct,
    m.days,
    m.days_breached,
    cast($profile as varchar) as profile
from (
    select
        d.month,
        d.scope,
        cast(sum(d.participants) as bigint) as participants,
        cast(sum(d.judged) as bigint) as judged,
        cast(sum(d.poor) as bigint) as poor,
        max(d.allowed_pct) as allowed_pct,
        count(*) filter (where d.judged >= 60) as days,
        count(*) filter (where d.judged >= 60 and 100.0 * d.poor / d.judged > d.allowed_pct) as days_breached
    from (
        select
            cast(date_trunc('month', a.meeting_date) as date) as month,
            a.meeting_date,
            s.scope,
            max(case s.scope
                when 'all' then l.target_overall_pct
                when 'inside' then l.target_inside_pct
                when 'wired' then l.target_wired_pct
                when 'wifi' then l.target_wifi_pct
                when 'rooms' then l.target_wired_pct
                else l.target_overall_pct
            end) as allowed_pct,
            count(*) as participants,
            cast(sum(a.judged) as bigint) as judged,
            cast(sum(a.poor) as bigint) as poor
        from (
            select
                q.participant_key,
                q.meeting_date,
                count(coalesce(q.audio_received_poor, q.audio_sent_poor)) as judged,
                count(*) filter (where q.audio_received_poor or q.audio_sent_poor) as poor
            from quality_minutes(since := $since, until := $until, profile := $profile) as q
            group by q.participant_key, q.meeting_date
        ) as a
        inner join participant_facts as f on f.participant_key = a.participant_key and f.meeting_date = a.meeting_date
        cross join limits(profile := $profile) as l
        inner join (
            select 'all' as scope
            union all select 'inside' as scope
            union all select 'wired' as scope
            union all select 'wifi' as scope
            union all select 'cellular' as scope
            union all select 'rooms' as scope
        ) as s
            on s.scope = 'all'
            or (s.scope = 'inside' and f.is_inside)
            or s.scope = f.network_kind
            or (s.scope = 'rooms' and f.who_kind = 'room')
        where a.judged > 0
        group by a.meeting_date, s.scope
    ) as d
    group by d.month, d.scope
) as m
order by m.month desc, case m.scope when 'all' then 0 else 1 end, m.scope
