-- What Spark (3.5, 4) lacks or means differently, by the names of DuckDB's functions. Read by src/report/engine only: in
-- a body, the macro's own name is Spark's function.

-- The predecessor of a positive number: 1 - 2^-53 is the largest factor below 1.
create or replace macro nextafter(x, towards) as x * 0.9999999999999999e0;

create or replace macro error(message) as raise_error(message);

create or replace macro epoch(t) as unix_micros(cast(t as timestamp)) / 1e6;

create or replace macro isodow(t) as weekday(t) + 1;

-- Spark rounds the decimal spelling of a double, DuckDB the double.
create or replace macro round(x, n) as round((x) * power(10, n), 0) / power(10, n);

-- The interpolation of DuckDB, lo * (1 - d) + hi * d; that of Spark, lo + (hi - lo) * d, differs in the last digit.
create or replace macro quantile_cont(x, p) as
case when count(x) > 0 then
    element_at(sort_array(collect_list(x)), cast(floor(p * (count(x) - 1)) as int) + 1)
        * (1 - (p * (count(x) - 1) - floor(p * (count(x) - 1))))
    + element_at(sort_array(collect_list(x)), cast(ceil(p * (count(x) - 1)) as int) + 1)
        * (p * (count(x) - 1) - floor(p * (count(x) - 1)))
end;

-- In any order. The caller replaces the NULL of no rows, which is '' here.
create or replace macro string_agg(x, separator) as array_join(collect_list(x), separator);

-- All matches, where DuckDB replaces the first: the patterns match once.
create or replace macro regexp_replace(text, pattern, replacement, flags) as regexp_replace(text, pattern, replacement);
