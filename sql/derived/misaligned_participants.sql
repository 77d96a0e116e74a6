-- Participants whose items are no plain minutes: a section's own time is of another minute than the item's, or the item's
-- time has seconds (then two items can fall into one minute). Usually none. Made at every publication, of the dates that
-- changed: $changed_dates stands for the condition on meeting_date.
select distinct
    q.participant_key,
    q.meeting_date
from quality_samples as q
where $changed_dates
    -- Nearly every row ends here: equal times are of one minute, and comparing them costs an eighth of cutting them.
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
