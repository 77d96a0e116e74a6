//! Fetches a unit: the participant list of a meeting, or the quality data of a participant.

use std::collections::HashSet;

use super::items::{ParticipantCollector, add_minutes, count_people, parse_items};
use super::settings::Context;
use super::task::MeetingTask;
use super::unit_result::{Earlier, Expected, UnitResult};
use super::walk::{Outcome, Walk, walk_list};
use super::window::MeetingWindow;
use crate::ledger::{LedgerError, PendingParticipant};
use crate::raw_log::RawKind;
use crate::schema::identity::ParticipantId;
use feishu_vc::{Endpoint, Identity, ParticipantListRequest, QualityListRequest, Reservation, WebinarUserRole};

/// A webinar's audience is fetched with a second query. A list without its audience is published as far as it goes; its
/// status shows what is missing.
pub(super) async fn fetch_participants(
    context: &Context,
    task: &MeetingTask,
    reserved: Option<&Reservation>,
) -> Result<UnitResult, LedgerError> {
    let meeting = &task.meeting;
    let mut collector = ParticipantCollector::default();
    let mut walk = walk_role(context, task, None, reserved, &mut collector).await;
    let panel_is_complete = matches!(walk.outcome, Outcome::Complete) && meeting.is_webinar;
    if panel_is_complete {
        walk = walk.then(walk_role(context, task, Some(WebinarUserRole::Audience), reserved, &mut collector).await);
    }
    let listed = collector.finish();
    let people = count_people(&context.ledger().known_participants(&meeting.meeting_key)?, &listed);
    let expected = Expected::List {
        people: people.people(),
        number_of_participants: meeting.number_of_participants,
        is_short: people.is_short_of(meeting.number_of_participants),
        short_since_us: meeting.list_short_us,
    };
    let earlier =
        Earlier { status: meeting.list_status.as_deref(), digest: meeting.list_digest.as_deref(), us: meeting.list_us };
    let (unit, settle) = (&meeting.meeting_key, context.settings.settle);
    let mut result = UnitResult::new(RawKind::Participants, unit, task, walk, expected, earlier, settle);
    // An interrupted list is requested again whole, and nothing is recorded that the run has not judged.
    if !result.end.whole && panel_is_complete && result.stop.is_none() {
        result.end.whole = true;
        result.end.reason = format!("the webinar's audience could not be listed: {}", result.end.reason);
    }
    if result.end.whole {
        result.participants = listed;
        result.people = people.people();
    }
    Ok(result)
}

async fn walk_role(
    context: &Context,
    task: &MeetingTask,
    role: Option<WebinarUserRole>,
    reserved: Option<&Reservation>,
    participants: &mut ParticipantCollector,
) -> Walk {
    let (meeting, settings) = (&task.meeting, &context.settings);
    let query = |window: MeetingWindow, token: Option<&str>| {
        let meeting_no = meeting.meeting_no.clone();
        let mut request = ParticipantListRequest::new(window.start_s, window.end_s, meeting_no, settings.user_id_type);
        request.webinar_user_role = role;
        request.query(token)
    };
    walk_list(&context.client, Endpoint::ParticipantList, task, context.now_us(), (&query, reserved), |page| {
        let items = parse_items(page.list_json());
        items.iter().for_each(|item| participants.add(item, &meeting.meeting_key, &settings.zone));
    })
    .await
}

pub(super) async fn fetch_quality(
    context: &Context,
    task: &MeetingTask,
    participant: &PendingParticipant,
    reserved: Option<&Reservation>,
) -> UnitResult {
    let settle = context.settings.settle;
    let identity = match &participant.id {
        ParticipantId::User(id) => Identity::User(id.clone()),
        ParticipantId::Room(id) => Identity::Room(id.clone()),
    };
    let query = |window: MeetingWindow, token: Option<&str>| {
        let request = QualityListRequest {
            meeting_start_time: window.start_s,
            meeting_end_time: window.end_s,
            meeting_no: task.meeting.meeting_no.clone(),
            join_time: participant.join_s,
            participant: identity.clone(),
            user_id_type: context.settings.user_id_type,
        };
        request.query(token)
    };
    // The number of minutes matters only while the answer may still grow; else one is enough.
    let now_us = context.now_us();
    let may_grow = now_us < settle.stable_us(task.window.end_us());
    let mut minutes = HashSet::new();
    let endpoint = Endpoint::ParticipantQualityList;
    let walk = walk_list(&context.client, endpoint, task, now_us, (&query, reserved), |page| {
        if may_grow || minutes.is_empty() {
            add_minutes(page.list_json(), &mut minutes);
        }
    })
    .await;
    let (minutes, expected_minutes) = (minutes.len() as u64, participant.expected_minutes);
    let expected = Expected::Quality { minutes, is_counted: may_grow, expected_minutes };
    let earlier = Earlier { status: Some(&participant.status), digest: None, us: participant.last_us };
    UnitResult::new(RawKind::Quality, &participant.base_key, task, walk, expected, earlier, settle)
}
