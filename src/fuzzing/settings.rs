//! User input: durations, sizes, zones, windows and addresses.

use std::collections::BTreeMap;

use crate::cli::window::{Window, finish_by};
use crate::config::{ByteSize, Config, Sources, duration};
use crate::schema::TenantZone;
use feishu_vc::BaseUrl;

/// 2026-11-23 12:00 UTC.
const NOW_US: i64 = 1_795_435_200_000_000;
/// No message may contain this.
const PASSWORD: &str = "Zq9-hunter2-Zq9";

pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = (duration(&text), ByteSize::parse(&text));
    let zones =
        [TenantZone::parse("+08:00").ok(), TenantZone::parse("America/St_Johns").ok(), TenantZone::parse(&text).ok()];
    for zone in zones.into_iter().flatten() {
        if let Ok(window) = Window::parse(&text, None, &zone, NOW_US) {
            assert!(window.since_us < window.until_us && window.until_us <= NOW_US, "{text:?}: {window:?}");
        }
        if let Ok(window) = Window::parse("2026-01-01", Some(&text), &zone, NOW_US) {
            assert!(window.since_us < window.until_us, "{text:?}: {window:?}");
        }
        if let Ok(at) = finish_by(&text, &zone, NOW_US) {
            // Within a day, or a little more across a daylight-saving change.
            assert!(at > NOW_US && at - NOW_US <= 26 * 3_600_000_000, "{text:?}: {at}");
        }
    }
    address(&text);
    // An error about an address must not contain its password.
    let error = load(&format!("{text}:{PASSWORD}@{text}")).err();
    assert!(!error.unwrap_or_default().contains(PASSWORD), "{text:?}");
}

/// An address that both checks accept is HTTPS or on loopback.
fn address(text: &str) {
    if load(text).is_err() {
        return;
    }
    let Ok(url) = BaseUrl::parse(text) else { return };
    let origin = url.origin();
    assert!(
        origin.starts_with("https://") || (origin.starts_with("http://") && url.is_loopback()),
        "{text:?}: {origin}"
    );
    assert!(!origin.contains('@'), "{text:?}: {origin}");
    let host = origin.trim_start_matches("http://").split([':', '/']).next().unwrap_or_default();
    let is_local = host.starts_with("127.") || host == "localhost" || host.starts_with('[');
    assert!(origin.starts_with("https://") || is_local, "{text:?}: {origin}");
}

/// Loads the settings with this base URL. The error is its text.
fn load(base_url: &str) -> Result<(), String> {
    let flags = BTreeMap::from([("base_url", base_url.to_owned())]);
    match Config::load(&Sources { flags, ..Sources::default() }) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{error} {error:?}")),
    }
}
