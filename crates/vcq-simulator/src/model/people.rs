//! The tenant's employees: what belongs to a person whatever the day.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HomeNetwork {
    Cable,
    GoodWifi,
    CrowdedWifi,
    BadWifi,
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) department: usize,
    pub(crate) building: usize,
    pub(crate) floor: u8,
    pub(crate) desk: u8,
    pub(crate) desk_cable: bool,
    pub(crate) home: HomeNetwork,
    pub(crate) home_ip: [u8; 4],
    pub(crate) home_location: &'static str,
    pub(crate) computer: &'static str,
    pub(crate) overloaded: bool,
    pub(crate) phone: &'static str,
    pub(crate) app_version: &'static str,
    pub(crate) headset: (&'static str, &'static str),
    pub(crate) camera: &'static str,
    pub(crate) vpn: bool,
    pub(crate) home_probability: f64,
    pub(crate) camera_probability: f64,
    /// Share of the minutes in which the person speaks.
    pub(crate) speaking_share: f64,
    /// As Feishu masks it.
    pub(crate) masked_phone: String,
}
