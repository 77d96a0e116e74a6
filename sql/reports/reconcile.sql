-- id: r36
-- title: Reconcile
-- question: What does Feishu count that the store lacks?
-- audience: data team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: tolerance_meetings number = 0: Missing meetings to ignore, for each day and user.
-- parameter: tolerance_participants number = 0: Missing participants to ignore, for each day and meeting.
-- parameter: tolerance_minutes number = 1: Missing minutes to ignore in Feishu's sums, for each meeting of the day or
--   user, because both sums are rounded.
-- parameter: tolerance_samples number = 0: Missing minutes to ignore in the quality data of one participant. Set it to
--   2 if your tenant's data lacks the first and last partial minute.
-- column: date local: Day of Feishu's count; for a meeting or participant the local date of the meeting.
-- column: what: day (all meetings of the day), user (one person on that day), meeting (an event that no meeting list
--   returned, or a list of participants), or participant (quality data).
-- column: name: Day, user, topic of the meeting or participant.
-- column: meeting_no: Number of the meeting; empty for a day or user.
-- column: short: What the store lacks and how much of it, such as `participants: 2, minutes: 35`; `no count` where
--   Feishu's count of the day is not in the store.
-- column: feishu_meetings: Meetings that Feishu counts.
-- column: held_meetings: Meetings in the store.
-- column: feishu_participants: Participants that Feishu counts.
-- column: held_participants: Participants in the store.
-- column: feishu_min min: Minutes that Feishu counts; for a participant the minutes of presence.
-- column: held_min min: Minutes in the store; for a participant the minutes of quality data.
-- column: explanation: A known cause that may explain the difference; empty if there is none.
-- column: key: User id, meeting_key or participant_key.
-- threshold: A row appears only where Feishu counts more than the store holds, beyond the tolerances (this project's
--   choice), or where Feishu's count of a day is missing.
-- caveat: Rows for days and users need sync --also census. Meetings and participants are always compared.
-- caveat: `no count` appears only for days with meetings that complete syncs cover, from the first day with a count on,
--   at least a day after they end and while Feishu still returns their count (88 days).
-- caveat: A day is counted from census_daily.day_start_utc for 24 hours, and compared once it is over. A meeting belongs
--   to the day on which it starts.
-- caveat: A meeting of a user belongs to the local day on which it starts, and its minutes are those of the device that
--   stayed longest. Feishu documents neither.
-- caveat: Participants are counted once in each meeting, whatever their number of devices. The audience of webinars is
--   compared with number_of_webinar_viewers, not with the count of the day.
-- caveat: Only participants whose quality data is final (complete, empty or unreadable) and who stayed for at least 30
--   seconds are compared; for the others see the report coverage. An absence is subtracted in full minutes.
-- caveat: If the store holds more than Feishu counts, for example rooms or external meetings that its count leaves out,
--   this can hide a missing meeting of that day; its participants' own rows still show it.
-- empty: Nothing falls short of what Feishu's counts in this store say. Days and users are compared only after sync
--   --also census.
-- table: date, what, name, short, explanation | meeting_no, feishu_meetings, held_meetings, feishu_participants,
--   held_participants, feishu_min, held_min
-- next: report run coverage
-- key: date, what, key
with days as (
    select
        d.meeting_date,
        d.day_start_utc,
        d.day_start_utc + interval '24 hours' as day_end_utc,
        d.meetings,
        d.participants,
        d.duration_s,
        d.day_start_utc + interval '48 hours' > t.created_utc as is_recent
    from census_daily as d
    cross join meta as t
    where d.day_start_utc + interval '24 hours' <= t.created_utc
        and d.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and d.meeting_date < coalesce(cast($until as date), date '9999-12-31')
),

-- Feishu's day may begin up to a day before or after the local one.
meetings_held as materialized (
    select
        k.meeting_key,
        k.meeting_date,
        k.meeting_no,
        k.meeting_topic,
        k.start_time_utc,
        coalesce(k.meeting_duration_s, 0) as duration_s,
        k.number_of_participants,
        k.number_of_webinar_viewers,
        coalesce(p.participants, 0) as participants,
        k.number_of_webinar_viewers - coalesce(p.viewers, 0) as viewers_short,
        -- A meeting from an event has none of these; one from the meeting list always does.
        k.meeting_type is null and k.meeting_duration_s is null and k.number_of_participants is null as is_event,
        k.end_time_utc + interval '24 hours' > t.created_utc as is_recent,
        coalesce(l.status, '') as listing
    from meetings as k
    cross join meta as t
    left join (
        select
            r.meeting_key,
            r.meeting_date,
            count(distinct case
                when r.webinar_user_role is distinct from '3' then coalesce(r.user_id, r.room_id, r.participant_key)
            end) as participants,
            count(*) filter (where r.webinar_user_role = '3') as viewers
        from participants as r
        where r.meeting_date >= coalesce(cast($since as date), date '1900-01-02') - 1
            and r.meeting_date < coalesce(cast($until as date), date '9999-12-30') + 1
        group by r.meeting_key, r.meeting_date
    ) as p on p.meeting_key = k.meeting_key and p.meeting_date = k.meeting_date
    left join coverage as l
        on l.participant_key = k.meeting_key || '/*' and l.meeting_key = k.meeting_key and l.meeting_date = k.meeting_date
    where k.meeting_date >= coalesce(cast($since as date), date '1900-01-02') - 1
        and k.meeting_date < coalesce(cast($until as date), date '9999-12-30') + 1
),

days_held as (
    select
        d.meeting_date,
        count(k.meeting_key) as meetings,
        cast(coalesce(sum(k.participants), 0) as bigint) as participants,
        cast(coalesce(sum(k.duration_s), 0) as bigint) as duration_s
    from days as d
    left join meetings_held as k on k.start_time_utc >= d.day_start_utc and k.start_time_utc < d.day_end_utc
    group by d.meeting_date
),

-- What may explain the differences of a local date.
dates as (
    select
        k.meeting_date,
        count(*) as meetings,
        cast(sum(k.participants) as bigint) as participants,
        cast(sum(k.duration_s) as bigint) as duration_s,
        count(*) filter (where k.listing in ('pending', 'failed')) as pending,
        count(*) filter (where k.listing = 'list_short') as short_lists,
        cast(coalesce(sum(k.number_of_webinar_viewers), 0) as bigint) as viewers
    from meetings_held as k
    group by k.meeting_date
),

-- Days that the windows of complete syncs do not cover entirely. A store without the history of its runs has none.
uncovered as (
    select distinct
        d.meeting_date,
        1 as is_uncovered
    from days as d
    inner join (
        select n.since_utc, n.until_utc from not_covered as n
        union all
        select timestamp '1900-01-01 00:00:00' as since_utc, coalesce(min(w.since_utc), timestamp '9999-12-31 00:00:00') as until_utc
        from covered_windows as w
        union all
        select max(w.until_utc) as since_utc, timestamp '9999-12-31 00:00:00' as until_utc
        from covered_windows as w
    ) as g on g.since_utc < d.day_end_utc and g.until_utc > d.day_start_utc
    cross join (select count(*) as syncs from runs as s where s.command = 'sync') as a
    where a.syncs > 0
),

-- Days with meetings that complete syncs cover entirely, without a count that Feishu still returns. Where Feishu's days
-- begin and end is read from its counts, otherwise from the zone of the meetings.
uncounted as (
    select
        b.meeting_date,
        b.meetings,
        b.participants,
        b.duration_s
    from (
        select
            t.meeting_date,
            t.meetings,
            t.participants,
            t.duration_s,
            cast(t.meeting_date as timestamp) + cast(coalesce(d.first_start_s, z.first_start_s) as integer) * interval '1 second'
                as day_start_utc,
            cast(t.meeting_date as timestamp) + cast(coalesce(d.last_start_s, z.last_start_s) as integer) * interval '1 second'
                + interval '24 hours' as day_end_utc
        from dates as t
        cross join (
            select
                min(c.meeting_date) as first_date,
                min(epoch(c.day_start_utc) - epoch(cast(c.meeting_date as timestamp))) as first_start_s,
                max(epoch(c.day_start_utc) - epoch(cast(c.meeting_date as timestamp))) as last_start_s
            from census_daily as c
        ) as d
        cross join (select min(c.meeting_date) as first_date from census_users as c) as u
        cross join (
            select
                min(-60 * k.utc_offset_min) as first_start_s,
                max(-60 * k.utc_offset_min) as last_start_s
            from meetings as k
        ) as z
        where t.meeting_date >= coalesce(d.first_date, u.first_date)
            and t.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
            and t.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    ) as b
    cross join meta as m
    cross join (select min(c.since_utc) as since_utc, max(c.until_utc) as until_utc from covered_windows as c) as w
    left join census_daily as c on c.meeting_date = b.meeting_date
    left join not_covered as n on n.since_utc < b.day_end_utc and n.until_utc > b.day_start_utc
    where c.meeting_date is null
        and n.since_utc is null
        and b.day_start_utc >= w.since_utc
        and b.day_end_utc <= w.until_utc
        and b.day_end_utc + interval '24 hours' <= m.created_utc
        and b.day_start_utc + interval '2112 hours' > m.created_utc
),

day_rows as (
    select
        d.meeting_date,
        d.meetings,
        h.meetings as held_meetings,
        d.participants,
        h.participants as held_participants,
        cast(round(d.duration_s / 60.0, 0) as bigint) as minutes,
        cast(round(h.duration_s / 60.0, 0) as bigint) as held_minutes,
        d.is_recent,
        d.duration_s / 60.0 - h.duration_s / 60.0 - cast($tolerance_minutes as double) * d.meetings > 0 as is_short_of_minutes,
        coalesce(t.meetings, 0) as date_meetings,
        coalesce(t.participants, 0) as date_participants,
        coalesce(t.pending, 0) as pending,
        coalesce(t.short_lists, 0) as short_lists,
        coalesce(t.viewers, 0) as viewers,
        coalesce(u.is_uncovered, 0) as is_uncovered
    from days as d
    inner join days_held as h on h.meeting_date = d.meeting_date
    left join dates as t on t.meeting_date = d.meeting_date
    left join uncovered as u on u.meeting_date = d.meeting_date
),

user_rows as (
    select
        c.meeting_date,
        c.user_id,
        c.user_name,
        c.meetings,
        coalesce(p.meetings, 0) as held_meetings,
        c.duration_minutes as minutes,
        cast(floor(coalesce(p.in_meeting_s, 0) / 60.0) as bigint) as held_minutes,
        c.duration_minutes - coalesce(p.in_meeting_s, 0) / 60.0
            - cast($tolerance_minutes as double) * greatest(c.meetings, 1) > 0 as is_short_of_minutes,
        coalesce(t.pending, 0) as pending,
        coalesce(t.short_lists, 0) as short_lists,
        coalesce(u.is_uncovered, 0) as is_uncovered,
        coalesce(d.meetings <= d.held_meetings, false) as is_day_complete
    from census_users as c
    left join (
        select
            y.user_id,
            y.meeting_date,
            count(*) as meetings,
            sum(y.in_meeting_s) as in_meeting_s
        from (
            select
                r.user_id,
                r.meeting_date,
                r.meeting_key,
                max(r.time_in_meeting_s) as in_meeting_s
            from participants as r
            where r.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
                and r.meeting_date < coalesce(cast($until as date), date '9999-12-31')
                and r.user_id is not null
            group by r.user_id, r.meeting_date, r.meeting_key
        ) as y
        group by y.user_id, y.meeting_date
    ) as p on p.user_id = c.user_id and p.meeting_date = c.meeting_date
    left join dates as t on t.meeting_date = c.meeting_date
    left join uncovered as u on u.meeting_date = c.meeting_date
    left join day_rows as d on d.meeting_date = c.meeting_date
    where c.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and c.meeting_date < coalesce(cast($until as date), date '9999-12-31')
),

-- Minutes of presence: the calendar minutes from join to leave, without the full minutes of an absence.
presence as (
    select
        r.participant_key,
        r.meeting_date,
        coalesce(r.participant_name, r.user_id, r.room_id) as name,
        r.meeting_no,
        c.status,
        coalesce(c.sample_count, 0) as samples,
        case
            when r.leave_time_utc is null then c.expected_minutes
            else cast(ceil((epoch(r.leave_time_utc) - epoch(date_trunc('minute', r.join_time_utc))) / 60.0) as bigint)
                - cast(floor(greatest(
                    epoch(r.leave_time_utc) - epoch(r.join_time_utc)
                    - coalesce(cast(r.time_in_meeting_s as double), epoch(r.leave_time_utc) - epoch(r.join_time_utc)),
                    0.0
                ) / 60.0) as bigint)
        end as minutes,
        coalesce(cast(r.time_in_meeting_s as double), epoch(r.leave_time_utc) - epoch(r.join_time_utc)) as stay_s,
        coalesce(j.items, 0) as rejected_items
    from coverage as c
    inner join participants as r on r.participant_key = c.participant_key and r.meeting_date = c.meeting_date
    left join (
        select
            split_part(x.row_key, '@', 1) as participant_key,
            x.meeting_date,
            count(*) as items
        from rejects as x
        where x.table_name = 'quality_samples' and x.column_name = '*' and x.reason <> 'duplicate_sample'
        group by split_part(x.row_key, '@', 1), x.meeting_date
    ) as j on j.participant_key = r.participant_key and j.meeting_date = r.meeting_date
    where c.status in ('complete', 'empty', 'unreadable')
        and c.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and c.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        and r.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and r.meeting_date < coalesce(cast($until as date), date '9999-12-31')
),

found as (
    select
        d.meeting_date,
        1 as rank,
        'day' as what,
        cast(d.meeting_date as varchar) as name,
        null as meeting_no,
        concat_ws(
            ', ',
            case when d.meetings - d.held_meetings > cast($tolerance_meetings as double)
                then 'meetings: ' || cast(d.meetings - d.held_meetings as varchar) end,
            case when d.participants - d.held_participants > cast($tolerance_participants as double)
                then 'participants: ' || cast(d.participants - d.held_participants as varchar) end,
            case when d.is_short_of_minutes then 'minutes: ' || cast(d.minutes - d.held_minutes as varchar) end
        ) as short,
        d.meetings as feishu_meetings,
        d.held_meetings,
        d.participants as feishu_participants,
        d.held_participants,
        d.minutes as feishu_min,
        d.held_minutes as held_min,
        concat_ws(
            '; ',
            case when d.is_recent then 'recent: the day ended less than a day before the last publication' end,
            case when d.is_uncovered = 1 then 'not covered: no complete sync covers all of this day' end,
            case when d.pending > 0 and d.participants > d.held_participants
                then 'pending: the participants of ' || cast(d.pending as varchar)
                    || case when d.pending = 1 then ' meeting' else ' meetings' end || ' are not fetched yet' end,
            case when d.short_lists > 0 and d.participants > d.held_participants
                then 'list_short: Feishu lists fewer participants than it counts in ' || cast(d.short_lists as varchar)
                    || case when d.short_lists = 1 then ' meeting' else ' meetings' end end,
            case when d.date_meetings >= d.meetings and d.date_participants >= d.participants
                then 'day boundary: the local day has enough meetings and participants' end,
            case when d.meetings = d.held_meetings and d.participants - d.held_participants between 1 and d.viewers
                then case
                    when d.viewers = 1 then 'webinar: Feishu may count the webinar viewer'
                    else 'webinar: Feishu may count some of the ' || cast(d.viewers as varchar) || ' webinar viewers'
                end end
        ) as explanation,
        null as key
    from day_rows as d
    union all
    select
        n.meeting_date,
        1 as rank,
        'day' as what,
        cast(n.meeting_date as varchar) as name,
        null as meeting_no,
        'no count' as short,
        null as feishu_meetings,
        n.meetings as held_meetings,
        null as feishu_participants,
        n.participants as held_participants,
        null as feishu_min,
        cast(round(n.duration_s / 60.0, 0) as bigint) as held_min,
        'not fetched: run vcq-etl sync --also census' as explanation,
        null as key
    from uncounted as n
    union all
    select
        u.meeting_date,
        2 as rank,
        'user' as what,
        coalesce(u.user_name, u.user_id) as name,
        null as meeting_no,
        concat_ws(
            ', ',
            case when u.meetings - u.held_meetings > cast($tolerance_meetings as double)
                then 'meetings: ' || cast(u.meetings - u.held_meetings as varchar) end,
            case when u.is_short_of_minutes then 'minutes: ' || cast(u.minutes - u.held_minutes as varchar) end
        ) as short,
        u.meetings as feishu_meetings,
        u.held_meetings,
        null as feishu_participants,
        null as held_participants,
        u.minutes as feishu_min,
        u.held_minutes as held_min,
        concat_ws(
            '; ',
            case when u.is_uncovered = 1 then 'not covered: no complete sync covers all of this day' end,
            case when u.pending > 0
                then case
                    when u.pending = 1 then 'pending: the person may be in the list that is requested again'
                    else 'pending: the person may be in one of the ' || cast(u.pending as varchar)
                        || ' lists that are requested again'
                end end,
            case when u.short_lists > 0
                then 'list_short: Feishu lists fewer participants than it counts in ' || cast(u.short_lists as varchar)
                    || case when u.short_lists = 1 then ' meeting' else ' meetings' end end,
            case when u.is_day_complete and u.pending = 0 and u.short_lists = 0
                then 'external: the day itself has no missing meeting, so this may be a meeting of another tenant' end
        ) as explanation,
        u.user_id as key
    from user_rows as u
    union all
    select
        k.meeting_date,
        3 as rank,
        'meeting' as what,
        coalesce(k.meeting_topic, k.meeting_no) as name,
        k.meeting_no,
        concat_ws(
            ', ',
            case when k.is_event then 'meetings: 1' end,
            case when k.number_of_participants - k.participants > cast($tolerance_participants as double)
                then 'participants: ' || cast(k.number_of_participants - k.participants as varchar) end,
            case when k.viewers_short > cast($tolerance_participants as double)
                then 'webinar viewers: ' || cast(k.viewers_short as varchar) end
        ) as short,
        case when k.is_event then 1 end as feishu_meetings,
        case when k.is_event then 0 end as held_meetings,
        k.number_of_participants as feishu_participants,
        k.participants as held_participants,
        null as feishu_min,
        null as held_min,
        case
            when k.is_event and k.is_recent
                then 'recent: known from an event; no meeting list that was fetched returned it yet'
            when k.is_event then 'event: known from an event only; no meeting list returned it'
            when k.listing = 'list_short' then 'list_short: Feishu counts more participants than it lists'
            when k.listing = 'pending' then 'pending: the list is requested again by a later sync'
            when k.listing = 'failed' then 'pending: the list failed and is requested again by a later sync'
            else k.listing
        end as explanation,
        k.meeting_key as key
    from meetings_held as k
    where k.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and k.meeting_date < coalesce(cast($until as date), date '9999-12-31')
    union all
    select
        p.meeting_date,
        4 as rank,
        'participant' as what,
        p.name,
        p.meeting_no,
        case when p.stay_s >= 30 and p.minutes - p.samples > cast($tolerance_samples as double)
            then 'minutes: ' || cast(p.minutes - p.samples as varchar) else '' end as short,
        null as feishu_meetings,
        null as held_meetings,
        null as feishu_participants,
        null as held_participants,
        p.minutes as feishu_min,
        p.samples as held_min,
        concat_ws(
            '; ',
            case when p.rejected_items > 0
                then 'unreadable: ' || cast(p.rejected_items as varchar)
                    || case when p.rejected_items = 1 then ' item' else ' items' end || ', see the report unread-values' end,
            case when p.minutes > 1440 then 'longer than a day: Feishu answers for 24 hours at most' end
        ) as explanation,
        p.participant_key as key
    from presence as p
)

select
    f.meeting_date as date,
    f.what,
    f.name,
    f.meeting_no,
    f.short,
    f.feishu_meetings,
    f.held_meetings,
    f.feishu_participants,
    f.held_participants,
    f.feishu_min,
    f.held_min,
    nullif(f.explanation, '') as explanation,
    f.key
from found as f
where f.short <> ''
order by f.meeting_date, f.rank, f.name, f.key
