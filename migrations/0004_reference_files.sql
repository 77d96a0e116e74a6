-- From here on the tables of parquet/reference are in published_files and the manifest, with no meeting date.
-- The schema of the views and tables that the setting views_dir installs.
create schema custom;
