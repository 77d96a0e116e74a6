//! What a failure is to the person who started the program.
//!
//! Owns the exit codes ([`EXIT_CODES`]), the table of reasons to stop ([`StopReason`]), and [`Failure`], the one type
//! that leaves a command. `input_errors` and `stage_errors` turn each stage's errors into failures; the stages know
//! nothing of it. Promises: a rendered failure reads without colour and contains no secret.

mod alert_errors;
pub(crate) mod causes;
pub(crate) mod exit_code;
mod failure;
mod input_errors;
mod nearest;
mod remote_errors;
pub(crate) mod stage_errors;
pub(crate) mod stop_reason;

pub(crate) use exit_code::EXIT_CODES;
pub use exit_code::ExitCode;
pub(crate) use failure::Failure;
pub(crate) use feishu_vc::Redactor;
pub(crate) use input_errors::replaced_hint;
pub(crate) use nearest::nearest;
pub(crate) use remote_errors::failed_copy_exit;
pub(crate) use stop_reason::StopReason;
