-- A test tenant, small enough to compute every verdict by hand. Local time is UTC+8. All good minutes have the same
-- values: delay 50 ms, loss 0.5%, jitter 5 ms, audio 40 kbps, video received and sent 500 kbps, 720 lines, 25 fps.
-- Meeting A, 2 November: three people from 01:00 UTC, ten minutes; covers the causes.
-- Meeting B, 2 November: two people whose sections belong to different minutes, or whose timestamps have seconds.
-- Meeting C, 3 November: ten people at four sites, four minutes; service outage in the third minute.
-- Meeting D, 4 November: ten people, two minutes; resolution capped at 360 lines.
-- Meeting E, 5 November: one person without samples, one guest without an ID; nothing to judge.
insert into meetings by name
select
    v.no || '-' || v.start as meeting_key, v.no as meeting_no, v.topic as meeting_topic, 'Olga' as organizer,
    cast(v.start_utc as timestamp) as start_time_utc, cast(v.start_utc as timestamp) + interval '8 hours' as start_time_local,
    480 as utc_offset_min, cast(v.day as date) as meeting_date
from (values
    ('100000001', '1793581200', 'A', '2026-11-02 01:00:00', '2026-11-02'),
    ('100000002', '1793584800', 'B', '2026-11-02 02:00:00', '2026-11-02'),
    ('100000003', '1793667600', 'C', '2026-11-03 01:00:00', '2026-11-03'),
    ('100000004', '1793754000', 'D', '2026-11-04 01:00:00', '2026-11-04'),
    ('100000005', '1793840400', 'E', '2026-11-05 01:00:00', '2026-11-05')
) as v(no, start, topic, start_utc, day);

insert into participants by name
select
    v.meeting || '/' || v.name as participant_key, m.meeting_key, m.meeting_no,
    case when v.kind = 'person' then v.name end as user_id, case when v.kind = 'room' then v.name end as room_id,
    v.name as participant_name, v.device, v.app_version, v.public_ip, v.internal_ip,
    v.network as network_type, v.protocol, v.proxy as use_rtc_proxy,
    m.start_time_utc as join_time_utc, m.start_time_local as join_time_local,
    m.start_time_utc + v.minutes * interval '1 minute' as leave_time_utc, v.minutes * 60 as time_in_meeting_s, m.meeting_date
from (values
    ('A', 'ann', 'person', 'Windows', '7.1.0', '192.0.2.10', '10.1.1.5', 'LAN', 'udp', false, 10),
    ('A', 'bob', 'person', 'mac', '7.1.0', '192.0.2.10', '10.1.2.5', 'WiFi', 'udp', false, 10),
    ('A', 'cid', 'room', 'android', '7.1.0', '198.51.100.7', '192.168.1.20', '-', 'TCP', true, 10),
    ('B', 'dan', 'person', 'mac', '7.1.0', '192.0.2.10', '10.1.2.6', 'wifi', 'udp', false, 3),
    ('B', 'eve', 'person', 'mac', '7.1.0', '192.0.2.10', '10.1.2.7', 'wifi', 'udp', false, 2),
    ('E', 'fay', 'person', 'mac', '7.1.0', '192.0.2.10', '2001:db8:7:1::5', '5G', 'udp', false, 5),
    ('E', 'guest', 'guest', 'pstn', null, null, '10.*.*.*', null, null, null, 5)
) as v(meeting, name, kind, device, app_version, public_ip, internal_ip, network, protocol, proxy, minutes)
inner join meetings as m on m.meeting_topic = v.meeting
union all by name
-- C and D: p0 to p9. p0 to p8 are at sites 10.2.0.0/24, 10.2.1.0/24 and 10.2.2.0/24 (index modulo 3), each with its own
-- public network; p9 is at home.
select
    m.meeting_topic || '/p' || i.i as participant_key, m.meeting_key, m.meeting_no, 'p' || i.i as user_id,
    'p' || i.i as participant_name, 'windows' as device, '7.2.0' as app_version,
    case when i.i = 9 then '203.0.113.9' else '198.51.' || (i.i % 3) || '.7' end as public_ip,
    case when i.i = 9 then '192.168.1.9' else '10.2.' || (i.i % 3) || '.9' end as internal_ip, 'LAN' as network_type,
    'udp' as protocol, false as use_rtc_proxy, m.start_time_utc as join_time_utc, m.start_time_local as join_time_local,
    m.start_time_utc + interval '4 minutes' as leave_time_utc, 240 as time_in_meeting_s, m.meeting_date
from meetings as m
cross join range(10) as i(i)
where m.meeting_topic in ('C', 'D');

-- Good minutes: ten in A, two each for dan and eve in B, four in C, two in D.
insert into quality_samples by name
select
    p.participant_key, p.meeting_key, p.meeting_date,
    p.join_time_utc + i.i * interval '1 minute' as sample_time_utc,
    p.join_time_local + i.i * interval '1 minute' as sample_time_local,
    480 as utc_offset_min,
    sample_time_utc as network_time_utc, sample_time_utc as audio_time_utc, sample_time_utc as video_time_utc,
    sample_time_utc + interval '1 minute' as cpu_usage_time_utc,
    50 as network_delay_ms, 0.5 as network_packet_loss_avg_received_pct, 0.5 as network_packet_loss_avg_sent_pct,
    40 as audio_bitrate_received_kbps, 40 as audio_bitrate_sent_kbps, 5 as audio_jitter_received_ms, 5 as audio_jitter_sent_ms,
    500 as video_bitrate_received_kbps, 500 as video_bitrate_sent_kbps, 720 as video_maximum_resolution_received_px,
    720 as video_maximum_resolution_sent_px, 25 as video_framerate_received_fps, 25 as video_framerate_sent_fps,
    5 as video_jitter_received_ms, 5 as video_jitter_sent_ms,
    20 as client_max_cpu_usage_pct, 30 as system_max_cpu_usage_pct
from participants as p
inner join meetings as m on m.meeting_key = p.meeting_key
cross join range(10) as i(i)
where i.i < case m.meeting_topic when 'A' then 10 when 'B' then 2 when 'C' then 4 when 'D' then 2 else 0 end;

-- A, ann: three minutes with 20% received loss (downlink, one episode); 12% sent loss in minute 7.
update quality_samples set network_packet_loss_avg_received_pct = 20
where participant_key = 'A/ann' and sample_time_utc between timestamp '2026-11-02 01:03:00' and timestamp '2026-11-02 01:05:00';
update quality_samples set network_packet_loss_avg_sent_pct = 12
where participant_key = 'A/ann' and sample_time_utc = timestamp '2026-11-02 01:07:00';
-- A, bob: minute 1 uplink by jitter; 2 exactly at the thresholds (good in cqd, poor in huawei-red and strict); 4 is 3
-- fps with client CPU at 95 in the item of 01:03 whose CPU timestamp is 01:04 (cid sends badly then, but cpu comes
-- first); 7 is 3 fps while ann sends badly; 8 latency; 9 is 3 fps without a cause.
update quality_samples set audio_jitter_sent_ms = 31 where participant_key = 'A/bob' and sample_time_utc = timestamp '2026-11-02 01:01:00';
update quality_samples set network_packet_loss_avg_received_pct = 10, audio_jitter_received_ms = 30
where participant_key = 'A/bob' and sample_time_utc = timestamp '2026-11-02 01:02:00';
update quality_samples set client_max_cpu_usage_pct = 95 where participant_key = 'A/bob' and sample_time_utc = timestamp '2026-11-02 01:03:00';
update quality_samples set video_framerate_received_fps = 3 where participant_key = 'A/bob' and sample_time_utc = timestamp '2026-11-02 01:04:00';
update quality_samples set video_framerate_received_fps = 3
where participant_key = 'A/bob' and sample_time_utc in (timestamp '2026-11-02 01:07:00', timestamp '2026-11-02 01:09:00');
update quality_samples set network_delay_ms = 501 where participant_key = 'A/bob' and sample_time_utc = timestamp '2026-11-02 01:08:00';
-- A, cid: minutes 0 and 1 inactive; 2 active without a metric; 3 muted and without video (only received audio is
-- judged); 4 loss 12% both ways: audio poor, video good by its frame rate; 5 the same with unknown frame rate: 12 < 15,
-- video good; 6 loss 16% with unknown frame rate: video poor; 7 shares a still slide (1 fps): good; 8 shares 1 fps with
-- 12% loss: poor.
update quality_samples set audio_bitrate_received_kbps = 0, audio_bitrate_sent_kbps = null, video_bitrate_received_kbps = 0, video_bitrate_sent_kbps = 0
where participant_key = 'A/cid' and sample_time_utc < timestamp '2026-11-02 01:02:00';
update quality_samples set network_delay_ms = null, network_packet_loss_avg_received_pct = null, network_packet_loss_avg_sent_pct = null,
    audio_jitter_received_ms = null, audio_jitter_sent_ms = null, video_framerate_received_fps = null, video_framerate_sent_fps = null
where participant_key = 'A/cid' and sample_time_utc = timestamp '2026-11-02 01:02:00';
update quality_samples set audio_bitrate_sent_kbps = 0, video_bitrate_received_kbps = null, video_bitrate_sent_kbps = null
where participant_key = 'A/cid' and sample_time_utc = timestamp '2026-11-02 01:03:00';
update quality_samples set network_packet_loss_avg_received_pct = 12, network_packet_loss_avg_sent_pct = 12
where participant_key = 'A/cid' and sample_time_utc in (timestamp '2026-11-02 01:04:00', timestamp '2026-11-02 01:05:00', timestamp '2026-11-02 01:08:00');
update quality_samples set video_framerate_received_fps = null, video_framerate_sent_fps = null
where participant_key = 'A/cid' and sample_time_utc in (timestamp '2026-11-02 01:05:00', timestamp '2026-11-02 01:06:00');
update quality_samples set network_packet_loss_avg_received_pct = 16, network_packet_loss_avg_sent_pct = 16
where participant_key = 'A/cid' and sample_time_utc = timestamp '2026-11-02 01:06:00';
update quality_samples set screen_sharing_time_utc = sample_time_utc, screen_sharing_bitrate_sent_kbps = 100, screen_sharing_framerate_sent_fps = 1
where participant_key = 'A/cid' and sample_time_utc in (timestamp '2026-11-02 01:07:00', timestamp '2026-11-02 01:08:00');

-- B, dan: two items, 02:00 and 02:01, whose audio timestamps are one minute later. The audio of the first item has 40
-- ms jitter and belongs to 02:01; the audio of the second belongs to 02:02, which has nothing else. Three minutes,
-- 02:01 poor.
update quality_samples set audio_time_utc = sample_time_utc + interval '1 minute' where participant_key = 'B/dan';
update quality_samples set audio_jitter_received_ms = 40 where participant_key = 'B/dan' and sample_time_utc = timestamp '2026-11-02 02:00:00';
-- B, eve: 02:00:05 and 02:00:55 are one minute; delays of 50 and 150 average to 100.
update quality_samples set sample_time_utc = timestamp '2026-11-02 02:00:05', sample_time_local = timestamp '2026-11-02 10:00:05',
    network_time_utc = timestamp '2026-11-02 02:00:05', audio_time_utc = timestamp '2026-11-02 02:00:05', video_time_utc = timestamp '2026-11-02 02:00:05'
where participant_key = 'B/eve' and sample_time_utc = timestamp '2026-11-02 02:00:00';
update quality_samples set sample_time_utc = timestamp '2026-11-02 02:00:55', sample_time_local = timestamp '2026-11-02 10:00:55', network_delay_ms = 150,
    network_time_utc = timestamp '2026-11-02 02:00:55', audio_time_utc = timestamp '2026-11-02 02:00:55', video_time_utc = timestamp '2026-11-02 02:00:55'
where participant_key = 'B/eve' and sample_time_utc = timestamp '2026-11-02 02:01:00';

-- C: in the third minute p0, p1, p2, p3 and p9 (four public networks) have 30% loss both ways: five of ten. In the
-- fourth only p0 and p3 (one site): two of ten. In the first, p0 has system CPU at 95 (CPU timestamp = sample
-- timestamp) and received jitter of 35 ms: the connection explains it, so downlink.
update quality_samples set network_packet_loss_avg_received_pct = 30, network_packet_loss_avg_sent_pct = 30
where meeting_key like '100000003%' and sample_time_utc = timestamp '2026-11-03 01:02:00' and participant_key in ('C/p0', 'C/p1', 'C/p2', 'C/p3', 'C/p9');
update quality_samples set network_packet_loss_avg_received_pct = 30, network_packet_loss_avg_sent_pct = 30
where sample_time_utc = timestamp '2026-11-03 01:03:00' and participant_key in ('C/p0', 'C/p3');
update quality_samples set audio_jitter_received_ms = 35, system_max_cpu_usage_pct = 95, cpu_usage_time_utc = sample_time_utc
where participant_key = 'C/p0' and sample_time_utc = timestamp '2026-11-03 01:00:00';

-- D: everyone sends 360 lines; p0 receives 3 fps in the first minute.
update quality_samples set video_maximum_resolution_sent_px = 360, video_maximum_resolution_received_px = 360 where meeting_key like '100000004%';
update quality_samples set video_framerate_received_fps = 3 where participant_key = 'D/p0' and sample_time_utc = timestamp '2026-11-04 01:00:00';

insert into coverage by name
select
    p.participant_key, p.meeting_key, p.meeting_date,
    case when p.participant_key = 'E/guest' then 'unaddressable' when p.participant_key = 'E/fay' then 'empty' else 'complete' end as status,
    p.time_in_meeting_s // 60 as expected_minutes,
    (select count(*) from quality_samples as q where q.participant_key = p.participant_key) as sample_count, 1 as attempts
from participants as p;

insert into runs by name
select 'r1' as run_id, 'sync' as command, timestamp '2026-11-06 18:00:00' as started_utc, timestamp '2026-11-06 18:01:00' as finished_utc,
    'complete' as outcome, 0 as exit_code, 5 as meetings, 27 as participants, 70 as samples, 0 as rejects, 2 as calls_meeting_list,
    5 as calls_participant_list, 25 as calls_quality_list, 1 as throttles, 2.5 as waited_s;
insert into meta by name select 1 as generation, 1 as schema_version, 'r1' as run_id, timestamp '2026-11-06 18:01:00' as created_utc, '+08:00' as timezone, 'cqd' as profile;
