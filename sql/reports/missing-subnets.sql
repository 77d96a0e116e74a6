-- id: r06
-- title: Subnets without a building
-- question: Which subnets are used a lot but missing from the building file?
-- audience: network team
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: min_sessions integer = 10: Fewer participant rows are left out.
-- column: subnet: Internal /24 (or /48).
-- column: participants: Participant rows.
-- column: people: Different people and rooms.
-- column: wired: Participant rows on cable.
-- column: days: Different days.
-- column: home_like: yes: a range of home routers and telephones, which names no place.
-- column: egress: Public network of most of them.
-- column: egress_share_pct %: Its share: near 100 speaks for an office.
-- column: location: The vendor's guess of most of them.
-- threshold: 10 participations (Microsoft's Missing Subnet Report uses 10 streams).
-- caveat: Without a building file every subnet is missing: the list is then a first draft of one.
-- empty: Every subnet with enough participations is in the building file, or no addresses were sent in this window.
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
