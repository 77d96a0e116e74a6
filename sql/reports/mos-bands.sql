-- id: r22
-- title: MOS bands
-- question: How satisfied are users likely to be with the audio, by MOS estimate?
-- audience: IT lead
-- parameter: since date: Start date (inclusive). Default: earliest.
-- parameter: until date: End date (exclusive). Default: latest.
-- parameter: profile text = cqd: Profile: cqd, strict, huawei-red or custom; the report threshold-sheet lists the
--   thresholds.
-- parameter: dimension text = date | all | site | network | location | egress | version | device | department | kind:
--   Dimension to group by.
-- parameter: min_n integer = 60: Hide percentages based on fewer than this many judged minutes.
-- column: value: Dimension value.
-- column: n min: Participant-minutes with an estimate (received audio, with delay, jitter and loss).
-- column: very_satisfied_pct %: Percentage of minutes with R of at least 90; empty below min_n.
-- column: satisfied_pct %: Percentage of minutes with R from 80 to 90.
-- column: some_dissatisfied_pct %: Percentage of minutes with R from 70 to 80.
-- column: many_dissatisfied_pct %: Percentage of minutes with R from 60 to 70.
-- column: nearly_all_pct %: Percentage of minutes with R below 60 (nearly all users dissatisfied).
-- column: low_pct %: Percentage of minutes with MOS below 3.6.
-- column: mos_p10 MOS est.: MOS estimate, 10th percentile.
-- column: mos_p50 MOS est.: MOS estimate, median.
-- column: mos_model: Name of the MOS model.
-- column: profile: Profile used.
-- threshold: R bands: ITU-T G.109. MOS from R: ITU-T G.107. R: the simplified formula used by network monitors
--   (NetBeez, CalSPEED). Below MOS 3.6, many users are dissatisfied.
-- caveat: MOS is an estimate of listening quality; it is not measured. G.107 assumes a conversation, so it overstates
--   the effect of delay in webinars.
-- caveat: The profile only affects low_pct.
-- empty: The window has no judged minutes.
-- table: value, n, very_satisfied_pct, satisfied_pct, low_pct, mos_p10, mos_p50 | some_dissatisfied_pct,
--   many_dissatisfied_pct, nearly_all_pct
-- next: report run worst-participants
-- key: value
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
        quantile_cont(mos_of_r(e.r), 0.1) as mos_p10,
        quantile_cont(mos_of_r(e.r), 0.5) as mos_p50
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
