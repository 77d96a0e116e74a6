//! The app ticket of a store app: in a file, or printed by a command. Feishu pushes a new one every hour to a program
//! of the operator, so it is read again for every access token.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use feishu_vc::{AppTickets, Boxed, Cause, Secret, TicketError};

use super::error::ConfigError;
use super::secret_file;
use crate::alerts::program_output;

/// A command that takes longer is stopped.
const TIMEOUT: Duration = Duration::from_secs(10);
/// In messages about what a command prints.
const PRINTED: &str = "the output of app_ticket_command";

#[derive(Debug, Clone)]
pub(super) enum AppTicket {
    File {
        /// The setting that names it.
        place: String,
        path: PathBuf,
    },
    /// A shell command.
    Command { command: String },
}

impl AppTicket {
    /// Returns an error if the file cannot hold a secret. That it is missing is none: a ticket may come.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self {
            AppTicket::File { place, path } => match secret_file::read(place, path) {
                Err(error) if !is_missing(&error) => Err(error),
                _ => Ok(()),
            },
            AppTicket::Command { .. } => Ok(()),
        }
    }

    fn read(&self) -> Result<Secret, TicketError> {
        let error = match self {
            AppTicket::File { place, path } => match secret_file::read(place, path) {
                Ok(ticket) => return Ok(ticket),
                Err(error) => error,
            },
            AppTicket::Command { command } => {
                let arguments = ["sh", "-c", command].map(str::to_owned);
                let printed =
                    program_output(&arguments, TIMEOUT).map_err(|error| TicketError::Missing(error.into()))?;
                let printed = printed.trim();
                if printed.is_empty() {
                    return Err(TicketError::Missing(format!("{PRINTED} is empty").into()));
                }
                match secret_file::check_text(PRINTED, printed) {
                    Ok(()) => return Ok(Secret::new(printed)),
                    Err(error) => error,
                }
            }
        };
        let is_missing = is_missing(&error);
        let cause: Cause = error.into();
        Err(if is_missing { TicketError::Missing(cause) } else { TicketError::Unusable(cause) })
    }
}

fn is_missing(error: &ConfigError) -> bool {
    match error {
        ConfigError::EmptySecretFile { .. } => true,
        ConfigError::ReadSecret { source, .. } => source.kind() == ErrorKind::NotFound,
        _ => false,
    }
}

impl AppTickets for AppTicket {
    fn newest(&self) -> Boxed<'_, Result<Secret, TicketError>> {
        let ticket = self.clone();
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || ticket.read()).await;
            read.unwrap_or_else(|error| Err(TicketError::Unusable(error.into())))
        })
    }
}
