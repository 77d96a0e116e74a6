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
    network              VARCHAR not null,
    egress_cidr          VARCHAR not null,
    valid_from_date      DATE not null,
    valid_until_date     DATE,
    building             VARCHAR,
    floor                VARCHAR,
    city                 VARCHAR,
    country              VARCHAR,
    is_inside            BOOLEAN,
    is_vpn               BOOLEAN,
    network_name         VARCHAR,
    ownership_type       VARCHAR,
    building_type        VARCHAR,
    building_office_type VARCHAR,
    zip_code             VARCHAR,
    state                VARCHAR,
    region               VARCHAR,
    is_express_route     BOOLEAN
);

create table address_buildings (
    address          VARCHAR not null,
    public_ip        VARCHAR not null,
    valid_from_date  DATE not null,
    valid_until_date DATE,
    network          VARCHAR,
    building         VARCHAR,
    floor            VARCHAR,
    city             VARCHAR,
    country          VARCHAR,
    region           VARCHAR,
    is_inside        BOOLEAN,
    is_vpn           BOOLEAN
);

create table misaligned_participants (
    participant_key VARCHAR not null,
    meeting_date    DATE
);

alter table meta add column definitions_sha256 VARCHAR;
