//! The vendor's side: host, token, and each list by one real call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::judge::{About, Judged, clock, given, host_failed, in_vain, of_error, of_page, with_causes, with_region};
use super::{Check, DoctorSetup, State};
use crate::error::ExitCode;
use crate::extract::list_items;
use crate::schema::TenantZone;
use crate::schema::identity::{MeetingIdentity, ParticipantId, ParticipantIdentity};
use feishu_vc::{
    CallError, Client, ClientConfig, Credentials, Endpoint, Event, EventListener, Identity, MeetingListRequest, Page,
    ParticipantListRequest, QualityListRequest, UserIdType, WaitReason, format_wait,
};

/// One request may take so long, or what the settings say where that is less.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A free slot of the shared budget comes within this, unless a run uses every slot or is held by the vendor.
const SLOT_TIMEOUT: Duration = Duration::from_secs(3);

/// Where meetings are looked for, seconds before now.
const LOOK_BACK_S: i64 = 7 * 86_400;
/// Meetings that ended later than this, seconds before now, may not be complete.
const RECENT_S: i64 = 600;
const DAY_S: i64 = 86_400;
/// A number that no meeting has: they begin with a digit from 1.
const NO_MEETING: &str = "000000000";
/// An id that nobody has.
const NOBODY: &str = "ou_00000000000000000000000000000000";

/// settings, host, token, the three lists, clock.
pub(super) async fn checks(setup: &DoctorSetup) -> Vec<Check> {
    let mut checks = Vec::new();
    let (config, wait_cap) = match &setup.client {
        Ok(config) => (impatient(config.clone()), config.max_throttle_wait),
        Err(unusable) => {
            let failed = Check::failed("settings", unusable.exit, &*unusable.found);
            checks.push(unusable.next.iter().fold(failed, |check, next| check.next(next)));
            return skip_the_rest(checks, "the settings can't be used");
        }
    };
    let (origin, kind, app) = (
        config.base_url.to_string(),
        config.credentials.token_kind(),
        matches!(config.credentials, Credentials::App { .. }),
    );
    let seen = Arc::new(Seen::default());
    let client = match Client::new(config.clone(), Arc::clone(&seen) as Arc<dyn EventListener>) {
        Ok(client) => client,
        Err(error) => {
            checks.push(Check::failed("settings", ExitCode::Usage, with_causes(&error)));
            return skip_the_rest(checks, "the settings can't be used");
        }
    };
    checks.push(Check::ok("settings", &*setup.credentials));
    let caller = Caller { client, seen, ends_at: Instant::now() + setup.deadline, limit: config.call_timeout };

    let reached = match caller.within(caller.client.probe()).await {
        Some(Ok(reached)) => reached,
        Some(Err(fault)) => {
            checks.push(host_failed(&origin, &fault));
            return skip_the_rest(checks, "the host can't be reached");
        }
        None => {
            checks.push(Check::failed("host", ExitCode::Vendor, format!("{origin} did not answer in time")));
            return skip_the_rest(checks, "the host did not answer");
        }
    };
    checks.push(Check::ok("host", format!("{origin} answers ({} ms)", reached.elapsed.as_millis())));

    let token = match app {
        false => Judged::go_on(Check::ok("token", given(kind))),
        true => match caller.within(caller.client.check_token()).await {
            Some(Ok(info)) => {
                let life =
                    info.expires_in.map_or(String::new(), |life| format!("; it lives {} min", life.as_secs() / 60));
                Judged::go_on(Check::ok("token", format!("the app got a tenant token{life}")))
            }
            Some(Err(error)) => of_error("token", &error, About::Real, wait_cap),
            None => in_vain("token"),
        },
    };
    let mut ends = token.ends.or((token.check.state == State::Failed).then_some("there is no token"));
    checks.push(with_region(token.check, setup.other_region.as_deref()));

    let calls = Calls { zone: &setup.zone, user_id_type: setup.user_id_type, now_s: (setup.now_us)() / 1_000_000 };
    let mut meeting = None;
    let mut participant = None;
    for endpoint in Endpoint::ALL {
        if let Some(why) = ends {
            checks.push(Check::skipped(endpoint.name(), why));
            continue;
        }
        let (query, about) = calls.query(endpoint, meeting.as_ref(), participant.as_ref());
        let judged = match caller.call(endpoint, &query).await {
            Called::Page(page) => {
                match endpoint {
                    Endpoint::MeetingList => meeting = calls.a_meeting(&page),
                    Endpoint::ParticipantList => {
                        participant = meeting.as_ref().and_then(|m| calls.a_participant(&page, m))
                    }
                    Endpoint::ParticipantQualityList => {}
                }
                Judged::go_on(of_page(endpoint, &page, participant.is_some()))
            }
            Called::Refused(error) => of_error(endpoint.name(), &error, about, wait_cap),
            Called::Held(wait) => Judged::go_on(
                Check::warning(
                    endpoint.name(),
                    format!("not asked: the vendor makes another run of this app wait, for {} more", format_wait(wait)),
                )
                .next("run vcq-etl doctor again then"),
            ),
            Called::NoSlot => Judged::go_on(
                Check::warning(endpoint.name(), "not asked: other runs of this app use every call of the limit")
                    .next("run vcq-etl doctor again when they are done"),
            ),
            Called::NoAnswer => in_vain(endpoint.name()),
        };
        ends = judged.ends;
        checks.push(with_region(judged.check, setup.other_region.as_deref()));
    }
    checks.push(clock(&reached));
    checks
}

/// Everything that is left of this side.
fn skip_the_rest(mut checks: Vec<Check>, why: &str) -> Vec<Check> {
    let ours = super::CHECKS.iter().map(|(name, _)| *name).take_while(|name| *name != "disk");
    let left: Vec<&str> = ours.skip(checks.len()).collect();
    checks.extend(left.into_iter().map(|name| Check::skipped(name, why)));
    checks
}

/// The same client without patience: one try, and no wait for a limit.
fn impatient(config: ClientConfig) -> ClientConfig {
    ClientConfig {
        max_attempts: 1,
        max_clamped_waits: 0,
        max_throttle_wait: Duration::ZERO,
        call_timeout: config.call_timeout.min(CALL_TIMEOUT),
        connect_timeout: config.connect_timeout.min(CONNECT_TIMEOUT),
        ..config
    }
}

/// What happens on the wire while a call waits.
#[derive(Default)]
struct Seen {
    sent: AtomicU64,
    hold: Mutex<Option<Duration>>,
    held: Notify,
}

impl EventListener for Seen {
    fn event(&self, event: &Event) {
        match event {
            Event::Sent { .. } => {
                self.sent.fetch_add(1, Ordering::Relaxed);
            }
            Event::Waiting { wait, reason: WaitReason::Throttle, .. } => {
                *self.hold.lock().unwrap_or_else(PoisonError::into_inner) = Some(*wait);
                self.held.notify_one();
            }
            _ => {}
        }
    }
}

/// Calls, none of which waits for long.
struct Caller {
    client: Client,
    seen: Arc<Seen>,
    ends_at: Instant,
    limit: Duration,
}

enum Called {
    Page(Box<Page>),
    Refused(CallError),
    /// Another run was told to wait by the vendor.
    Held(Duration),
    /// Nothing was sent, because others use the budget up.
    NoSlot,
    /// It was sent, and there is no time left.
    NoAnswer,
}

impl Caller {
    /// Waits for work, but not longer than one request may take, and not beyond the end.
    async fn within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let left = self.ends_at.saturating_duration_since(Instant::now());
        // A little more than the client's own limit, which says more when it is reached.
        tokio::time::timeout(left.min(self.limit + SLOT_TIMEOUT), work).await.ok()
    }

    async fn call(&self, endpoint: Endpoint, query: &[(&str, String)]) -> Called {
        let sent = self.seen.sent.load(Ordering::Relaxed);
        let call = async {
            tokio::select! {
                done = self.client.call(endpoint, query) => match done {
                    Ok(page) => Called::Page(Box::new(page)),
                    Err(error) => Called::Refused(error),
                },
                () = self.seen.held.notified() => {
                    let hold = self.seen.hold.lock().unwrap_or_else(PoisonError::into_inner).take();
                    Called::Held(hold.unwrap_or_default())
                }
                () = self.no_slot(sent) => Called::NoSlot,
            }
        };
        self.within(call).await.unwrap_or(Called::NoAnswer)
    }

    /// Returns when nothing was sent for too long, else never.
    async fn no_slot(&self, sent: u64) {
        tokio::time::sleep(SLOT_TIMEOUT).await;
        if self.seen.sent.load(Ordering::Relaxed) > sent {
            std::future::pending::<()>().await;
        }
    }
}

/// What to ask, from what was answered before.
struct Calls<'a> {
    zone: &'a TenantZone,
    user_id_type: UserIdType,
    now_s: i64,
}

struct Meeting {
    key: String,
    no: String,
    start_s: i64,
    end_s: i64,
}

struct Participant {
    identity: Identity,
    join_s: i64,
}

impl Calls<'_> {
    fn query(
        &self,
        endpoint: Endpoint,
        meeting: Option<&Meeting>,
        participant: Option<&Participant>,
    ) -> (Vec<(&'static str, String)>, About) {
        let (start, end) = meeting.map_or((self.now_s - 7_200, self.now_s - 3_600), |m| (m.start_s, m.end_s));
        let no = meeting.map_or(NO_MEETING, |meeting| &meeting.no).to_owned();
        let kind = self.user_id_type;
        match endpoint {
            Endpoint::MeetingList => {
                (MeetingListRequest::new(self.now_s - LOOK_BACK_S, self.now_s, kind).query(None), About::Real)
            }
            Endpoint::ParticipantList => {
                let about = if meeting.is_some() { About::Real } else { About::MadeUp };
                (ParticipantListRequest::new(start, end, no, kind).query(None), about)
            }
            Endpoint::ParticipantQualityList => {
                let nobody = || Identity::User(NOBODY.to_owned());
                let request = QualityListRequest {
                    meeting_start_time: start,
                    meeting_end_time: end,
                    meeting_no: no,
                    join_time: participant.map_or(start, |participant| participant.join_s),
                    participant: participant.map_or_else(nobody, |participant| participant.identity.clone()),
                    user_id_type: kind,
                };
                (request.query(None), if participant.is_some() { About::Real } else { About::MadeUp })
            }
        }
    }

    /// A meeting of the page that can be asked for: it has a number, is over, and is no longer than a day.
    fn a_meeting(&self, page: &Page) -> Option<Meeting> {
        list_items(&page.body, Endpoint::MeetingList.list_key()).iter().find_map(|item| {
            let identity = MeetingIdentity::from_item(item.as_object()?, self.zone).ok()?;
            let (start_s, end_s) = (identity.start.unix_s(), identity.end?.unix_s());
            let fits = !identity.meeting_no.is_empty()
                && (start_s..=start_s + DAY_S).contains(&end_s)
                && end_s <= self.now_s - RECENT_S;
            fits.then_some(Meeting { key: identity.key, no: identity.meeting_no, start_s, end_s })
        })
    }

    /// A participant of the page with an id.
    fn a_participant(&self, page: &Page, meeting: &Meeting) -> Option<Participant> {
        list_items(&page.body, Endpoint::ParticipantList.list_key()).iter().find_map(|item| {
            let identity = ParticipantIdentity::from_item(item.as_object()?, &meeting.key, self.zone);
            let id = match identity.id? {
                ParticipantId::User(id) => Identity::User(id),
                ParticipantId::Room(id) => Identity::Room(id),
            };
            Some(Participant { identity: id, join_s: identity.join?.unix_s() })
        })
    }
}
