//! Identifiers of people that a search of bytes cannot mistake: for tests that show where they are, or that they are
//! gone. None contains another one, and none occurs by chance.

/// What an identifier is of, or where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    Name,
    Email,
    Phone,
    UserId,
    EmployeeId,
    Address,
    Device,
    Topic,
    /// In a field that is documented nowhere: its value, a number, inside an object or a list, or as a key.
    UnknownField,
    /// In a field whose value is of another type, so that it becomes a reject.
    WrongField,
    /// In the text of an error response.
    Refusal,
    /// In an error response that is not JSON.
    ErrorPage,
}

/// An identifier that the tenant's answers contain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identifier {
    pub kind: IdentifierKind,
    /// The bytes to search for, whatever their case. Part of the value, without what may be escaped.
    pub text: String,
}

impl IdentifierKind {
    pub const ALL: &'static [IdentifierKind] = &[
        Self::Name,
        Self::Email,
        Self::Phone,
        Self::UserId,
        Self::EmployeeId,
        Self::Address,
        Self::Device,
        Self::Topic,
        Self::UnknownField,
        Self::WrongField,
        Self::Refusal,
        Self::ErrorPage,
    ];

    /// The text of the identifier with a number below a million. All have the same length.
    pub(crate) fn text(self, number: usize) -> String {
        let letter = match self {
            Self::Name => 'n',
            Self::Email => 'e',
            Self::Phone => return format!("8619099{number:06}"),
            Self::UserId => 'i',
            Self::EmployeeId => 'w',
            Self::Address => 'a',
            Self::Device => 'd',
            Self::Topic => 't',
            Self::UnknownField => 'u',
            Self::WrongField => 'f',
            Self::Refusal => 'r',
            Self::ErrorPage => 'h',
        };
        format!("{MARK}{letter}{number:06}")
    }
}

/// How identifiers of text begin; a letter for the kind follows.
const MARK: &str = "Zqvxj";

/// How many different identifiers the texts of error responses have.
pub(crate) const REFUSAL_TEXTS: usize = 64;
