//! Planted losses: the lists lack exactly what `Tenant::losses` names, and the counts include it.

use std::collections::BTreeSet;

use super::client::{Client, fast, unix};
use crate::{Endpoint, Loss, LossKind, Options, TenantSpec};

/// Meeting, user, room and join time of every row; samples in all.
#[derive(Default)]
struct Held {
    meetings: BTreeSet<String>,
    rows: BTreeSet<(String, String, String, String)>,
    samples: u64,
}

impl Client {
    async fn hold_everything(&self) -> Held {
        let mut held = Held::default();
        for meeting in self.meetings().await {
            let text = |field: &str| meeting[field].as_str().expect("text").to_owned();
            let (start, number) = (unix(&meeting["meeting_start_time"]), text("meeting_id"));
            let end: i64 = unix(&meeting["meeting_end_time"]).parse().expect("seconds");
            let end = end.min(start.parse::<i64>().expect("seconds") + 86_400).to_string();
            let window =
                [("meeting_start_time", start.as_str()), ("meeting_end_time", &end), ("meeting_no", number.as_str())];
            let roles: &[&str] = if meeting["meeting_subtype"] == 8 { &["0", "3"] } else { &["0"] };
            for role in roles {
                let query = [&window[..], &[("webinar_user_role", role)]].concat();
                for row in self.walk(Endpoint::ParticipantList, &query).await {
                    let of_row = |field: &str| row[field].as_str().expect("text").to_owned();
                    let (user, room, join) = (of_row("user_id"), of_row("meeting_room_id"), unix(&row["join_time"]));
                    let id = if user.is_empty() { ("room_id", &room) } else { ("user_id", &user) };
                    let query =
                        [&window[..], &[(id.0, id.1.as_str()), ("join_time", &join), ("page_size", "100")]].concat();
                    if !id.1.is_empty() && self.get(Endpoint::ParticipantQualityList, &query).await.code() == 0 {
                        held.samples += self.walk(Endpoint::ParticipantQualityList, &query).await.len() as u64;
                    }
                    // Participants without an ID are distinguished by name.
                    let user = if user.is_empty() { of_row("participant_name") } else { user };
                    held.rows.insert((text("meeting_instance_id"), user, room, join));
                }
            }
            held.meetings.insert(text("meeting_instance_id"));
        }
        held
    }
}

/// Without a meeting of over a day, whose samples would be most of all.
fn two_days() -> TenantSpec {
    TenantSpec { days: 2, people: 16, meetings_per_day: 16, unusual_meetings: false, ..TenantSpec::default() }
}

#[tokio::test]
async fn the_lists_lack_exactly_what_is_named() {
    let client = Client::new(&two_days(), fast()).await;
    let spec = client.server.tenant().spec().clone();
    let options = client.set_clock(spec.end(), fast());
    let all = client.hold_everything().await;
    let (start, end) = (spec.start().to_string(), spec.end().to_string());
    let report = [("start_time", start.as_str()), ("end_time", &end)];
    let counted = client.get(Endpoint::CensusDaily, &report).await.text;
    let losses = "meetings=10%,participants=10%,minutes=10%".parse().expect("shares");
    client.server.set_options(Options { losses, ..options });
    let kept = client.hold_everything().await;
    let named = client.server.tenant().losses(&losses);
    let of = |kind: LossKind| named.iter().filter(move |loss| loss.kind == kind);
    let meetings = of(LossKind::Meeting).map(|loss| loss.meeting_instance_id.clone()).collect::<BTreeSet<_>>();
    assert!(!meetings.is_empty() && all.meetings.difference(&kept.meetings).eq(&meetings));
    let gone: BTreeSet<_> = all.rows.difference(&kept.rows).filter(|row| !meetings.contains(&row.0)).collect();
    let key = |loss: &Loss| (loss.meeting_instance_id.clone(), loss.user.clone(), loss.room.clone());
    let participants: BTreeSet<_> =
        of(LossKind::Participant).filter(|loss| !loss.user.is_empty() || !loss.room.is_empty()).map(key).collect();
    let named_rows = |row: &&&(String, String, String, String)| {
        let user = if row.2.is_empty() { row.1.clone() } else { String::new() };
        participants.contains(&(row.0.clone(), user, row.2.clone()))
    };
    assert!(!participants.is_empty());
    assert_eq!(
        gone.iter().filter(named_rows).map(|row| (&row.0, &row.1)).collect::<BTreeSet<_>>().len(),
        participants.len()
    );
    let without_id = of(LossKind::Participant).count() - participants.len();
    assert_eq!(gone.iter().filter(|row| !named_rows(row)).count(), without_id);
    // What is lost with its meeting or participant is not named as minutes.
    let tenant = client.server.tenant();
    let mut expected = 0;
    for meeting in tenant.meetings.iter().filter(|one| kept.meetings.contains(&one.instance_id.to_string())) {
        let rows = tenant.sessions_of(meeting).iter();
        let rows = rows.filter(|row| !losses.loses_participant(spec.seed, meeting, row.identity));
        expected += rows.map(|row| meeting.sample_count(row) as u64).sum::<u64>();
    }
    let minutes: i64 = of(LossKind::Minutes).map(|loss| loss.minutes).sum();
    assert!(minutes > 0);
    assert_eq!(kept.samples, expected - minutes as u64);
    assert_eq!(client.get(Endpoint::CensusDaily, &report).await.text, counted, "Feishu counts what is lost");
}

#[tokio::test]
async fn the_count_of_a_meeting_includes_its_lost_participants() {
    let client = Client::new(&two_days(), fast()).await;
    let count = |meetings: &[serde_json::Value]| {
        meetings.iter().map(|meeting| meeting["number_of_participants"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let before = count(&client.meetings().await);
    client.server.set_options(Options { losses: "participants=30%".parse().expect("shares"), ..fast() });
    assert_eq!(count(&client.meetings().await), before);
}
