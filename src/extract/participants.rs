//! Fetches the participant list of a meeting.

use std::collections::HashSet;

use super::finality::ReceivedAnswer;
use super::items::{as_item, parse_items};
use super::settings::Context;
use super::task::MeetingTask;
use super::unit_result::{Earlier, Interrupted, UnitResult};
use super::walk::{Outcome, Walk, walk_list};
use super::window::MeetingWindow;
use crate::raw_log::RawKind;
use crate::schema::identity::ParticipantIdentity;
use feishu_vc::{Endpoint, ParticipantListRequest, WebinarUserRole};

/// The participants of a list, without duplicates.
#[derive(Default)]
struct Listed {
    participants: Vec<ParticipantIdentity>,
    keys: HashSet<String>,
}

/// A webinar's audience is fetched with a second query. A list without its audience is published as far as it goes; its
/// status says what is missing.
pub(super) async fn fetch_participants(context: &Context, task: &MeetingTask) -> Result<UnitResult, Interrupted> {
    let meeting = &task.meeting;
    let mut listed = Listed::default();
    let mut walk = walk_role(context, task, None, &mut listed).await;
    let panel_is_complete = matches!(walk.outcome, Outcome::Complete) && meeting.is_webinar;
    if panel_is_complete {
        walk = walk.then(walk_role(context, task, Some(WebinarUserRole::Audience), &mut listed).await);
    }
    let earlier =
        Earlier { status: meeting.list_status.as_deref(), digest: meeting.list_digest.as_deref(), us: meeting.list_us };
    let stop = walk.stop.take();
    let settle = context.settings.settle;
    let is_final = |answer: &ReceivedAnswer<'_>| settle.list_is_final(answer);
    let mut result = UnitResult::new(RawKind::Participants, &meeting.meeting_key, task, walk, None, earlier, is_final);
    if !result.end.whole && panel_is_complete {
        result.end.whole = true;
        result.end.reason = format!("the webinar's audience could not be listed: {}", result.end.reason);
    }
    if result.end.whole {
        result.participants = listed.participants;
    }
    match stop {
        Some(stop) => Err(Interrupted::new(stop, result)),
        None => Ok(result),
    }
}

async fn walk_role(context: &Context, task: &MeetingTask, role: Option<WebinarUserRole>, listed: &mut Listed) -> Walk {
    let (meeting, settings) = (&task.meeting, &context.settings);
    let query = |window: MeetingWindow, token: Option<&str>| {
        let meeting_no = meeting.meeting_no.clone();
        let mut request = ParticipantListRequest::new(window.start_s, window.end_s, meeting_no, settings.user_id_type);
        request.webinar_user_role = role;
        request.query(token)
    };
    walk_list(&context.client, Endpoint::ParticipantList, task, context.now_us(), &query, |page| {
        for item in parse_items(page.list_json()) {
            let identity = ParticipantIdentity::from_item(as_item(&item), &meeting.meeting_key, &settings.zone);
            if listed.keys.insert(identity.base_key.clone()) {
                listed.participants.push(identity);
            }
        }
    })
    .await
}
