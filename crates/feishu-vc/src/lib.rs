//! A client of the meeting-quality endpoints of the Feishu/Lark open platform: which meetings ended, who took part, and
//! the quality of each participant's connection minute by minute.
//!
//! It obtains and renews the access token (of a self-built app, of a store app in a tenant, or of a user), stays below
//! the rate limit (also across processes, through a shared file), retries temporary failures, walks all pages of a
//! list, and classifies every documented error code in one table ([`error_codes`]). No error, `Debug` form or event
//! contains a secret or a person's id.
//!
//! The optional endpoints (rooms, alerts, reservations, Feishu's own counts) have a request type each and are called in
//! the same way.
//!
//! It leaves the items of a page as JSON: what a meeting or a metric means is left to the caller.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use feishu_vc::{
//!     Client, ClientConfig, Credentials, Endpoint, Event, Identity, MeetingListRequest, QualityListRequest, Region,
//!     Secret, UserIdType,
//! };
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let credentials = Credentials::App { app_id: "cli_...".into(), app_secret: Secret::new("...") };
//! let config = ClientConfig::new(Region::Feishu.base_url(), credentials);
//! let client = Client::new(config, Arc::new(|event: &Event| eprintln!("{event:?}")))?;
//! client.check_token().await?;
//!
//! // All meetings that ended within a day (Unix seconds).
//! let meetings = MeetingListRequest::new(1_735_689_600, 1_735_776_000, UserIdType::OpenId);
//! let mut pages = client.pages(Endpoint::MeetingList, |page_token| meetings.query(page_token));
//! while let Some(page) = pages.next().await? {
//!     println!("{} meetings: {}", page.item_count, String::from_utf8_lossy(page.list_json()));
//! }
//!
//! // The quality of one participant; the values come from a meeting and from its participant list.
//! let quality = QualityListRequest {
//!     meeting_start_time: 1_735_700_000,
//!     meeting_end_time: 1_735_703_600,
//!     meeting_no: "123456789".into(),
//!     join_time: 1_735_700_060,
//!     participant: Identity::User("ou_...".into()),
//!     user_id_type: UserIdType::OpenId,
//! };
//! let mut pages = client.pages(Endpoint::ParticipantQualityList, |page_token| quality.query(page_token));
//! while let Some(page) = pages.next().await? {
//!     println!("{} minutes", page.item_count);
//! }
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod bearer;
mod body;
mod call_budget;
mod client;
mod config;
mod credentials;
mod effects;
mod endpoint;
mod envelope;
mod error;
pub mod error_codes;
mod error_detail;
mod event;
mod exchange_filter;
mod fault;
mod host;
mod http;
mod lenient;
mod limiter;
mod optional_request;
mod page;
mod pagination;
mod rate;
mod redaction;
mod renewal;
mod request;
mod retry;
mod secret;
mod secret_source;
#[cfg(test)]
mod tests;
mod token;
mod token_request;
mod transport;

pub use body::Body;
pub use call_budget::{CallBudget, Reservation, Unlimited};
pub use client::Client;
pub use config::ClientConfig;
pub use credentials::{Credentials, TokenKind};
pub use effects::{Boxed, Cause, Effects, Exchanged, Machine, NoResponse, RawResponse};
pub use endpoint::Endpoint;
#[doc(hidden)]
pub use envelope::{EnvelopeFacts, read_envelope};
pub use envelope::{InvalidBody, List, read_list};
pub use error::{CallError, ClientError, ErrorResponse, format_wait};
pub use error_codes::{Action, RefusalClass, StopCause};
#[doc(hidden)]
pub use error_detail::MAX_IDENTIFIER_BYTES;
pub use event::{Event, EventListener, WaitReason};
pub use exchange_filter::ExchangeFilter;
pub use fault::{Fault, Unreachable};
pub use host::{BaseUrl, BaseUrlError, Region};
pub use http::ProbeResponse;
pub use optional_request::{
    AlertsRequest, DailyReportRequest, ReservationListRequest, RoomLevelsRequest, RoomsRequest, UserStatsRequest,
};
pub use page::Page;
pub use pagination::{Pages, PaginationError, WalkError};
pub use rate::Rate;
pub use redaction::Redactor;
pub use request::{
    Identity, MeetingFilter, MeetingListRequest, MeetingStatus, MeetingType, PAGE_SIZE, ParticipantListRequest,
    QualityListRequest, Query, UserIdType, WebinarUserRole,
};
pub use retry::Backoff;
pub use secret::Secret;
pub use secret_source::{AppTickets, RefreshTokens, Source, TakenToken, TicketError};
pub use token::TokenInfo;
pub use tokio_util::sync::CancellationToken;
