//! Feishu's behaviour over HTTP.
//!
//! Only `handler`, `listener` and `running` touch the clock and the network; everything else decides with the time as
//! an argument.

mod answers;
mod api_error;
mod endpoint;
mod faults;
mod grants;
mod handler;
mod in_process;
pub(crate) mod json;
mod listener;
mod lists;
mod optional_lists;
mod optional_query;
mod options;
mod pagination;
mod query;
mod rate_limit;
mod reply;
mod running;
mod stats;
mod tokens;

pub use answers::Answer;
use api_error::ApiError;
pub use endpoint::{Endpoint, LIST_ENDPOINTS, OPTIONAL_ENDPOINTS, TOKEN_ENDPOINTS};
pub use faults::{FAULT_NAMES, Fault, FaultError, FaultKind, Trigger};
pub use in_process::{InProcess, Incoming, Served};
pub use json::{JsonStyle, MALFORMATIONS, Malformation, TimeFormat, count_malformed};
pub use options::{LongMeetings, MeetingFilter, Options, ReportDays, StoreApp};
pub use query::Params;
pub use rate_limit::{Limit, WindowKind};
pub use running::{RunningServer, SimulatorError, TENANT_KEY, serve, serve_tenants};
pub use stats::{Call, Outcome, Stats};
