//! `status`: how a store stands.

mod calls_used;
mod coverage;
mod read;
mod setup;
mod view;

pub(crate) use coverage::{Coverage, Newest, Reason};
pub(crate) use read::status;
pub(crate) use setup::{Days, StatusSetup};
pub(crate) use view::{LastComplete, OpenView, Part, PendingView, PersonalView, ProfileView, RunView, StatusView};

#[cfg(test)]
pub(crate) use {
    calls_used::CallsUsed,
    coverage::CoverageDay,
    view::{PublishedView, Size},
};
