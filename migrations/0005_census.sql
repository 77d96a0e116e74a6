create table rooms (
    room_id        VARCHAR not null,
    room_name      VARCHAR,
    capacity       BIGINT,
    description    VARCHAR,
    display_id     VARCHAR,
    custom_room_id VARCHAR,
    room_level_id  VARCHAR,
    level_path     VARCHAR,
    building       VARCHAR,
    floor          VARCHAR,
    facilities     VARCHAR,
    is_enabled     BOOLEAN,
    is_schedulable BOOLEAN,
    disable_reason VARCHAR
);

create table room_alerts (
    alert_id           VARCHAR not null,
    room_id            VARCHAR,
    room_mac           VARCHAR,
    resource_scope     VARCHAR,
    monitor_target     BIGINT,
    alert_strategy     VARCHAR,
    alert_rule         VARCHAR,
    alert_level        BIGINT,
    alert_time_utc     TIMESTAMP,
    alert_time_local   TIMESTAMP,
    process_time_utc   TIMESTAMP,
    process_time_local TIMESTAMP,
    recover_time_utc   TIMESTAMP,
    recover_time_local TIMESTAMP,
    utc_offset_min     BIGINT,
    process_status     BIGINT,
    contacts           VARCHAR,
    meeting_date       DATE
);

create table reservations (
    reservation_key        VARCHAR not null,
    room_id                VARCHAR,
    room_name              VARCHAR,
    event_title            VARCHAR,
    reserver               VARCHAR,
    reserver_user_id       VARCHAR,
    department_of_reserver VARCHAR,
    guests                 BIGINT,
    accepted               BIGINT,
    event_start_utc        TIMESTAMP,
    event_start_local      TIMESTAMP,
    event_end_utc          TIMESTAMP,
    event_end_local        TIMESTAMP,
    utc_offset_min         BIGINT,
    event_duration_s       BIGINT,
    reservation_status     VARCHAR,
    check_in_device        VARCHAR,
    room_check_in_status   VARCHAR,
    check_in_time_utc      TIMESTAMP,
    check_in_time_local    TIMESTAMP,
    is_release_early       BOOLEAN,
    releasing_person       VARCHAR,
    releasing_time_utc     TIMESTAMP,
    releasing_time_local   TIMESTAMP,
    meeting_date           DATE
);

create table census_daily (
    day_start_utc TIMESTAMP,
    meetings      BIGINT,
    duration_s    BIGINT,
    participants  BIGINT,
    meeting_date  DATE not null
);

create table census_users (
    user_id          VARCHAR not null,
    user_name        VARCHAR,
    department_name  VARCHAR,
    meetings         BIGINT,
    duration_minutes BIGINT,
    is_active        BOOLEAN,
    meeting_date     DATE not null
);
