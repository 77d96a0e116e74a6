//! The wire to the vendor: everything that is known about talking to the Feishu/Lark open platform, and nothing about
//! what the answers mean.
//!
//! Owns the three list endpoints as data, the tenant token, the pacing ahead of the limit, one table from vendor code
//! to what to do, the retries, the call budget that the processes of an app share, and the guard against endless pages. Promises that a [`Client::call`] ends in one of
//! few ways, each with what was asked, of which host, and the vendor's log id; that no limit of the vendor is overrun
//! by our own doing; and that no secret and no person's id is in an error's text or its `Debug` form.
//!
//! Deliberately absent: what a meeting or a metric is, any disk but the file of that budget, any word to the user, and the exit code of a run.
//! Nothing of ours outside this folder is used here.

mod call_budget;
mod client;
mod endpoint;
mod envelope;
mod error;
pub mod error_codes;
mod event;
mod host;
mod lane;
mod line;
mod pace;
mod pages;
mod redaction;
mod retry;
mod shared_state;
mod sharing;
mod token;
mod wire;

#[cfg(test)]
mod cancel_tests;
#[cfg(test)]
mod client_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod script;
#[cfg(test)]
mod sharing_tests;
#[cfg(test)]
mod token_tests;

pub use call_budget::{CallBudget, Unlimited};
pub use client::{Client, ClientConfig, Page, Rate};
pub use endpoint::{
    ENDPOINTS, Endpoint, EndpointInfo, Identity, MeetingFilter, MeetingListRequest, MeetingStatus, MeetingType,
    PAGE_SIZE, ParticipantListRequest, QualityListRequest, UserIdType, WebinarUserRole,
};
#[doc(hidden)]
pub use envelope::{EnvelopeFacts, read_envelope};
pub use envelope::{List, read_list};
pub use error::{CallError, ClientError, ErrorResponse, Fault, InvalidBody, Unreachable, format_wait};
pub use error_codes::{Action, RefusalClass, StopCause};
pub use event::{Event, EventListener, WaitReason};
pub use host::{BaseUrl, BaseUrlError, REGIONS, Region};
pub use pace::Pacer;
pub use pages::{Next, PageGuard, PaginationError};
pub use redaction::{REDACTED, Redactor};
pub use retry::Backoff;
pub use token::{Credentials, Secret, TokenInfo, TokenKind};
pub use tokio_util::sync::CancellationToken;
pub use wire::{Body, ProbeResponse};
