-- id: r35
-- title: Threshold sheet
-- question: Which numbers do the reports judge by, and where do they come from?
-- audience: everybody
-- parameter: profile text: One profile only; left out: all.
-- column: profile: Set of limits.
-- column: metric: What is judged.
-- column: direction: received, sent or both.
-- column: poor_when: above, at_or_above or below the value; is: a rule or a count.
-- column: value: The number.
-- column: unit: Its unit.
-- column: differs_from_cqd: yes where the value or the comparison is not that of the profile cqd.
-- column: source: Who published it, or own choice.
-- caveat: Who changed a number of the profile custom is not recorded: it is in the configuration file.
-- empty: There is no such profile.
select
    t.profile,
    t.metric,
    t.direction,
    t.poor_when,
    t.value,
    t.unit,
    case
        when t.profile = 'cqd' then 'no'
        when c.value = t.value and c.poor_when = t.poor_when then 'no'
        else 'yes'
    end as differs_from_cqd,
    t.source
from thresholds as t
left join thresholds as c on c.profile = 'cqd' and c.metric = t.metric and c.direction = t.direction
where cast($profile as varchar) is null or t.profile = cast($profile as varchar)
order by case t.profile when 'cqd' then 0 when 'strict' then 1 when 'huawei-red' then 2 else 3 end, t.metric, t.direction
