//! Generates the quality samples of one session, one by one when they are requested.
//!
//! Owns what a client makes of its network: bitrates, delays, picture height, frame rate and CPU. Any sample can be
//! generated without the ones before it, so a page in the middle of a long meeting costs no more than the first.

use super::incidents::{Effects, Slow};
use super::network::{NetworkConditions, Path, network_conditions};
use crate::model::incident::Incident;
use crate::model::places::FAULTY_APP_VERSION;
use crate::model::quality::{Audio, Cpu, Picture, Sample, Stream, Traffic};
use crate::model::{Identity, Meeting, ScreenShare, Session, Tenant};
use crate::random::{derive_key, smooth_noise, unit_interval};

pub(crate) struct SampleGenerator<'a> {
    tenant: &'a Tenant,
    session: &'a Session,
    /// Those that concern the session.
    incidents: Vec<&'a Incident>,
    is_sharer: bool,
    share: Option<ScreenShare>,
    /// Cameras of the other sessions.
    cameras: u32,
    alone: bool,
}

impl<'a> SampleGenerator<'a> {
    pub(crate) fn new(tenant: &'a Tenant, meeting: &Meeting, row: usize) -> Self {
        let session = &tenant.sessions[row];
        let incidents = tenant.incidents.iter().filter(|incident| incident.concerns(meeting, session)).collect();
        Self::with_incidents(tenant, meeting, row, incidents)
    }

    pub(crate) fn with_incidents(
        tenant: &'a Tenant,
        meeting: &Meeting,
        row: usize,
        incidents: Vec<&'a Incident>,
    ) -> Self {
        let session = &tenant.sessions[row];
        let cameras = tenant.sessions_of(meeting).iter().map(|one| u32::from(one.camera)).sum::<u32>();
        let is_sharer = meeting.share.is_some_and(|share| share.session == row);
        Self {
            tenant,
            session,
            incidents,
            is_sharer,
            share: meeting.share,
            cameras: cameras - u32::from(session.camera),
            alone: meeting.sessions.len() == 1,
        }
    }

    pub(crate) fn sample(&self, index: usize) -> Sample {
        let at = self.session.minute_start(index);
        let effects = Effects::at(&self.incidents, self.session, at);
        let network = network_conditions(&self.tenant.problems, &effects, self.session, at);
        let shared = self.share.is_some_and(|share| at + 60 > share.from && at < share.until);
        let noise = Noise::new(self.session, at);
        let limited = self.tenant.problems.limited.contains(&at);
        let audio = self.audio(&network, &noise);
        let video = self.video(&network, &noise, &effects, shared, limited);
        let sharing = shared.then(|| self.sharing(&network, &noise, limited));
        let sum = |pick: fn(&Picture) -> Option<Stream>, audio: Option<Stream>| {
            [audio, video.as_ref().and_then(pick), sharing.as_ref().and_then(pick)]
                .into_iter()
                .flatten()
                .map(|stream| stream.bitrate_kbps)
                .sum::<u32>()
        };
        let received = sum(|picture| picture.received, audio.received);
        let sent = sum(|picture| picture.sent, audio.sent);
        let traffic = |kbps: u32, loss_pct: f64, burst: f64| Traffic {
            // Headers and retransmissions.
            bitrate_kbps: kbps + kbps / 20 + 6,
            loss_avg_tenths: round(loss_pct * 10.0),
            loss_max_tenths: round((loss_pct * (1.6 + 1.2 * burst) + 0.3 * burst) * 10.0).min(1000),
        };
        Sample {
            at,
            delay_ms: round(network.delay_ms),
            received: traffic(received, network.loss_received_pct, noise.rough),
            sent: traffic(sent, network.loss_sent_pct, 1.0 - noise.rough),
            audio,
            video,
            sharing,
            cpu: self.cpu(&noise, &effects, video.is_some(), shared && self.is_sharer),
        }
    }

    fn audio(&self, network: &NetworkConditions, noise: &Noise) -> Audio {
        let speaking = noise.speech < self.session.speaking_share;
        let extra_ms = if noise.faulty_version { 35.0 } else { 0.0 };
        let flow = |kbps: f64, path: Path, extra_ms: f64| Stream {
            bitrate_kbps: round(kbps),
            // The playout buffer grows with jitter and with loss.
            latency_ms: round(network.delay_ms * 0.9 + 48.0 + 1.8 * path.jitter_ms + 6.0 * path.loss_pct + extra_ms),
            jitter_ms: round(path.jitter_ms * (0.8 + 0.3 * noise.rough)),
            height_px: 0,
            framerate_fps: 0,
        };
        Audio {
            mic_input_volume_db: speaking.then(|| -12 - (22.0 * noise.rough) as i32),
            speaker_volume_db: -8 - (18.0 * noise.speech) as i32,
            received: (!self.alone).then(|| flow(34.0 + 26.0 * noise.speech, network.received(1.0), extra_ms)),
            sent: (!self.session.audience)
                .then(|| flow(if speaking { 38.0 + 14.0 * noise.rough } else { 3.0 }, network.sent(1.0), 0.0)),
        }
    }

    fn video(
        &self,
        network: &NetworkConditions,
        noise: &Noise,
        effects: &Effects,
        shared: bool,
        limited: bool,
    ) -> Option<Picture> {
        let room = matches!(self.session.identity, Identity::Room(_));
        let phone = !room && matches!(self.session.device, "ios" | "android");
        let ceiling = |best: u32| if limited { best.min(360) } else { best };
        let own = if room { 1080 } else { 720 };
        let sent = (self.session.camera && noise.camera_on).then(|| {
            let best = if phone || self.session.overloaded { 360 } else { own };
            let best = if effects.sent.is_some_and(|slow| slow.halved) { best / 2 } else { best };
            let stream = self.picture_stream(network, noise, CAMERA_PROFILES, ceiling(best), network.sent(0.6));
            slowed(stream, effects.sent)
        });
        let received = (self.cameras > 0).then(|| {
            // Tiles are small next to a shared screen and in large meetings.
            let best = match self.cameras {
                _ if shared || phone => 360,
                0..=2 => 720,
                3..=6 => 540,
                _ => 360,
            };
            let one = self.picture_stream(network, noise, CAMERA_PROFILES, ceiling(best), network.received(0.6));
            let one = slowed(one, effects.received);
            let tiles = f64::from(self.cameras.min(9));
            let all_kbps = f64::from(one.bitrate_kbps) * (0.7 + 0.3 * tiles);
            Stream { bitrate_kbps: round(all_kbps.min(network.down_kbps)), ..one }
        });
        (sent.is_some() || received.is_some()).then_some(Picture { received, sent })
    }

    fn sharing(&self, network: &NetworkConditions, noise: &Noise, limited: bool) -> Picture {
        let best = if limited { 720 } else { 2160 };
        let best = if unit_interval(derive_key(self.session.key, 8)) < 0.85 { best.min(1080) } else { best };
        if self.is_sharer {
            let sent = self.picture_stream(network, noise, SCREEN_PROFILES, best, network.sent(0.8));
            return Picture { received: None, sent: Some(sent) };
        }
        let received = self.picture_stream(network, noise, SCREEN_PROFILES, best.min(1080), network.received(0.8));
        Picture { received: Some(received), sent: None }
    }

    /// Picks the best profile that bandwidth and loss allow.
    fn picture_stream(
        &self,
        network: &NetworkConditions,
        noise: &Noise,
        profiles: &[CodecProfile],
        best_px: u32,
        Path { bandwidth_kbps, loss_pct, jitter_ms }: Path,
    ) -> Stream {
        // A sender reduces its bitrate under loss.
        let bandwidth_kbps = bandwidth_kbps * (1.0 - loss_pct / 14.0).clamp(0.08, 1.0);
        let fits = |one: &&CodecProfile| one.height_px <= best_px && f64::from(one.kbps) <= bandwidth_kbps;
        let profile = profiles.iter().find(fits).unwrap_or(&profiles[profiles.len() - 1]);
        let slow = if self.session.overloaded { 0.4 } else { 1.0 } * if noise.faulty_version { 0.8 } else { 1.0 };
        let frames =
            f64::from(profile.fps) * slow * (1.0 - loss_pct / 30.0).clamp(0.2, 1.0) * (0.94 + 0.06 * noise.rough);
        let kbps = f64::from(profile.kbps) * (0.72 + 0.34 * noise.activity);
        let extra_ms = if noise.faulty_version { 14.0 } else { 0.0 };
        Stream {
            bitrate_kbps: round(kbps.min(bandwidth_kbps.max(20.0))),
            latency_ms: round(network.delay_ms + 62.0 + 2.1 * jitter_ms + 11.0 * loss_pct),
            jitter_ms: round(jitter_ms * (1.1 + 0.5 * noise.rough) + extra_ms),
            height_px: profile.height_px,
            framerate_fps: round(frames).max(1),
        }
    }

    fn cpu(&self, noise: &Noise, effects: &Effects, video: bool, shares: bool) -> Option<Cpu> {
        let factor = match self.session.device {
            "ios" | "web" => return None,
            "android" => 1.2,
            _ => 1.0,
        };
        let base = 4.5 + if video { 9.0 } else { 0.0 } + if shares { 7.0 } else { 0.0 };
        let client = base * factor * (0.75 + 0.5 * noise.activity) * if noise.faulty_version { 2.1 } else { 1.0 };
        let (client, system) = if effects.hot {
            (client * 1.9 + 12.0, 95.0 + 5.0 * noise.activity)
        } else if self.session.overloaded {
            (client * 1.9 + 12.0, 84.0 + 14.0 * noise.activity)
        } else {
            (client, client + 11.0 + 24.0 * noise.activity)
        };
        let tenths = |percent: f64| (percent.min(100.0) * 10.0) as u32;
        Some(Cpu {
            client_avg_tenths: tenths(client),
            client_max_tenths: tenths(client * (1.3 + 0.9 * noise.rough)),
            system_avg_tenths: tenths(system.max(client)),
            system_max_tenths: tenths(system.max(client) * (1.15 + 0.5 * noise.rough)),
        })
    }
}

fn slowed(stream: Stream, slow: Option<Slow>) -> Stream {
    let framerate_fps = slow.map_or(stream.framerate_fps, |slow| stream.framerate_fps.min(slow.most_fps));
    Stream { framerate_fps, ..stream }
}

/// A step of the quality ladder of a codec, best first.
struct CodecProfile {
    height_px: u32,
    kbps: u32,
    fps: u32,
}

const CAMERA_PROFILES: &[CodecProfile] = &[
    CodecProfile { height_px: 1080, kbps: 2600, fps: 30 },
    CodecProfile { height_px: 720, kbps: 1450, fps: 30 },
    CodecProfile { height_px: 540, kbps: 900, fps: 25 },
    CodecProfile { height_px: 360, kbps: 480, fps: 25 },
    CodecProfile { height_px: 180, kbps: 160, fps: 15 },
    CodecProfile { height_px: 90, kbps: 70, fps: 8 },
];

const SCREEN_PROFILES: &[CodecProfile] = &[
    CodecProfile { height_px: 2160, kbps: 3400, fps: 15 },
    CodecProfile { height_px: 1080, kbps: 1600, fps: 15 },
    CodecProfile { height_px: 720, kbps: 700, fps: 10 },
    CodecProfile { height_px: 360, kbps: 220, fps: 5 },
];

/// What changes from minute to minute besides the network; numbers are 0..1.
struct Noise {
    /// Independent from minute to minute.
    rough: f64,
    /// Changes slowly: CPU load and motion.
    activity: f64,
    /// Changes slowly: speech.
    speech: f64,
    camera_on: bool,
    faulty_version: bool,
}

impl Noise {
    fn new(session: &Session, at: i64) -> Self {
        let minute = at.div_euclid(60);
        Self {
            rough: unit_interval(derive_key(derive_key(session.key, 5), minute as u64)),
            activity: 0.5 + 0.5 * smooth_noise(derive_key(session.key, 6), minute, 6),
            speech: 0.5 + 0.5 * smooth_noise(derive_key(session.key, 7), minute, 4),
            // Cameras are switched off for a while now and then.
            camera_on: smooth_noise(derive_key(session.key, 9), minute, 12) > -0.7,
            faulty_version: session.app_version == FAULTY_APP_VERSION,
        }
    }
}

fn round(value: f64) -> u32 {
    // A cast from float saturates: negative values become 0.
    (value + 0.5) as u32
}
