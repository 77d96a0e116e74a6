-- The tables of the ledger, version 3. All except settings, runs and refetch are an index over the raw log. Those of
-- alerts are in alerts.sql.

create table if not exists settings (
    name  text primary key,
    value text not null
) without rowid;

create table meetings (
    meeting_key   text primary key,
    meeting_no    text not null,
    -- Null if Feishu sent none.
    instance_id   text,
    start_us      integer not null,
    offset_min    integer not null,
    end_us        integer,
    meeting_date  integer not null,
    is_webinar    integer not null,
    devices       integer not null,
    -- Null if Feishu sent none.
    number_of_participants integer,
    item_digest   text not null,
    list_status   text,
    list_final    integer not null default 0,
    list_digest   text,
    list_us       integer,
    -- The list is not requested again before this time; null for at once.
    list_again_us integer,
    -- When the first of the last answers in a row with fewer people than number_of_participants was requested.
    list_short_us integer,
    -- The people on all its lists.
    people        integer not null default 0
) without rowid;
create index meetings_by_start on meetings (start_us);
create index meetings_by_instance on meetings (instance_id);

-- Duplicate participants (same meeting, id and join time) share one row and are fetched once.
create table participants (
    base_key         text primary key,
    meeting_key      text not null,
    id_kind          text,
    id               text,
    join_s           integer,
    -- The minutes of the clock that the stay touches, and so the samples that Feishu may have.
    expected_minutes integer,
    status           text not null,
    is_final         integer not null,
    items            integer not null default 0,
    -- When it was answered or failed last.
    last_us          integer,
    -- Not requested again before this time; null for at once.
    again_us         integer,
    -- The different rows that share the key.
    rows             integer not null default 1
) without rowid;
create index participants_by_meeting on participants (meeting_key, is_final);

-- Dates with unpublished changes. "changes" grows with every answer, so that an answer that arrives while the date is being
-- published keeps the date here.
create table dirty_dates (
    meeting_date integer primary key,
    changes      integer not null
);

-- How much of each raw file is indexed: path below raw/, bytes of complete checkpoints, and the size of the file then.
create table raw_files (
    path          text primary key,
    indexed_bytes integer not null,
    seen_bytes    integer not null
) without rowid;

-- Answers that are kept by day: rooms, alerts, reservations, Feishu's own counts. "kind" is the directory below raw/.
create table days (
    kind     text not null,
    day      integer not null,
    status   text not null,
    is_final integer not null,
    digest   text,
    items    integer not null,
    last_us  integer not null,
    primary key (kind, day)
) without rowid;

-- Meetings with an open refetch. Their dates are published together, once everything was requested since.
create table if not exists refetch (
    meeting_key text primary key,
    began_us    integer not null
) without rowid;

create table if not exists runs (
    run_id       text primary key,
    command      text not null,
    since_us     integer,
    until_us     integer,
    started_us   integer not null,
    finished_us  integer,
    outcome      text,
    exit_code    integer,
    meetings     integer,
    participants integer,
    samples      integer,
    rejects      integer,
    calls_meeting_list     integer,
    calls_participant_list integer,
    calls_quality_list     integer,
    throttles    integer,
    waited_s     real,
    -- The meeting numbers to which it was limited, separated by commas; null for none.
    meeting_nos  text
) without rowid;
