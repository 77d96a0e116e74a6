//! Makes the meetings of events known: in the raw log first, then in the ledger.
//!
//! A meeting that the ledger knows already stays as it is: the meeting list says more about it than an event.

use std::collections::BTreeMap;

use serde_json::value::to_raw_value;

use super::super::meeting_item::{ListReader, Listed, ListedMeeting};
use super::super::settings::Context;
use super::super::stop::Stop;
use super::super::writer::{Checkpoint, WriteError};
use super::read::{ENDPOINT, MeetingEvent};
use crate::ledger::{Change, EVENT_DIGEST_PREFIX};
use crate::raw_log::{Header, PageRecord, RAW_VERSION, RawKind, WalkEnd};
use crate::schema::{Status, TimeWindow, civil_date_text, utc_text};

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImportedEvents {
    /// Meetings that were unknown.
    pub new: u64,
    /// Meetings that were known from the meeting list or from earlier events.
    pub known: u64,
}

/// Imports the events of the run. The error is one of the disk.
pub(in crate::extract) async fn import_events(context: &Context) -> Result<ImportedEvents, Stop> {
    let zone = &context.settings.zone;
    let mut by_day: BTreeMap<i32, Vec<&MeetingEvent>> = BTreeMap::new();
    for event in &context.settings.events {
        by_day.entry(zone.day_of(event.start_us)).or_default().push(event);
    }
    let mut imported = ImportedEvents::default();
    for (day, events) in by_day {
        let requested_us = context.now_us();
        let mut reader = ListReader::new(zone, TimeWindow::ALL);
        let (mut pages, mut changes) = (Vec::new(), Vec::new());
        for event in events {
            let replaced = context
                .settings
                .identities
                .as_ref()
                .map(|identities| event.changed(|raw| identities.rewrite_event(raw, day)));
            let event = replaced.as_ref().unwrap_or(event);
            let listed = reader.item(&event.item, context.ledger()).map_err(WriteError::from)?;
            let Listed::Meeting(meeting) = listed else { continue };
            if context.ledger().item_digest(&meeting.key).map_err(WriteError::from)?.is_some() {
                imported.known += 1;
                continue;
            }
            imported.new += 1;
            changes.push(change(meeting));
            pages.push(record(event, requested_us));
        }
        if pages.is_empty() {
            continue;
        }
        changes.push(Change::Dirty { meeting_date: day });
        let end = WalkEnd {
            whole: true,
            is_final: true,
            items: pages.len() as u64,
            ..WalkEnd::new(Status::Complete, "all events read".to_owned(), None, None)
        };
        let header = Header {
            v: RAW_VERSION,
            run_id: context.settings.run_id.clone(),
            kind: RawKind::Events,
            unit: civil_date_text(day),
            requested_us,
            window_us: None,
            known: reader.take_noted(),
            end: Some(end),
            bytes: 0,
        };
        context.writer.write(Checkpoint { header, dates: vec![day], pages, changes }).await?;
    }
    Ok(imported)
}

/// What the ledger learns from an event. The digest differs from that of every item of a list, so that the list that
/// returns the meeting replaces it.
pub(in crate::extract) fn change(meeting: ListedMeeting) -> Change {
    Change::Meeting {
        key: meeting.key,
        identity: meeting.identity,
        devices: meeting.devices,
        item_digest: format!("{EVENT_DIGEST_PREFIX}{}", meeting.item_digest),
    }
}

fn record(event: &MeetingEvent, requested_us: i64) -> PageRecord {
    PageRecord {
        record: "page".into(),
        endpoint: ENDPOINT.into(),
        request: serde_json::Map::new(),
        requested_utc: utc_text(requested_us),
        elapsed_ms: 0,
        http_status: 0,
        log_id: None,
        response: to_raw_value(&event.raw).ok(),
        response_text: None,
    }
}
