create table incidents (
    incident_id        VARCHAR not null,
    kind               VARCHAR,
    scope_kind         VARCHAR,
    scope              VARCHAR,
    metric             VARCHAR,
    direction          VARCHAR,
    start_time_utc     TIMESTAMP,
    start_time_local   TIMESTAMP,
    end_time_utc       TIMESTAMP,
    end_time_local     TIMESTAMP,
    participants       BIGINT,
    meetings           BIGINT,
    poor_minutes       BIGINT,
    judged_minutes     BIGINT,
    poor_pct           DOUBLE,
    usual_poor_pct     DOUBLE,
    elsewhere_poor_pct DOUBLE,
    q_value            DOUBLE,
    severity           VARCHAR,
    summary            VARCHAR,
    meeting_date       DATE
);

create table incident_participants (
    incident_id     VARCHAR not null,
    participant_key VARCHAR not null,
    poor_minutes    BIGINT,
    meeting_date    DATE
);

create table judged_participants (
    participant_key    VARCHAR not null,
    meeting_key        VARCHAR,
    meeting_date       DATE,
    judged_minutes     BIGINT,
    poor_minutes       BIGINT,
    first_minute_utc   TIMESTAMP,
    last_minute_utc    TIMESTAMP,
    loss_minutes       BIGINT,
    delay_minutes      BIGINT,
    jitter_minutes     BIGINT,
    frame_rate_minutes BIGINT,
    cpu_minutes        BIGINT
);

alter table meta add column profile VARCHAR;
