-- id: r35
-- title: Thresholds
-- question: Which thresholds do the reports use, and where do they come from?
-- audience: everyone
-- parameter: profile text: Profile. Default: all.
-- column: profile: Profile (set of thresholds).
-- column: metric: Metric that is judged.
-- column: direction: received, sent or both.
-- column: poor_when: Poor if above, at_or_above or below the value; is marks a rule or a count.
-- column: value: Threshold value.
-- column: unit: Unit of the value.
-- column: differs_from_cqd: yes if the value or the comparison differs from the profile cqd.
-- column: source: Publisher of the value; `own choice` if nobody published one.
-- caveat: Changes to the profile custom are not tracked; it is defined in the configuration file.
-- empty: The profile does not exist.
-- next: report show threshold-sheet
-- key: profile, metric
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
