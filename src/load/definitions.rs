//! Definitions that every published database carries: views and macros, written elsewhere and installed here.

/// A piece of SQL that defines something in the database: a file of views, or the macro of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What it is called in an error.
    pub name: String,
    /// Its statements.
    pub sql: String,
}
