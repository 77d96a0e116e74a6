-- What is in vcq.duckdb only, by the names that it has there: for engines that read the Parquet files. Read by
-- src/report/engine only.

-- The stored minutes and audio streams are in vcq.duckdb only: here every minute is judged.
create or replace macro differing_limits(profile := 'cqd') as table select 1 as differences;

create or replace macro marked_minutes(since := null, until := null, profile := 'cqd') as table
select c.* from computed_marked_minutes(since := since, until := until, profile := profile) as c;

create or replace macro caused_minutes(since := null, until := null, profile := 'cqd') as table
select
    c.*,
    direction_of(c.metric, c.marks) as direction,
    cause_label(c.metric, direction_of(c.metric, c.marks)) as cause
from computed_caused_minutes(since := since, until := until, profile := profile) as c;

create or replace macro cpu_minutes(since := null, until := null, profile := 'cqd') as table
select c.* from computed_cpu_minutes(since := since, until := until, profile := profile) as c;

create or replace macro audio_streams(since := null, until := null, profile := 'cqd') as table
select c.* from computed_audio_streams(since := since, until := until, profile := profile) as c;

-- judged_participants is in vcq.duckdb only, too.
create or replace view judged_participants as
select j.*
from judged_participant_minutes(profile := coalesce((select max(n.profile) from meta as n), 'cqd')) as j;

-- All published dates are in the Parquet files.
create or replace view last_date_not_held as select cast(null as date) as date;
