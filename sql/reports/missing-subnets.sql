-- id: r06
-- title: Unmapped subnets
-- question: Which frequently used subnets are missing from the building file?
-- audience: network team
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: min_sessions integer = 10: Minimum number of participant rows in a subnet.
-- column: subnet: Internal /24 (or /48).
-- column: participants: Participant rows.
-- column: people: Distinct people and rooms.
-- column: wired: Participant rows on a wired network.
-- column: days: Distinct days.
-- column: home_like: yes if it is a default range of home routers and phones, which does not identify a place.
-- column: egress: Most frequent public network of the subnet.
-- column: egress_share_pct %: Percentage of participant rows with that public network; close to 100 suggests an office.
-- column: location: Location that Feishu reports for most of them.
-- threshold: At least 10 participations (Microsoft's Missing Subnet Report uses 10 streams).
-- caveat: Without a building file, every subnet is missing; use the list as a first draft of one.
-- empty: All subnets with at least min_sessions participations are in the building file, or the window has no
--   addresses.
-- fold: people: subnets with one person each
-- next: buildings check
-- key: subnet
with facts as (
    select f.*
    from participant_facts as f
    where f.meeting_date >= coalesce(cast($since as date), date '1900-01-01')
        and f.meeting_date < coalesce(cast($until as date), date '9999-12-31')
        and f.building is null
        and f.subnet is not null
),

subnets as (
    select
        t.subnet,
        count(*) as participants,
        count(distinct t.who) as people,
        count(*) filter (where t.network_kind = 'wired') as wired,
        count(distinct t.meeting_date) as days
    from facts as t
    group by t.subnet
),

exits as (
    select
        x.*,
        row_number() over (partition by x.subnet order by x.participants desc, x.egress, x.location) as place
    from (
        select t.subnet, t.egress, max(t.location) as location, count(*) as participants
        from facts as t
        group by t.subnet, t.egress
    ) as x
)

select
    s.subnet,
    s.participants,
    s.people,
    s.wired,
    s.days,
    case when is_home_range(s.subnet) then 'yes' else 'no' end as home_like,
    e.egress,
    round(100.0 * e.participants / s.participants, 1) as egress_share_pct,
    e.location
from subnets as s
left join exits as e on e.subnet = s.subnet and e.place = 1
where s.participants >= $min_sessions
order by case when is_home_range(s.subnet) then 1 else 0 end, s.participants desc, s.subnet
