//! Errors of rules, and of deliveries. None of them contains a secret: an address is named by its host only.

use std::time::Duration;

use crate::report::ReportError;

/// A rule that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AlertError {
    #[error("rule {rule}")]
    Report { rule: String, source: Box<ReportError> },
    #[error("rule {rule}: {key:?} is neither a key of a rule nor a parameter of the report {report}")]
    UnknownKey { rule: String, key: String, report: String, known: Vec<String> },
    #[error("rule {rule}: the report {report} has no parameter {key}")]
    NoWindow { rule: String, report: String, key: String },
    #[error("rule {rule}: where names {column:?}, which is not a column of its report")]
    UnknownColumn { rule: String, column: String, known: Vec<String> },
    #[error("rule {rule}: where {problem}")]
    Condition { rule: String, problem: String },
    #[error("rule {rule}: there is no channel {channel:?}")]
    UnknownChannel { rule: String, channel: String, known: Vec<String> },
    #[error("there is no channel {channel:?}")]
    NoChannel { channel: String, known: Vec<String> },
}

/// Why a message was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeliveryError {
    #[error("{host} could not be reached: {why}")]
    Unreachable { host: String, why: String },
    #[error("{place} did not answer within {} s", limit.as_secs())]
    TimedOut { place: String, limit: Duration },
    #[error("{host} redirects to {}, which is not followed", to.as_deref().unwrap_or("another address"))]
    Redirected { host: String, to: Option<String> },
    #[error("{host} answered HTTP {status}")]
    Status { host: String, status: u16 },
    #[error("{host} sent an answer of more than {limit_bytes} bytes")]
    TooLarge { host: String, limit_bytes: usize },
    #[error("the answer of {host} (HTTP {status}) does not come from a Feishu bot")]
    NotABot { host: String, status: u16 },
    /// `hint` is empty for a code that is not in the table.
    #[error("the Feishu bot refused the message: code {code}, {text}")]
    Refused { code: i64, text: String, hint: &'static str, is_temporary: bool },
    #[error("{host} did not accept the e-mail: {why}")]
    Mail { host: String, why: String, is_temporary: bool },
    #[error("the program {program} {why}")]
    Program { program: String, why: String },
    #[error("the channel cannot be used: {why}")]
    Setup { why: String },
}

impl DeliveryError {
    /// Whether another attempt within seconds may succeed.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            DeliveryError::Unreachable { .. } | DeliveryError::TimedOut { .. } => true,
            DeliveryError::Status { status, .. } | DeliveryError::NotABot { status, .. } => {
                *status == 429 || *status >= 500
            }
            DeliveryError::Refused { is_temporary, .. } | DeliveryError::Mail { is_temporary, .. } => *is_temporary,
            DeliveryError::Redirected { .. }
            | DeliveryError::TooLarge { .. }
            | DeliveryError::Program { .. }
            | DeliveryError::Setup { .. } => false,
        }
    }

    /// What to do; empty if there is nothing to say.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            DeliveryError::Refused { hint, .. } => hint,
            DeliveryError::Unreachable { .. } | DeliveryError::TimedOut { .. } => {
                "check the network, any proxy or firewall, and the address of the channel"
            }
            DeliveryError::Redirected { .. } => "set the address to which it redirects, if it is the right one",
            DeliveryError::NotABot { .. } => "check the URL of the bot, and for a proxy or sign-in page",
            _ => "",
        }
    }
}
