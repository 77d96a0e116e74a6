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

mod client;
mod endpoint;
mod envelope;
mod error;
mod hooks;
mod host;
mod lane;
mod line;
mod mask;
mod pace;
mod pages;
mod retry;
mod shared_state;
mod sharing;
mod token;
mod verdict;
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

pub use client::{Client, ClientConfig, Page, Rate};
pub use endpoint::{
    ENDPOINTS, Endpoint, EndpointFacts, Identity, MeetingFilter, MeetingListRequest, MeetingStatus, MeetingType,
    PAGE_SIZE, ParticipantListRequest, QualityListRequest, UserIdType, WebinarUserRole,
};
#[doc(hidden)]
pub use envelope::{EnvelopeFacts, read_envelope};
pub use envelope::{List, read_list};
pub use error::{Answer, CallError, ClientError, Fault, Unreachable, Unread, asked_for};
pub use hooks::{Cancel, Event, Gate, Observer, WaitReason};
pub use host::{BaseUrl, BaseUrlError, REGIONS, Region};
pub use mask::{HIDDEN, Mask};
pub use pace::Pacer;
pub use pages::{Next, PageGuard, WalkFault};
pub use retry::Backoff;
pub use token::{Credentials, Secret, TokenInfo, TokenKind};
pub use verdict::{CODES, CodeFact, STOP_CAUSES, SkipClass, StopCause, Verdict, fact_of, verdict};
pub use wire::{Body, Reached};
