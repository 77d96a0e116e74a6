//! What the incidents of a session do to one of its minutes.

use crate::model::Session;
use crate::model::incident::{Direction, Incident, Metric};
use crate::random::{derive_key, unit_interval};

/// Added to the conditions of a minute; the default changes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Effects {
    pub(crate) delay_ms: f64,
    pub(crate) jitter_received_ms: f64,
    pub(crate) jitter_sent_ms: f64,
    pub(crate) loss_received_pct: f64,
    pub(crate) loss_sent_pct: f64,
    /// Of the pictures of cameras.
    pub(crate) received: Option<Slow>,
    pub(crate) sent: Option<Slow>,
    /// The computer is at the limit of its CPU.
    pub(crate) hot: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slow {
    pub(crate) most_fps: u32,
    /// Half of the height, too.
    pub(crate) halved: bool,
}

impl Effects {
    pub(crate) fn at(incidents: &[&Incident], session: &Session, at: i64) -> Self {
        let mut effects = Self::default();
        for incident in incidents {
            effects.add(incident, session, at);
        }
        effects
    }

    fn add(&mut self, incident: &Incident, session: &Session, at: i64) {
        let Some(level) = incident.level(at) else { return };
        let received = incident.direction != Direction::Sent;
        let sent = incident.direction != Direction::Received;
        // Next to a bad minute the line is worse than usual, too.
        let size = |mild: f64, least: f64, span: f64| if level.is_bad { least + span * level.depth } else { mild };
        match incident.metric {
            Metric::Loss => {
                let loss_pct = size(2.5, 13.0, 17.0);
                self.loss_received_pct += if received { loss_pct } else { 0.0 };
                self.loss_sent_pct += if sent { loss_pct } else { 0.0 };
            }
            Metric::Delay => self.delay_ms += size(90.0, 530.0, 380.0),
            Metric::Jitter => {
                let jitter_ms = size(6.0, 38.0, 55.0);
                self.jitter_received_ms += if received { jitter_ms } else { 0.0 };
                self.jitter_sent_ms += if sent { jitter_ms } else { 0.0 };
            }
            Metric::FrameRate if level.is_bad => {
                let slow = Slow { most_fps: 3 + (3.0 * level.depth) as u32, halved: false };
                self.received = if received { Some(slow) } else { self.received };
                self.sent = if sent { Some(slow) } else { self.sent };
            }
            Metric::Cpu if level.is_bad => {
                let halved = unit_interval(derive_key(session.key, incident.key)) < 0.3;
                self.hot = true;
                self.received = Some(Slow { most_fps: 8 + (4.0 * level.depth) as u32, halved: false });
                self.sent = Some(Slow { most_fps: 8 + (4.0 * level.depth) as u32, halved });
            }
            Metric::FrameRate | Metric::Cpu => {}
        }
    }
}
