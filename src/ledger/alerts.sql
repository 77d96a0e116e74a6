-- Alerts, since version 4 of the ledger. Not an index over the raw log: a lost ledger forgets what was sent.

-- When a problem was last announced by a rule. "row_key" is a digest. Rows with the same key are the same problem if
-- their spans overlap; the spans are texts that sort by time, empty if the report has none.
create table if not exists alert_rows (
    rule       text not null,
    row_key    text not null,
    span_start text not null,
    -- The latest end that was seen, also without a message.
    span_end   text not null,
    -- How bad it was.
    rank       integer not null,
    sent_us    integer not null,
    primary key (rule, row_key, span_start)
) without rowid;

-- A message to one channel, sent or not.
create table if not exists alert_messages (
    message_id integer primary key,
    rule       text not null,
    channel    text not null,
    created_us integer not null,
    rows       integer not null,
    title      text not null,
    -- JSON; null once it needs to be sent no more, because it holds names.
    message    text,
    attempts   integer not null default 0,
    -- When a process began to deliver it; null if none is doing so.
    claimed_us integer,
    sent_us    integer,
    -- When it was given up, because it had become too old.
    gave_up_us integer,
    -- Why the last attempt failed, without secrets.
    error      text
);
create index if not exists alert_messages_to_send on alert_messages (channel, message_id) where message is not null;
