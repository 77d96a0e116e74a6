-- What replaces identities, since version 6 of the ledger. Not an index over the raw log.

-- Dates whose raw files are being replaced or removed: from when all new files are complete in .work/ until the dates
-- are published again. Whoever takes the store's lock finishes this first.
create table if not exists replacing (
    meeting_date integer primary key,
    -- The raw files of the date are removed.
    removes_raw  integer not null,
    -- The date is published again. Otherwise the published rows stay without raw files.
    publishes    integer not null
);

-- Dates whose identities were replaced because of their age, and the bytes of their raw files then: a date with others
-- has new data.
create table if not exists expired_dates (
    meeting_date integer primary key,
    raw_bytes    integer not null
);

-- People whose identities are replaced wherever they occur: their pseudonyms, which are keyed hashes.
create table if not exists forgotten (
    pseudonym text primary key
) without rowid;
