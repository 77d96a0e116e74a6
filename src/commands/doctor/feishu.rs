//! Host, token, clock, and each endpoint by one API call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::check::{CHECKS, Check, DoctorSetup, State};
use super::verdict::{
    Target, Verdict, of_clock, of_error, of_given_token, of_issued_token, of_optional, of_page, of_timeout,
    of_unreachable_host, of_user_token, with_region,
};
use crate::error::ExitCode;
use crate::error::causes::with_causes;
use crate::error::stop_reason::ROOT_CERTIFICATES;
use crate::extract::{day_query, endpoint_of, list_items};
use crate::schema::TenantZone;
use crate::schema::identity::{MeetingIdentity, ParticipantId, ParticipantIdentity};
use feishu_vc::{
    Backoff, CallError, Client, ClientConfig, ClientError, Endpoint, Event, EventListener, Identity,
    MeetingListRequest, Page, ParticipantListRequest, QualityListRequest, UserIdType, WaitReason, format_wait,
};

/// Maximum duration of one request, unless the settings are lower.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BACKOFF: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A slot of the shared budget is free within this time, unless other runs use every slot or wait for a rate limit.
const SLOT_TIMEOUT: Duration = Duration::from_secs(3);

/// How far back to look for meetings.
const LOOK_BACK_S: i64 = 7 * 86_400;
/// Meetings that ended less than this ago may be incomplete.
const RECENT_S: i64 = 600;
const DAY_S: i64 = 86_400;
/// Real meeting numbers do not begin with 0.
const NO_MEETING: &str = "000000000";
/// An ID that no user has.
const NOBODY: &str = "ou_00000000000000000000000000000000";

pub(super) async fn checks(setup: &DoctorSetup) -> Vec<Check> {
    let mut checks = Vec::new();
    let (config, wait_cap) = match &setup.client {
        Ok(config) => (without_waits(config.clone()), config.max_throttle_wait),
        Err(unusable) => {
            let failed = Check::failed("settings", unusable.exit, &*unusable.found);
            checks.push(unusable.next.iter().fold(failed, |check, next| check.next(next)));
            return skip_the_rest(checks, "the settings cannot be used");
        }
    };
    let (origin, kind) = (config.base_url.to_string(), config.credentials.token_kind());
    let credentials = config.credentials.clone();
    let seen = Arc::new(Seen::default());
    let client = match Client::new(config.clone(), Arc::clone(&seen) as Arc<dyn EventListener>) {
        Ok(client) => client,
        Err(error) => {
            let failed = Check::failed("settings", ExitCode::Usage, with_causes(&error));
            let is_root = matches!(error, ClientError::NoRootCertificates(_));
            checks.push(if is_root { failed.next(ROOT_CERTIFICATES) } else { failed });
            return skip_the_rest(checks, "the settings cannot be used");
        }
    };
    checks.push(Check::ok("settings", &*setup.credentials));
    if !setup.is_online {
        return skip_the_rest(checks, "Feishu was not called");
    }
    let caller = Caller { client, seen, ends_at: Instant::now() + setup.deadline, limit: config.call_timeout };

    let probe = match caller.within(caller.client.probe()).await {
        Some(Ok(probe)) => probe,
        Some(Err(fault)) => {
            checks.push(of_unreachable_host(&origin, &fault));
            return skip_the_rest(checks, "the host cannot be reached");
        }
        None => {
            checks.push(Check::failed("host", ExitCode::Feishu, format!("{origin} did not respond in time")));
            return skip_the_rest(checks, "the host did not respond");
        }
    };
    checks.push(Check::ok("host", format!("{origin} responds ({} ms)", probe.elapsed.as_millis())));

    let token = match credentials.can_renew() {
        false => Verdict::go_on(Check::ok("token", of_given_token(kind))),
        true => match caller.within(caller.client.check_token()).await {
            Some(Ok(info)) => Verdict::go_on(Check::ok("token", of_issued_token(&credentials, &info))),
            Some(Err(error)) => of_error("token", &error, Target::Real, wait_cap),
            None => of_timeout("token"),
        },
    };
    let mut ends = token.ends.or((token.check.state == State::Failed).then_some("there is no token"));
    checks.push(with_region(token.check, setup.other_region.as_deref()));

    let calls = Calls { zone: &setup.zone, user_id_type: setup.user_id_type, now_s: (setup.now_us)() / 1_000_000 };
    let mut meeting = None;
    let mut participant = None;
    for endpoint in Endpoint::LISTS {
        if let Some(why) = ends {
            checks.push(Check::skipped(endpoint.name(), why));
            continue;
        }
        let (query, target) = calls.query(endpoint, meeting.as_ref(), participant.as_ref());
        let called = caller.call(endpoint, &query).await;
        if let Called::Page(page) = &called {
            match endpoint {
                Endpoint::MeetingList => meeting = calls.first_meeting(page),
                Endpoint::ParticipantList => {
                    participant = meeting.as_ref().and_then(|m| calls.first_participant(page, m))
                }
                _ => {}
            }
        }
        let verdict = of_called(endpoint, called, target, participant.is_some(), wait_cap);
        ends = verdict.ends;
        checks.push(with_region(verdict.check, setup.other_region.as_deref()));
    }
    let kinds = setup.also.iter().flat_map(|also| also.kinds());
    for (raw_kind, endpoint) in kinds.map(|kind| (*kind, endpoint_of(*kind))) {
        let check = match ends {
            Some(why) => Check::skipped(endpoint.name(), why),
            None if !endpoint.accepts(kind) => of_user_token(endpoint),
            None => {
                let query = day_query(endpoint, &setup.zone, setup.user_id_type, (setup.now_us)());
                let called = caller.call(endpoint, &query).await;
                of_optional(endpoint, of_called(endpoint, called, Target::Real, true, wait_cap).check)
            }
        };
        checks.push(Check { optional: Some(raw_kind.folder()), ..check });
    }
    checks.push(of_clock(&probe));
    checks
}

fn of_called(endpoint: Endpoint, called: Called, target: Target, has_ids: bool, wait_cap: Duration) -> Verdict {
    match called {
        Called::Page(page) => Verdict::go_on(of_page(endpoint, &page, has_ids)),
        Called::Refused(error) => of_error(endpoint.name(), &error, target, wait_cap),
        Called::Waiting(wait) => Verdict::go_on(
            Check::warning(
                endpoint.name(),
                format!("not called: Feishu is throttling another run of this app for the next {}", format_wait(wait)),
            )
            .next("run vcq-etl doctor again then"),
        ),
        Called::NoSlot => Verdict::go_on(
            Check::warning(endpoint.name(), "not called: other runs of this app use the whole rate limit")
                .next("run vcq-etl doctor again when they have ended"),
        ),
        Called::TimedOut => of_timeout(endpoint.name()),
    }
}

/// Skips the remaining checks of this file.
fn skip_the_rest(mut checks: Vec<Check>, why: &str) -> Vec<Check> {
    let ours = CHECKS.iter().map(|(name, _)| *name).take_while(|name| *name != "disk");
    let left: Vec<&str> = ours.skip(checks.len()).collect();
    checks.extend(left.into_iter().map(|name| Check::skipped(name, why)));
    checks
}

/// A second attempt soon after the first, because a single fault passes in a run too. No wait for a rate limit.
fn without_waits(config: ClientConfig) -> ClientConfig {
    ClientConfig {
        max_attempts: config.max_attempts.min(2),
        backoff: Backoff { cap: config.backoff.cap.min(MAX_BACKOFF), ..config.backoff },
        max_clamped_waits: 0,
        max_throttle_wait: Duration::ZERO,
        call_timeout: config.call_timeout.min(CALL_TIMEOUT),
        connect_timeout: config.connect_timeout.min(CONNECT_TIMEOUT),
        ..config
    }
}

/// What the client reports while a call waits.
#[derive(Default)]
struct Seen {
    sent: AtomicU64,
    wait: Mutex<Option<Duration>>,
    waits: Notify,
}

impl EventListener for Seen {
    fn event(&self, event: &Event) {
        match event {
            Event::Sent { .. } => {
                self.sent.fetch_add(1, Ordering::Relaxed);
            }
            Event::Waiting { wait, reason: WaitReason::Throttle, .. } => {
                *self.wait.lock().unwrap_or_else(PoisonError::into_inner) = Some(*wait);
                self.waits.notify_one();
            }
            _ => {}
        }
    }
}

struct Caller {
    client: Client,
    seen: Arc<Seen>,
    ends_at: Instant,
    limit: Duration,
}

enum Called {
    Page(Box<Page>),
    Refused(CallError),
    /// Feishu is throttling another run.
    Waiting(Duration),
    /// Not sent, because other runs use up the budget.
    NoSlot,
    /// Sent, but there was no response in time.
    TimedOut,
}

impl Caller {
    /// Waits at most as long as one request may take, and not beyond the deadline.
    async fn within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let left = self.ends_at.saturating_duration_since(Instant::now());
        // A little more than the client's own timeout, whose error is more specific.
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
                () = self.seen.waits.notified() => {
                    let wait = self.seen.wait.lock().unwrap_or_else(PoisonError::into_inner).take();
                    Called::Waiting(wait.unwrap_or_default())
                }
                () = self.no_slot(sent) => Called::NoSlot,
            }
        };
        self.within(call).await.unwrap_or(Called::TimedOut)
    }

    /// Returns when nothing was sent for too long, otherwise never.
    async fn no_slot(&self, sent: u64) {
        tokio::time::sleep(SLOT_TIMEOUT).await;
        if self.seen.sent.load(Ordering::Relaxed) > sent {
            std::future::pending::<()>().await;
        }
    }
}

/// Builds each request from the responses before it.
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
    ) -> (Vec<(&'static str, String)>, Target) {
        let (start, end) = meeting.map_or((self.now_s - 7_200, self.now_s - 3_600), |m| (m.start_s, m.end_s));
        let no = meeting.map_or(NO_MEETING, |meeting| &meeting.no).to_owned();
        let kind = self.user_id_type;
        let target = |is_real: bool| if is_real { Target::Real } else { Target::MadeUp };
        match endpoint {
            Endpoint::MeetingList => {
                (MeetingListRequest::new(self.now_s - LOOK_BACK_S, self.now_s, kind).query(None), Target::Real)
            }
            Endpoint::ParticipantList => {
                (ParticipantListRequest::new(start, end, no, kind).query(None), target(meeting.is_some()))
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
                (request.query(None), target(participant.is_some()))
            }
            other => (day_query(other, self.zone, kind, self.now_s * 1_000_000), Target::Real),
        }
    }

    /// The first meeting whose participants can be fetched: it has a number, has ended, and is not longer than a day.
    fn first_meeting(&self, page: &Page) -> Option<Meeting> {
        list_items(&page.body, Endpoint::MeetingList.list_key()).iter().find_map(|item| {
            let identity = MeetingIdentity::from_item(item.as_object()?, self.zone).ok()?;
            let (start_s, end_s) = (identity.start.unix_s(), identity.end?.unix_s());
            let fits = !identity.meeting_no.is_empty()
                && (start_s..=start_s + DAY_S).contains(&end_s)
                && end_s <= self.now_s - RECENT_S;
            fits.then_some(Meeting { key: identity.key, no: identity.meeting_no, start_s, end_s })
        })
    }

    fn first_participant(&self, page: &Page, meeting: &Meeting) -> Option<Participant> {
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
