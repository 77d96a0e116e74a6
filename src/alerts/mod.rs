//! Alerts: rules over reports, and messages about the rows that match, delivered to people.
//!
//! Owns what a rule may be, which rows match it, what a message says in English and Chinese, and the four kinds of
//! channels. Promises that a condition cannot be more than a condition, that no error contains a secret, that text from
//! outside stays text in a card, and that every attempt to deliver is bounded in time. Leaves out what was sent before
//! and what is pending (`ledger`), and when rules are checked (`commands`).

mod card;
mod channel;
mod compose;
mod condition;
mod deliver;
mod email;
mod error;
mod evaluate;
mod feishu;
mod http;
mod incident;
mod message;
mod pacing;
mod program;
mod render;
mod row;
mod rule;
mod webhook;

pub(crate) use channel::{Channel, ChannelUrl, EmailSettings, Encryption, Target};
pub(crate) use compose::{MessageContext, NewRow, compose};
pub(crate) use deliver::{Attempted, Outgoing, RETRIES, deliver};
pub(crate) use email::parse_address;
pub(crate) use error::{AlertError, DeliveryError};
pub(crate) use evaluate::{Match, evaluate};
#[cfg(test)]
pub(crate) use feishu::bot_codes_markdown;
pub(crate) use message::{FailedRun, Message, failure_message, test_message};
pub(crate) use program::program_output;
pub(crate) use render::plain_text;
pub(crate) use rule::{PreparedRule, Rule};
