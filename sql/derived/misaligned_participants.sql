-- Misaligned participants: a section has a timestamp in another minute than its item, or the item's timestamp has
-- seconds (then two items can fall into one minute). Usually there are none. Computed at every publication for the
-- dates that changed; $changed_dates is replaced by the condition on meeting_date.
select distinct
    q.participant_key,
    q.meeting_date
from quality_samples as q
where $changed_dates
    -- Excludes nearly all rows: comparing timestamps costs an eighth of truncating them.
    and (q.network_time_utc <> q.sample_time_utc
    or q.audio_time_utc <> q.sample_time_utc
    or q.video_time_utc <> q.sample_time_utc
    or q.screen_sharing_time_utc <> q.sample_time_utc
    or epoch_us(q.sample_time_utc) % 60000000 <> 0)
    and (date_trunc('minute', q.network_time_utc) <> date_trunc('minute', q.sample_time_utc)
    or date_trunc('minute', q.audio_time_utc) <> date_trunc('minute', q.sample_time_utc)
    or date_trunc('minute', q.video_time_utc) <> date_trunc('minute', q.sample_time_utc)
    or date_trunc('minute', q.screen_sharing_time_utc) <> date_trunc('minute', q.sample_time_utc)
    or q.sample_time_utc <> date_trunc('minute', q.sample_time_utc))
