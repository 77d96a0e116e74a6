-- check: database-schema
-- requirement: The database contains no tables, views, macros, sequences, indexes or types other than those of vcq-etl.
-- note: The schema `custom` has the objects of `views_dir`. Views and macros of the schema `main` are compared by the
--   check `definitions`. `$tables` stands for the names of the tables of vcq-etl.
select
    'vcq.duckdb, ' || name as place,
    'only the tables of vcq-etl' as expected,
    kind || ' that is not part of vcq-etl: a sync may keep it, a rebuild drops it; keep it in a database of your own'
        as found
from (
    select 'a table' as kind, schema_name, concat_ws('.', nullif(schema_name, 'main'), table_name) as name
    from duckdb_tables() where not internal and database_name = current_database()
    union all
    select 'a view', schema_name, concat_ws('.', schema_name, view_name)
    from duckdb_views() where not internal and database_name = current_database() and schema_name <> 'main'
    union all
    select distinct 'a macro', schema_name, concat_ws('.', schema_name, function_name)
    from duckdb_functions() where not internal and database_name = current_database() and schema_name <> 'main'
    union all
    select 'a sequence', schema_name, concat_ws('.', nullif(schema_name, 'main'), sequence_name)
    from duckdb_sequences() where database_name = current_database()
    union all
    select 'an index', schema_name, concat_ws('.', nullif(schema_name, 'main'), index_name)
    from duckdb_indexes() where database_name = current_database()
    union all
    select 'a type', schema_name, concat_ws('.', nullif(schema_name, 'main'), type_name)
    from duckdb_types() where not internal and database_name = current_database()
)
where schema_name <> 'custom' and (kind <> 'a table' or name not in ($tables))
order by kind, name
