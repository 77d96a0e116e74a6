//! Fetches the quality data of a participant.

use std::collections::HashSet;

use super::finality::ReceivedAnswer;
use super::items::add_minutes;
use super::settings::Context;
use super::task::MeetingTask;
use super::unit_result::{Earlier, Interrupted, UnitResult};
use super::walk::walk_list;
use super::window::MeetingWindow;
use crate::ledger::PendingParticipant;
use crate::raw_log::RawKind;
use crate::schema::identity::ParticipantId;
use feishu_vc::{Endpoint, Identity, QualityListRequest};

pub(super) async fn fetch_quality(
    context: &Context,
    task: &MeetingTask,
    participant: &PendingParticipant,
) -> Result<UnitResult, Interrupted> {
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
    let mut walk = walk_list(&context.client, endpoint, task, now_us, &query, |page| {
        if may_grow {
            add_minutes(page.list_json(), &mut minutes);
        }
    })
    .await;
    let stop = walk.stop.take();
    let samples = may_grow.then_some(minutes.len() as u64);
    let earlier =
        Earlier { status: Some(&participant.status), digest: participant.digest.as_deref(), us: participant.last_us };
    let is_final = |answer: &ReceivedAnswer<'_>| settle.quality_is_final(answer, participant.expected_minutes);
    let result = UnitResult::new(RawKind::Quality, &participant.base_key, task, walk, samples, earlier, is_final);
    match stop {
        Some(stop) => Err(Interrupted::new(stop, result)),
        None => Ok(result),
    }
}
