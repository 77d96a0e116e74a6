//! `vcq-etl demo`: its arguments.

use clap::{Args, Command, FromArgMatches};

use super::Example;
use super::sync::SummaryForm;

/// Where the demo keeps its data where no store is named.
pub const DEFAULT_STORE: &str = "./vcq-demo";

/// How to show the demo.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct DemoArgs {
    /// Which made-up tenant: the same number gives the same people and the same bad days.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Form of the closing summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORM")]
    pub summary: Option<SummaryForm>,
}

impl DemoArgs {
    /// Takes the arguments from what clap matched.
    pub fn of(matches: &clap::ArgMatches) -> DemoArgs {
        DemoArgs::from_arg_matches(matches).expect("clap has checked these matches against the same arguments")
    }
}

/// Examples.
pub const EXAMPLES: &[Example] = &[("vcq-etl demo", "see it work, without an account")];

/// The command.
pub fn command() -> Command {
    let command =
        Command::new("demo").about("Sync a made-up tenant on this machine and show a report").long_about(format!(
            "Serve a made-up tenant on loopback, sync it for real over HTTP and show a first report. Needs no account. \
             The data goes to {DEFAULT_STORE} unless --store says otherwise."
        ));
    DemoArgs::augment_args(command)
}
