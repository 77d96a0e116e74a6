//! The per-minute quality of one participant, made when it is asked for.
//!
//! Owns what a client makes of its connection: bitrates, delays, picture height, frame rate and CPU for each minute of
//! presence. Any minute can be made without the ones before it, so a page in the middle of a long meeting costs no more
//! than the first, and memory does not grow with the number of samples. Values are whole numbers in the vendor's units,
//! loss and CPU in tenths of a percent; their text is `wire_quality`.

use super::dice::{key, unit, wave};
use super::network::{Weather, weather};
use super::places::WORSE_VERSION;
use super::tenant::{Meeting, Session, Share, Tenant, Who};

/// Presence shorter than this (seconds) leaves no quality minute.
const SHORTEST_STAY_S: i64 = 30;

/// One direction of a stream. Latency and jitter are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) bitrate_kbps: u32,
    pub(super) latency_ms: u32,
    pub(super) jitter_ms: u32,
    /// Height of the largest picture; 0 for sound.
    pub(super) height_px: u32,
    /// 0 for sound.
    pub(super) framerate_fps: u32,
}

/// One direction of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traffic {
    pub(super) bitrate_kbps: u32,
    pub(super) loss_avg_tenths: u32,
    pub(super) loss_max_tenths: u32,
}

/// Sound of one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Audio {
    /// `None` while muted.
    pub(super) mic_input_volume_db: Option<i32>,
    pub(super) speaker_volume_db: i32,
    pub(super) received: Option<Flow>,
    pub(super) sent: Option<Flow>,
}

/// A picture stream of one minute, camera or screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) received: Option<Flow>,
    pub(super) sent: Option<Flow>,
}

/// CPU use in tenths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cpu {
    pub(super) client_avg: u32,
    pub(super) client_max: u32,
    pub(super) system_avg: u32,
    pub(super) system_max: u32,
}

/// One item of participant_quality_list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Minute {
    /// Start of the minute, unix seconds.
    pub(super) at: i64,
    pub(super) delay_ms: u32,
    pub(super) received: Traffic,
    pub(super) sent: Traffic,
    pub(super) audio: Audio,
    pub(super) video: Option<Picture>,
    pub(super) sharing: Option<Picture>,
    pub(super) cpu: Option<Cpu>,
}

const fn minute_of(at: i64) -> i64 {
    at.div_euclid(60) * 60
}

const fn minutes_between(from: i64, until: i64) -> i64 {
    (until - minute_of(from) + 59) / 60
}

/// Number of quality minutes of a row: every calendar minute that it was present in, none for a stay under half a minute.
pub(super) fn minute_count(session: &Session) -> usize {
    if session.stay_s() < SHORTEST_STAY_S {
        return 0;
    }
    let count = match session.away {
        None => minutes_between(session.join, session.leave),
        Some((from, until)) => minutes_between(session.join, from) + minutes_between(until, session.leave),
    };
    usize::try_from(count).unwrap_or(0)
}

/// Start (unix seconds) of the `index`-th quality minute of a row.
pub(super) fn minute_start(session: &Session, index: usize) -> i64 {
    let index = index as i64;
    match session.away {
        Some((from, until)) => {
            let before = minutes_between(session.join, from);
            if index < before { minute_of(session.join) + index * 60 } else { minute_of(until) + (index - before) * 60 }
        }
        None => minute_of(session.join) + index * 60,
    }
}

/// Makes the quality minutes of one row.
pub(super) struct Minutes<'a> {
    tenant: &'a Tenant,
    session: &'a Session,
    is_sharer: bool,
    share: Option<Share>,
    cameras: u32,
    rows: u32,
}

impl<'a> Minutes<'a> {
    /// Looks at the meeting once, so that each minute is cheap.
    pub(super) fn of(tenant: &'a Tenant, meeting: &Meeting, row: usize) -> Self {
        let session = &tenant.sessions[row];
        let others = meeting.sessions.clone().filter(|other| *other != row).map(|other| &tenant.sessions[other]);
        let (rows, cameras) =
            others.fold((0, 0), |(rows, cameras), other| (rows + 1, cameras + u32::from(other.camera)));
        let is_sharer = meeting.share.is_some_and(|share| share.session == row);
        Self { tenant, session, is_sharer, share: meeting.share, cameras, rows }
    }

    /// The `index`-th minute.
    pub(super) fn minute(&self, index: usize) -> Minute {
        let at = minute_start(self.session, index);
        let weather = weather(&self.tenant.trouble, self.session, at);
        let shared = self.share.is_some_and(|share| at + 60 > share.from && at < share.until);
        let mood = Mood::of(self.session, at);
        let capped = self.tenant.trouble.is_capped(at);
        let audio = self.audio(&weather, &mood);
        let video = self.video(&weather, &mood, shared, capped);
        let sharing = shared.then(|| self.sharing(&weather, &mood, capped));
        let sum = |pick: fn(&Picture) -> Option<Flow>, sound: Option<Flow>| {
            [sound, video.as_ref().and_then(pick), sharing.as_ref().and_then(pick)]
                .into_iter()
                .flatten()
                .map(|flow| flow.bitrate_kbps)
                .sum::<u32>()
        };
        let received = sum(|picture| picture.received, audio.received);
        let sent = sum(|picture| picture.sent, audio.sent);
        let traffic = |kbps: u32, loss_pct: f64, lump: f64| Traffic {
            // A little on top for headers and repairs.
            bitrate_kbps: kbps + kbps / 20 + 6,
            loss_avg_tenths: whole(loss_pct * 10.0),
            loss_max_tenths: whole((loss_pct * (1.6 + 1.2 * lump) + 0.3 * lump) * 10.0).min(1000),
        };
        Minute {
            at,
            delay_ms: whole(weather.delay_ms),
            received: traffic(received, weather.loss_received_pct, mood.fine),
            sent: traffic(sent, weather.loss_sent_pct, 1.0 - mood.fine),
            audio,
            video,
            sharing,
            cpu: self.cpu(&mood, video.is_some(), shared && self.is_sharer),
        }
    }

    fn audio(&self, weather: &Weather, mood: &Mood) -> Audio {
        let talks = mood.console < self.session.talkative;
        let worse = if mood.worse_version { 35.0 } else { 0.0 };
        let flow = |kbps: f64, loss_pct: f64, lift: f64| Flow {
            bitrate_kbps: whole(kbps),
            // The buffer in front of the loudspeaker grows with jitter and with repairs.
            latency_ms: whole(weather.delay_ms * 0.9 + 48.0 + 1.8 * weather.jitter_ms + 6.0 * loss_pct + lift),
            jitter_ms: whole(weather.jitter_ms * (0.8 + 0.3 * mood.fine)),
            height_px: 0,
            framerate_fps: 0,
        };
        Audio {
            mic_input_volume_db: talks.then(|| -12 - (22.0 * mood.fine) as i32),
            speaker_volume_db: -8 - (18.0 * mood.console) as i32,
            received: (self.rows > 0).then(|| flow(34.0 + 26.0 * mood.console, weather.loss_received_pct, worse)),
            sent: (!self.session.audience)
                .then(|| flow(if talks { 38.0 + 14.0 * mood.fine } else { 3.0 }, weather.loss_sent_pct, 0.0)),
        }
    }

    fn video(&self, weather: &Weather, mood: &Mood, shared: bool, capped: bool) -> Option<Picture> {
        let handheld = matches!(self.session.device, "ios" | "android") && !matches!(self.session.who, Who::Room(_));
        let ceiling = |best: u32| if capped { best.min(360) } else { best };
        let own = if matches!(self.session.who, Who::Room(_)) { 1080 } else { 720 };
        let sent = (self.session.camera && mood.camera_on).then(|| {
            let best = if handheld || self.session.overloaded { 360 } else { own };
            self.flow(weather, mood, CAMERA, ceiling(best), weather.up_kbps * 0.6, weather.loss_sent_pct)
        });
        let received = (self.cameras > 0).then(|| {
            // Beside a shared screen, and in a crowd, faces are small.
            let best = match self.cameras {
                _ if shared || handheld => 360,
                0..=2 => 720,
                3..=6 => 540,
                _ => 360,
            };
            let one =
                self.flow(weather, mood, CAMERA, ceiling(best), weather.down_kbps * 0.6, weather.loss_received_pct);
            let tiles = f64::from(self.cameras.min(9));
            let all_kbps = f64::from(one.bitrate_kbps) * (0.7 + 0.3 * tiles);
            Flow { bitrate_kbps: whole(all_kbps.min(weather.down_kbps)), ..one }
        });
        (sent.is_some() || received.is_some()).then_some(Picture { received, sent })
    }

    fn sharing(&self, weather: &Weather, mood: &Mood, capped: bool) -> Picture {
        let best = if capped { 720 } else { 2160 };
        let best = if unit(key(self.session.key, 8)) < 0.85 { best.min(1080) } else { best };
        if self.is_sharer {
            let sent = self.flow(weather, mood, SCREEN, best, weather.up_kbps * 0.8, weather.loss_sent_pct);
            Picture { received: None, sent: Some(sent) }
        } else {
            let received =
                self.flow(weather, mood, SCREEN, best.min(1080), weather.down_kbps * 0.8, weather.loss_received_pct);
            Picture { received: Some(received), sent: None }
        }
    }

    /// Picks the largest picture that the room for traffic and the loss allow, and what it then looks like.
    fn flow(
        &self,
        weather: &Weather,
        mood: &Mood,
        ladder: &[Rung],
        best_px: u32,
        room_kbps: f64,
        loss_pct: f64,
    ) -> Flow {
        // Under loss a sender backs off.
        let room_kbps = room_kbps * (1.0 - loss_pct / 14.0).clamp(0.08, 1.0);
        let fits = |rung: &&Rung| rung.height_px <= best_px && f64::from(rung.kbps) <= room_kbps;
        let rung = ladder.iter().find(fits).unwrap_or(&ladder[ladder.len() - 1]);
        let slow = if self.session.overloaded { 0.4 } else { 1.0 } * if mood.worse_version { 0.8 } else { 1.0 };
        let frames = f64::from(rung.fps) * slow * (1.0 - loss_pct / 30.0).clamp(0.2, 1.0) * (0.94 + 0.06 * mood.fine);
        Flow {
            bitrate_kbps: whole((f64::from(rung.kbps) * (0.72 + 0.34 * mood.busy)).min(room_kbps.max(20.0))),
            latency_ms: whole(weather.delay_ms + 62.0 + 2.1 * weather.jitter_ms + 11.0 * loss_pct),
            jitter_ms: whole(weather.jitter_ms * (1.1 + 0.5 * mood.fine) + if mood.worse_version { 14.0 } else { 0.0 }),
            height_px: rung.height_px,
            framerate_fps: whole(frames).max(1),
        }
    }

    fn cpu(&self, mood: &Mood, video: bool, shares: bool) -> Option<Cpu> {
        let tells = match self.session.device {
            // One platform does not tell.
            "ios" | "web" => return None,
            "android" => 1.2,
            _ => 1.0,
        };
        let base = 4.5 + if video { 9.0 } else { 0.0 } + if shares { 7.0 } else { 0.0 };
        let client = base * tells * (0.75 + 0.5 * mood.busy) * if mood.worse_version { 2.1 } else { 1.0 };
        let (client, system) = if self.session.overloaded {
            (client * 1.9 + 12.0, 84.0 + 14.0 * mood.busy)
        } else {
            (client, client + 11.0 + 24.0 * mood.busy)
        };
        let tenths = |percent: f64| (percent.min(100.0) * 10.0) as u32;
        Some(Cpu {
            client_avg: tenths(client),
            client_max: tenths(client * (1.3 + 0.9 * mood.fine)),
            system_avg: tenths(system.max(client)),
            system_max: tenths(system.max(client) * (1.15 + 0.5 * mood.fine)),
        })
    }
}

/// A step of what a codec can do.
struct Rung {
    height_px: u32,
    kbps: u32,
    fps: u32,
}

const CAMERA: &[Rung] = &[
    Rung { height_px: 1080, kbps: 2600, fps: 30 },
    Rung { height_px: 720, kbps: 1450, fps: 30 },
    Rung { height_px: 540, kbps: 900, fps: 25 },
    Rung { height_px: 360, kbps: 480, fps: 25 },
    Rung { height_px: 180, kbps: 160, fps: 15 },
    Rung { height_px: 90, kbps: 70, fps: 8 },
];

const SCREEN: &[Rung] = &[
    Rung { height_px: 2160, kbps: 3400, fps: 15 },
    Rung { height_px: 1080, kbps: 1600, fps: 15 },
    Rung { height_px: 720, kbps: 700, fps: 10 },
    Rung { height_px: 360, kbps: 220, fps: 5 },
];

/// What changes from minute to minute beside the network; all 0..1.
struct Mood {
    fine: f64,
    busy: f64,
    console: f64,
    camera_on: bool,
    worse_version: bool,
}

impl Mood {
    fn of(session: &Session, at: i64) -> Self {
        let minute = at.div_euclid(60);
        Self {
            fine: unit(key(key(session.key, 5), minute as u64)),
            busy: 0.5 + 0.5 * wave(key(session.key, 6), minute, 6),
            console: 0.5 + 0.5 * wave(key(session.key, 7), minute, 4),
            // Cameras go off for a while now and then.
            camera_on: wave(key(session.key, 9), minute, 12) > -0.7,
            worse_version: session.app_version == WORSE_VERSION,
        }
    }
}

fn whole(value: f64) -> u32 {
    // A cast from a float saturates, so a negative becomes 0.
    (value + 0.5) as u32
}
