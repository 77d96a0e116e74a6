//! Fetches a unit: the participant list of a meeting, or the quality data of a participant.

use std::collections::HashSet;

use super::items::{add_minutes, as_item, parse_items};
use super::settings::Context;
use super::task::MeetingTask;
use super::unit_result::{Earlier, UnitResult};
use super::walk::{Outcome, Walk, walk_list};
use super::window::MeetingWindow;
use crate::ledger::PendingParticipant;
use crate::raw_log::RawKind;
use crate::schema::identity::{ParticipantId, ParticipantIdentity};
use feishu_vc::{Endpoint, Identity, ParticipantListRequest, QualityListRequest, Reservation, WebinarUserRole};

/// A webinar's audience is fetched with a second query. A list without its audience is published as far as it goes; its
/// status shows what is missing.
pub(super) async fn fetch_participants(
    context: &Context,
    task: &MeetingTask,
    reserved: Option<&Reservation>,
) -> UnitResult {
    let meeting = &task.meeting;
    let mut participants = Vec::new();
    let mut walk = walk_role(context, task, None, reserved, &mut participants).await;
    let panel_is_complete = matches!(walk.outcome, Outcome::Complete) && meeting.is_webinar;
    if panel_is_complete {
        walk = walk.then(walk_role(context, task, Some(WebinarUserRole::Audience), reserved, &mut participants).await);
    }
    let earlier =
        Earlier { status: meeting.list_status.as_deref(), digest: meeting.list_digest.as_deref(), us: meeting.list_us };
    let settle = context.settings.settle;
    let mut result =
        UnitResult::new(RawKind::Participants, &meeting.meeting_key, task, walk, None, earlier, |answer| {
            settle.list_is_final(answer)
        });
    if !result.end.whole && panel_is_complete {
        result.end.whole = true;
        result.end.reason = format!("the webinar's audience could not be listed: {}", result.end.reason);
    }
    if result.end.whole {
        let mut keys = HashSet::new();
        participants.retain(|participant| keys.insert(participant.base_key.clone()));
        result.participants = participants;
    }
    result
}

async fn walk_role(
    context: &Context,
    task: &MeetingTask,
    role: Option<WebinarUserRole>,
    reserved: Option<&Reservation>,
    participants: &mut Vec<ParticipantIdentity>,
) -> Walk {
    let (meeting, settings) = (&task.meeting, &context.settings);
    let query = |window: MeetingWindow, token: Option<&str>| {
        let meeting_no = meeting.meeting_no.clone();
        let mut request = ParticipantListRequest::new(window.start_s, window.end_s, meeting_no, settings.user_id_type);
        request.webinar_user_role = role;
        request.query(token)
    };
    walk_list(&context.client, Endpoint::ParticipantList, task, context.now_us(), (&query, reserved), |page| {
        participants.extend(
            parse_items(page.list_json())
                .iter()
                .map(|item| ParticipantIdentity::from_item(as_item(item), &meeting.meeting_key, &settings.zone)),
        );
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
    // The number of minutes matters only while the answer may still grow.
    let now_us = context.now_us();
    let may_grow = now_us < settle.stable_us(task.window.end_us());
    let mut minutes = HashSet::new();
    let endpoint = Endpoint::ParticipantQualityList;
    let walk = walk_list(&context.client, endpoint, task, now_us, (&query, reserved), |page| {
        if may_grow {
            add_minutes(page.list_json(), &mut minutes);
        }
    })
    .await;
    let samples = may_grow.then_some(minutes.len() as u64);
    let earlier =
        Earlier { status: Some(&participant.status), digest: participant.digest.as_deref(), us: participant.last_us };
    UnitResult::new(RawKind::Quality, &participant.base_key, task, walk, samples, earlier, |answer| {
        settle.quality_is_final(answer, participant.expected_minutes)
    })
}
