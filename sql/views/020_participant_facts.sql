-- Location and connection of each participant, normalised for grouping.

-- An IPv6 address in lower case, without leading zeros, with a zero in place of a "::" that stands for a single group among
-- the first three; NULL for other text.
create or replace macro ipv6_address(address) as
regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    nullif(regexp_extract(
        -- An IPv4 address at the end is two groups.
        regexp_replace(
            lower(address), ':(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)([/%\s]|$)', ':0:0\1'
        ),
        '(?s)^\s*((?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,7}:|(?:[0-9a-f]{1,4}:){1,6}:[0-9a-f]{1,4}'
        || '|(?:[0-9a-f]{1,4}:){1,5}(?::[0-9a-f]{1,4}){1,2}|(?:[0-9a-f]{1,4}:){1,4}(?::[0-9a-f]{1,4}){1,3}'
        || '|(?:[0-9a-f]{1,4}:){1,3}(?::[0-9a-f]{1,4}){1,4}|(?:[0-9a-f]{1,4}:){1,2}(?::[0-9a-f]{1,4}){1,5}'
        || '|[0-9a-f]{1,4}:(?::[0-9a-f]{1,4}){1,6}|:(?:(?::[0-9a-f]{1,4}){1,7}|:))'
        || '(?:/(?:4[89]|[5-9]\d|1[01]\d|12[0-8]))?(?:%.*)?\s*$',
        1
    ), ''),
    '\b0+([0-9a-f])', '\1', 'g'),
    '^::((?:[0-9a-f]+:){6}[0-9a-f]+)$', '0:\1'),
    '^::((?:[0-9a-f]+:){5}[0-9a-f]+)$', '0:0:\1'),
    '^([0-9a-f]+)::((?:[0-9a-f]+:){5}[0-9a-f]+)$', '\1:0:\2');

-- 10.11.3.175 -> 10.11.3.0/24; 2001:db8:7:1::5 -> 2001:db8:7::/48. The same for a cut address (10.11.3.64/26) and for
-- one of which only the last part is masked (10.11.3.*). NULL for other text. src/schema/parse/address.rs has the same
-- rule.
create or replace macro subnet_of(address) as
coalesce(
    nullif(regexp_extract(
        address,
        '(?is)^\s*(?:(?:(?:0{1,4}:){5}|(?:0{1,4}(?::0{1,4})?)?::(?:0{1,4}:){0,2})ffff:)?'
        || '((?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3})[^.%\s]+(?:%.*)?\s*$',
        1
    ), '') || '0/24',
    -- The first three groups, without zeros at the end.
    regexp_replace(
        regexp_replace(ipv6_address(address), '^((?:[0-9a-f]+(?::[0-9a-f]+){0,2})?):.*$', '\1'), '(?:^0|:0)(?::0)*$', ''
    ) || '::/48'
);

-- Default ranges of home routers and phones; they do not identify a place. src/buildings/network.rs has the same list.
create or replace macro is_home_range(subnet) as
-- Not "in": DuckDB makes it a join, and joins take memory (sql/NOTES.md).
contains(
    ' 10.0.0.0/24 192.168.0.0/24 192.168.1.0/24 192.168.2.0/24 172.20.10.0/24 192.168.43.0/24 ', ' ' || subnet || ' '
);

-- wired, wifi, cellular or unknown; other texts of Feishu in lower case.
create or replace macro network_kind_of(network_type) as
-- Not "in": DuckDB makes it a join, and joins take memory (sql/NOTES.md).
case
    when contains(network_type, '|') then lower(network_type)
    when contains('|lan|ethernet|wired|cable|有线|有线网络|以太网|', '|' || lower(network_type) || '|') then 'wired'
    when contains('|wifi|wi-fi|wlan|无线|无线网络|', '|' || lower(network_type) || '|') then 'wifi'
    when contains('|2g|3g|4g|5g|lte|nr|cellular|mobile|移动网络|蜂窝网络|', '|' || lower(network_type) || '|') then 'cellular'
    when contains('||-|--|unknown|n/a|未知|', '|' || trim(lower(coalesce(network_type, ''))) || '|') then 'unknown'
    else lower(network_type)
end;

-- Lower end of the Wilson 95% confidence interval of x out of n, in percent. Only for nearly independent observations (participants, not
-- minutes).
create or replace macro wilson_low_pct(x, n) as
case when n > 0 then
    100.0 * ((x + 1.9207) / n - 1.96 * sqrt(greatest(x * (n - x) / n + 0.9604, 0.0)) / n) / (1 + 3.8416 / n)
end;

-- The upper end of the same interval.
create or replace macro wilson_high_pct(x, n) as
case when n > 0 then
    100.0 * ((x + 1.9207) / n + 1.96 * sqrt(greatest(x * (n - x) / n + 0.9604, 0.0)) / n) / (1 + 3.8416 / n)
end;

-- x out of n in percent with one decimal; NULL below min_n.
create or replace macro share_pct(x, n, min_n) as
case when n > 0 and n >= min_n then round(100.0 * x / n, 1) end;

-- The continuous percentile p of values with counts: of the n rows in a group, upto have the value x or less. Same
-- result as percentile_cont, which would keep every value in memory.
create or replace macro counted_percentile(p, x, upto, n) as
min(x) filter (where upto > floor(cast(p as double) * (n - 1)))
    * (1 - (cast(p as double) * (max(n) - 1) - floor(cast(p as double) * (max(n) - 1))))
+ min(x) filter (where upto > ceil(cast(p as double) * (n - 1)))
    * (cast(p as double) * (max(n) - 1) - floor(cast(p as double) * (max(n) - 1)));

-- One row per row of participants.
create or replace view participant_facts as
select
    b.participant_key,
    b.meeting_key,
    b.meeting_no,
    b.meeting_date,
    b.who,
    b.who_kind,
    b.participant_name,
    b.user_id,
    b.room_id,
    b.department,
    b.device_kind as device,
    b.app_version,
    b.network_kind,
    lower(b.protocol) as protocol,
    b.use_rtc_proxy,
    b.location,
    b.microphone,
    b.speaker,
    b.camera,
    b.internal_ip,
    b.public_ip,
    b.subnet,
    b.egress,
    is_home_range(b.subnet) and coalesce(e.building, a.building, r.building) is null as is_home_like,
    coalesce(e.building, a.building, r.building) as building,
    case
        when e.address is not null then e.floor
        when a.address is not null then a.floor
        else r.floor
    end as floor,
    case when e.address is null then a.city else e.city end as city,
    coalesce(e.is_inside, a.is_inside) as is_inside,
    coalesce(e.is_vpn, a.is_vpn) as is_vpn,
    coalesce(
        e.building,
        a.building,
        r.building,
        case when is_home_range(b.subnet) then 'home, by ' || coalesce(b.egress, '?') else b.subnet end,
        'by ' || b.egress,
        'unknown'
    ) as site,
    b.join_time_utc,
    b.join_time_local,
    b.leave_time_utc,
    b.time_in_meeting_s,
    b.leave_reason,
    b.webinar_user_role
from (
    select
        p.*,
        coalesce(p.user_id, p.room_id, p.participant_key) as who,
        case when p.user_id is not null then 'person' when p.room_id is not null then 'room' else 'guest' end as who_kind,
        lower(p.device) as device_kind,
        network_kind_of(p.network_type) as network_kind,
        subnet_of(p.internal_ip) as subnet,
        subnet_of(p.public_ip) as egress
    from participants as p
) as b
-- The building of the address behind this public address, or if there is none, its building for any public address. Two
-- equality joins: with an "or" in its condition, an outer join is a nested loop in older DuckDB versions. The days of
-- one address do not overlap, so neither join duplicates a participant.
left join address_buildings as e
    on e.address = b.internal_ip
    and e.public_ip = b.public_ip
    and b.meeting_date >= e.valid_from_date
    and b.meeting_date < coalesce(e.valid_until_date, date '9999-12-31')
left join address_buildings as a
    on a.address = b.internal_ip
    and a.public_ip = ''
    and b.meeting_date >= a.valid_from_date
    and b.meeting_date < coalesce(a.valid_until_date, date '9999-12-31')
-- Without a building file, a room is in the building of the list of rooms.
left join rooms as r on r.room_id = b.room_id;
