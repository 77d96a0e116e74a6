//! `vcq-etl sync`: its arguments.

use clap::{Args, Command, FromArgMatches, ValueEnum};

use super::Example;
use super::window::{self, Window, WindowError};
use crate::pipeline::Summary;
use crate::progress::summary_text;
use crate::schema::TenantZone;

/// The form of the closing summary on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SummaryForm {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

impl SummaryForm {
    /// Renders a summary.
    pub fn render(self, summary: &Summary) -> String {
        match self {
            SummaryForm::Text => summary_text(summary),
            SummaryForm::Json => {
                // Numbers, texts and maps with text keys always have a JSON form.
                let object = serde_json::to_string(summary).expect("a summary is plain values");
                object + "\n"
            }
        }
    }

    /// The form to print: the one asked for, else text; with `--quiet` nothing that was not asked for.
    pub fn wanted(asked_for: Option<SummaryForm>, quiet: bool) -> Option<SummaryForm> {
        asked_for.or((!quiet).then_some(SummaryForm::Text))
    }
}

/// What to sync.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct SyncArgs {
    /// Start of the window: 2d, 36h, yesterday, 2026-11-01 or RFC 3339.
    ///
    /// A meeting belongs to the window if its start does. Days are those of the tenant's time zone.
    #[arg(long, value_name = "WHEN")]
    pub since: String,

    /// End of the window, exclusive [default: now].
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,

    /// Ask for everything in the window again, also for what is final.
    #[arg(long)]
    pub refetch: bool,

    /// Only meetings with this number of nine digits; can be given several times.
    #[arg(long, value_name = "N", num_args = 1.., value_parser = meeting_no)]
    pub meeting_no: Vec<String>,

    /// Stop after so many calls to the three lists, and go on with the next run.
    #[arg(long, value_name = "N")]
    pub max_calls: Option<u64>,

    /// Stop at this time on the tenant's clock, and go on with the next run.
    #[arg(long, value_name = "HH:MM")]
    pub finish_by: Option<String>,

    /// Form of the closing summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORM")]
    pub summary: Option<SummaryForm>,
}

impl SyncArgs {
    /// Takes the arguments from what clap matched.
    pub fn of(matches: &clap::ArgMatches) -> SyncArgs {
        SyncArgs::from_arg_matches(matches).expect("clap has checked these matches against the same arguments")
    }

    /// The window.
    ///
    /// # Errors
    /// Where it is none.
    pub fn window(&self, zone: &TenantZone, now_us: i64) -> Result<Window, WindowError> {
        Window::parse(&self.since, self.until.as_deref(), zone, now_us)
    }

    /// When to stop, microseconds UTC.
    ///
    /// # Errors
    /// Where it is no time of day.
    pub fn finish_by_us(&self, zone: &TenantZone, now_us: i64) -> Result<Option<i64>, WindowError> {
        self.finish_by.as_deref().map(|text| window::finish_by(text, zone, now_us)).transpose()
    }
}

/// Examples.
pub const EXAMPLES: &[Example] = &[
    ("vcq-etl sync --since 2d", "every night"),
    ("vcq-etl sync --since 2026-11-01 --until 2026-12-01 --finish-by 06:30", ""),
    ("vcq-etl sync --since 1d --summary json | jq .samples", ""),
];

/// The command.
pub fn command() -> Command {
    let command =
        Command::new("sync").about("Ask the vendor for a window of meetings and publish what it answers").long_about(
            "Ask the vendor for the ended meetings of a window, their participants and their quality, and publish the \
             answers as Parquet and DuckDB. What is final is never asked for again; a run that stops early is gone on \
             with by the next one.",
        );
    SyncArgs::augment_args(command)
}

fn meeting_no(text: &str) -> Result<String, String> {
    if text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("a meeting number has nine digits".to_owned())
    }
}
