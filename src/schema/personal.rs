//! What is personal in a column.

/// What a personal value is. It decides how `personal_data` replaces the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Personal {
    /// An ID of a person, of any kind.
    Id,
    Name,
    Email,
    Phone,
    /// The name of a person's device, which may contain the person's name.
    Device,
    /// An IP address.
    Address,
    /// Free text about a meeting, which may contain names.
    Topic,
}

impl Personal {
    #[cfg(test)]
    pub(crate) const ALL: &'static [Personal] = &[
        Personal::Id,
        Personal::Name,
        Personal::Email,
        Personal::Phone,
        Personal::Device,
        Personal::Address,
        Personal::Topic,
    ];

    /// The word in the data dictionary.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Personal::Id => "id",
            Personal::Name => "name",
            Personal::Email => "email",
            Personal::Phone => "phone",
            Personal::Device => "device",
            Personal::Address => "address",
            Personal::Topic => "topic",
        }
    }
}
