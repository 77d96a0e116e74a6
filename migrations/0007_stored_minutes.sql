create table stored_marked_minutes (
    participant_key     VARCHAR not null,
    meeting_key         VARCHAR,
    meeting_date        DATE,
    minute_utc          TIMESTAMP,
    minute_local        TIMESTAMP,
    marks               BIGINT,
    minutes             BIGINT,
    judged_minutes      BIGINT,
    poor_minutes        BIGINT,
    first_judged_utc    TIMESTAMP,
    last_judged_utc     TIMESTAMP,
    stretch_first_utc   TIMESTAMP,
    stretch_first_local TIMESTAMP,
    stretch_minutes     BIGINT,
    is_cpu_high         BOOLEAN,
    metric              VARCHAR
);

create table stored_cpu_minutes (
    participant_key  VARCHAR not null,
    meeting_key      VARCHAR,
    meeting_date     DATE,
    minute_utc       TIMESTAMP,
    minute_local     TIMESTAMP,
    direction        VARCHAR,
    is_poor          BOOLEAN,
    is_framerate_low BOOLEAN,
    is_height_low    BOOLEAN
);

create table stored_limits (
    metric    VARCHAR not null,
    poor_when VARCHAR,
    value     DOUBLE
);
