-- id: r22
-- title: Opinion score by band
-- question: How many minutes would users be satisfied with, by the estimate?
-- audience: IT lead
-- parameter: since date: First meeting date; left out: from the beginning.
-- parameter: until date: First meeting date after it; left out: to the end.
-- parameter: profile text = cqd: Limits to judge by: cqd, strict, huawei-red or custom; the report threshold-sheet
--   lists them.
-- parameter: dimension text = date | all | site | network | location | egress | version | device | department | kind:
--   What a row is.
-- parameter: min_n integer = 60: Fewer judged minutes show no share: it would be chance.
-- column: value: Which one.
-- column: n min: Participant-minutes with an estimate (received audio, with delay, jitter and loss).
-- column: very_satisfied_pct %: R 90 and above; empty below min_n.
-- column: satisfied_pct %: R 80 to 90.
-- column: some_dissatisfied_pct %: R 70 to 80.
-- column: many_dissatisfied_pct %: R 60 to 70.
-- column: nearly_all_pct %: R under 60.
-- column: low_pct %: Score under 3.6.
-- column: mos_p10 MOS est.: 10 % of the minutes are below.
-- column: mos_p50 MOS est.: Median.
-- column: mos_model: Name of the formula.
-- column: profile: Limits used.
-- threshold: Bands of R: ITU-T G.109; score of R: ITU-T G.107; R by the practical form of network monitors (NetBeez,
--   CalSPEED). 3.6: below, many users are dissatisfied.
-- caveat: An estimate, not measured, and of listening only. G.107 takes conversation for granted, so it exaggerates
--   delay in webinars.
-- caveat: The profile decides nothing here but the low score.
-- empty: Nothing was judged in this window; see why_no_rows, or the reports coverage and unclassified.
select
    a.value,
    a.n,
    share_pct(a.band_90, a.n, $min_n) as very_satisfied_pct,
    share_pct(a.band_80, a.n, $min_n) as satisfied_pct,
    share_pct(a.band_70, a.n, $min_n) as some_dissatisfied_pct,
    share_pct(a.band_60, a.n, $min_n) as many_dissatisfied_pct,
    share_pct(a.band_0, a.n, $min_n) as nearly_all_pct,
    share_pct(a.low, a.n, $min_n) as low_pct,
    case when a.n >= $min_n then round(a.mos_p10, 2) end as mos_p10,
    case when a.n >= $min_n then round(a.mos_p50, 2) end as mos_p50,
    'practical R from delay, jitter, loss (estimate)' as mos_model,
    cast($profile as varchar) as profile
from (
    select
        e.value,
        count(*) as n,
        count(*) filter (where e.r >= 90) as band_90,
        count(*) filter (where e.r >= 80 and e.r < 90) as band_80,
        count(*) filter (where e.r >= 70 and e.r < 80) as band_70,
        count(*) filter (where e.r >= 60 and e.r < 70) as band_60,
        count(*) filter (where e.r < 60) as band_0,
        count(*) filter (where mos_of_r(e.r) < e.mos_low) as low,
        percentile_cont(0.1) within group (order by mos_of_r(e.r)) as mos_p10,
        percentile_cont(0.5) within group (order by mos_of_r(e.r)) as mos_p50
    from (
        select
            case when cast($dimension as varchar) = 'date' then cast(m.meeting_date as varchar) else d.dimension_value end as value,
            r_estimate(m.delay_ms, m.audio_jitter_received_ms, m.loss_received_pct) as r,
            l.mos_low
        from aligned_minutes(since := $since, until := $until) as m
        inner join dimension_values(since := $since, until := $until, dimension := $dimension) as d
            on d.participant_key = m.participant_key and d.meeting_date = m.meeting_date
        cross join limits(profile := $profile) as l
        where m.audio_bitrate_received_kbps > 0
    ) as e
    where e.r is not null
    group by e.value
) as a
order by a.value desc
