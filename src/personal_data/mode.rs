//! The settings `identity` and `topics`.

/// What is written about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub(crate) enum Identity {
    /// Everything that Feishu sends.
    #[default]
    Full,
    /// Tokens in place of values, and addresses cut to their network.
    Pseudonym,
    /// As `Pseudonym`, but nothing in place of names, e-mail addresses, phone numbers and devices.
    None,
}

/// What is written of topics, which may contain names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub(crate) enum Topics {
    #[default]
    Keep,
    Drop,
}

impl Identity {
    pub(crate) const ALL: &'static [Identity] = &[Identity::Full, Identity::Pseudonym, Identity::None];

    /// The value of the setting.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Identity::Full => "full",
            Identity::Pseudonym => "pseudonym",
            Identity::None => "none",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Identity> {
        Identity::ALL.iter().copied().find(|identity| identity.name() == text)
    }
}

impl Topics {
    pub(crate) const ALL: &'static [Topics] = &[Topics::Keep, Topics::Drop];

    /// The value of the setting.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Topics::Keep => "keep",
            Topics::Drop => "drop",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Topics> {
        Topics::ALL.iter().copied().find(|topics| topics.name() == text)
    }
}
