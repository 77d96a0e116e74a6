//! `vcq-etl simulate`: its arguments.

use clap::{Args, Command, FromArgMatches};

use super::Example;

/// Examples.
pub const EXAMPLES: &[Example] = &[("vcq-etl simulate --port 8600", "a tenant to try settings on")];

/// What to serve.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct SimulateArgs {
    /// Port on loopback; 0 takes any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,

    /// Which made-up tenant: the same number gives the same people and the same bad days.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

impl SimulateArgs {
    /// Takes the arguments from what clap matched.
    pub fn of(matches: &clap::ArgMatches) -> SimulateArgs {
        SimulateArgs::from_arg_matches(matches).expect("clap has checked these matches against the same arguments")
    }
}

/// The command.
pub fn command() -> Command {
    let command = Command::new("simulate").about("Serve a made-up tenant on this machine until stopped").long_about(
        "Serve a made-up tenant on loopback until stopped, and print its address and the export lines that point \
             vcq-etl at it.",
    );
    SimulateArgs::augment_args(command)
}
