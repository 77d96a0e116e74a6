create table thresholds (
    profile   VARCHAR not null,
    metric    VARCHAR not null,
    direction VARCHAR not null,
    poor_when VARCHAR,
    value     DOUBLE,
    unit      VARCHAR,
    source    VARCHAR
);

create table buildings (
    network VARCHAR not null
);

create table address_buildings (
    address VARCHAR not null,
    valid_from DATE, valid_until DATE, network VARCHAR, building VARCHAR, floor VARCHAR, city VARCHAR, country VARCHAR, region VARCHAR, is_inside BOOLEAN, is_vpn BOOLEAN
);

create table misaligned_participants (
    participant_key VARCHAR not null,
    meeting_date    DATE
);

alter table meta add column definitions_sha256 VARCHAR;
