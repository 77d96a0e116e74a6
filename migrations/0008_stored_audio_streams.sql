create table stored_audio_streams (
    participant_key  VARCHAR not null,
    meeting_key      VARCHAR,
    meeting_date     DATE,
    received_minutes BIGINT,
    received_verdict VARCHAR,
    sent_minutes     BIGINT,
    sent_verdict     VARCHAR
);
