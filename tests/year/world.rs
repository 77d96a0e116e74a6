//! What is outside of the program: the simulated Feishu behind a simulated network, and a log of what was sent.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use feishu_vc::{Boxed, CancellationToken, Effects, Exchanged, NoResponse, RawResponse};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Notify;
use vcq_simulator::{InProcess, Incoming, Served};

use super::clock::SimulatedClock;
use super::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum List {
    Meetings,
    Participants,
    Quality,
}

/// One request for a page, as it was on the wire.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wire {
    pub night: usize,
    /// By the program's clock, when it was sent.
    pub wall_us: i64,
    pub list: List,
    /// What the list is of: a meeting, or a participant.
    pub unit: String,
    pub is_first_page: bool,
    /// Feishu's code in the response.
    pub code: Option<i64>,
    pub has_more: bool,
    /// The program got the response.
    pub is_delivered: bool,
}

/// What happens at which request of the night.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub refused: Range<u64>,
    pub kill_at: Option<u64>,
    pub kill_after: Option<Duration>,
    pub cancel_at: Option<(u64, CancellationToken)>,
    pub ahead_at: Option<(u64, i64)>,
}

struct State {
    random: Random,
    night: usize,
    requests: u64,
    script: Script,
    wire: Vec<Wire>,
}

pub(super) struct World {
    pub clock: Arc<SimulatedClock>,
    pub server: InProcess,
    /// The process is killed now.
    pub killed: Notify,
    state: Mutex<State>,
}

impl World {
    pub(super) fn new(clock: Arc<SimulatedClock>, server: InProcess, seed: u64) -> Arc<World> {
        let (random, wire) = (Random::new(seed), Vec::new());
        let state = State { random, night: 0, requests: 0, script: Script::default(), wire };
        Arc::new(World { clock, server, killed: Notify::new(), state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, night: usize, script: Script) {
        let mut state = self.state();
        (state.night, state.requests, state.script) = (night, 0, script);
    }

    /// Ends when the process is killed after a time; never, if it is not.
    pub(super) fn killed_after(&self) -> impl Future<Output = ()> + use<> {
        let sleep = self.state().script.kill_after.map(|after| self.clock.sleep(after));
        async move {
            match sleep {
                Some(sleep) => sleep.await,
                None => std::future::pending().await,
            }
        }
    }

    /// Everything that was sent so far.
    pub(super) fn wire(&self) -> Vec<Wire> {
        self.state().wire.clone()
    }

    /// Counts a request, and does what the script says about it; false if its connection is refused.
    fn admit(&self) -> (bool, Duration) {
        let mut state = self.state();
        state.requests += 1;
        let number = state.requests;
        if state.script.kill_at == Some(number) {
            self.killed.notify_one();
        }
        if let Some((at, cancel)) = &state.script.cancel_at
            && *at == number
        {
            cancel.cancel();
        }
        if let Some((at, ahead_us)) = state.script.ahead_at
            && at == number
        {
            self.clock.set_ahead_us(ahead_us);
        }
        let latency = Duration::from_micros(10_000 + state.random.below(400_000));
        (!state.script.refused.contains(&number), latency)
    }

    /// Logs a request for a page; `None` for a token.
    fn log(&self, wall_us: i64, request: &reqwest::Request) -> Option<usize> {
        let url = request.url();
        let list = match url.path().rsplit('/').next()? {
            "meeting_list" => List::Meetings,
            "participant_list" => List::Participants,
            "participant_quality_list" => List::Quality,
            _ => return None,
        };
        let text = |name: &str| {
            url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let unit = match list {
            List::Meetings => String::new(),
            List::Participants => {
                // A start that was not found is requested again, rounded down to its minute.
                let minute = text("meeting_start_time").parse::<i64>().unwrap_or_default() / 60;
                format!("{}/{minute}/{}", text("meeting_no"), text("webinar_user_role"))
            }
            List::Quality => {
                format!("{}/{}{}/{}", text("meeting_no"), text("user_id"), text("room_id"), text("join_time"))
            }
        };
        let is_first_page = text("page_token").is_empty();
        let mut state = self.state();
        let night = state.night;
        let wire = Wire { night, wall_us, list, unit, is_first_page, code: None, has_more: false, is_delivered: false };
        state.wire.push(wire);
        Some(state.wire.len() - 1)
    }

    fn answered(&self, at: Option<usize>, body: &[u8]) {
        let Some(at) = at else { return };
        let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let wire = &mut self.state().wire[at];
        wire.code = json["code"].as_i64();
        wire.has_more = json["data"]["has_more"].as_bool().unwrap_or_default();
        wire.is_delivered = true;
    }

    async fn exchange(
        self: Arc<Self>,
        request: reqwest::Request,
        logged: Option<usize>,
        timeout: Duration,
    ) -> Exchanged {
        let (is_admitted, latency) = self.admit();
        self.clock.sleep(latency / 2).await;
        if !is_admitted {
            return Err(NoResponse::Refused);
        }
        let url = request.url();
        let uri = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let served = self.server.answer(Incoming {
            method: request.method().as_str(),
            uri: &uri,
            authorization: request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()),
            body: request.body().and_then(|body| body.as_bytes()).unwrap_or_default(),
            since_start: self.clock.elapsed(),
            now_s: self.clock.true_us() / 1_000_000,
        });
        match served {
            Served::Response { status, headers, body } => {
                self.clock.sleep(latency / 2).await;
                self.answered(logged, &body);
                let header = |(name, value): (String, String)| {
                    Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
                };
                Ok(RawResponse { status, headers: headers.into_iter().filter_map(header).collect::<HeaderMap>(), body })
            }
            Served::Reset => {
                self.clock.sleep(latency / 2).await;
                Err(NoResponse::Reset)
            }
            Served::Stall => {
                self.clock.sleep(timeout).await;
                Err(NoResponse::TimedOut)
            }
        }
    }
}

/// The effects of the program's client.
pub(super) struct Outside(pub Arc<World>);

impl Effects for Outside {
    fn instant(&self) -> Instant {
        self.0.clock.instant()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.clock.wall_us()).expect("a time of this century")
    }

    fn sleep(&self, wait: Duration) -> Boxed<'_, ()> {
        Box::pin(self.0.clock.sleep(wait))
    }

    fn random(&self) -> f64 {
        self.0.state().random.unit()
    }

    fn exchange(&self, request: &reqwest::Request, timeout: Duration) -> Option<Boxed<'static, Exchanged>> {
        let request = request.try_clone().expect("no stream");
        let logged = self.0.log(self.0.clock.wall_us(), &request);
        Some(Box::pin(Arc::clone(&self.0).exchange(request, logged, timeout)))
    }
}
