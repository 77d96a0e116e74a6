//! Variations of the JSON.

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// `2022.12.23 11:16:59 (GMT+08:00)`, as documented.
    #[default]
    Text,
    /// The same without the zone.
    Zoneless,
    UnixSeconds,
}

/// How the JSON differs from the documented form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JsonStyle {
    pub times: TimeFormat,
    /// Metrics, counts and unix times as JSON numbers instead of strings.
    pub numbers: bool,
    /// Quality sections without media are `null` instead of absent or `{}`.
    pub null_sections: bool,
    /// Every object has undocumented fields.
    pub extra_fields: bool,
    /// Every id is empty, as if the field scope were missing.
    pub empty_ids: bool,
    /// Quality items in a million with a malformed value; see [`super::Malformation`].
    pub malformed_per_million: u32,
}
