//! The texts of a response beside its items: what is kept of a message, and of the details of an error.
//!
//! A message may repeat anything in a request or an item, so none is kept. Codes, log IDs, scopes and links to Feishu's
//! own pages are kept: the hints need them.

/// Messages of successes.
const HARMLESS: &[&str] = &["", "success", "ok", "succeed", "successful"];
/// The first parts of scopes.
const SCOPES: &[&str] = &["vc:", "admin:", "contact:"];
const SITES: &[&str] = &["https://open.feishu.cn/", "https://open.larksuite.com/", "https://open.larkoffice.com/"];
/// What a site has below its root.
const PAGES: &[&str] = &["app/", "document/", "search"];
const PREFIX: &str = "withheld (identity = ";

/// Parameters of requests.
const PARAMETERS: &[&str] = &[
    "end_time",
    "join_time",
    "meeting_end_time",
    "meeting_no",
    "meeting_start_time",
    "page_size",
    "page_token",
    "room_id",
    "start_time",
    "user_id",
    "user_id_type",
];
/// The members of `error`.
const MEMBERS: &[&str] = &[
    "description",
    "details",
    "field",
    "field_violations",
    "helps",
    "log_id",
    "logid",
    "message",
    "permission_violations",
    "scope",
    "subject",
    "troubleshooter",
    "type",
    "url",
    "value",
];

/// Whether a key of `error` is one of Feishu's.
pub(super) fn is_member(key: &str) -> bool {
    MEMBERS.contains(&key)
}

/// What stands for a text. `mode` is that of the setting `identity`.
pub(super) fn withheld(mode: &str) -> String {
    format!("{PREFIX}{mode})")
}

pub(super) fn is_withheld(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// What is kept of a message: the names of scopes. `None` if it stays.
pub(super) fn message(mode: &str, text: &str) -> Option<String> {
    if is_withheld(text) || HARMLESS.iter().any(|word| text.trim().eq_ignore_ascii_case(word)) {
        return None;
    }
    let is_between = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | ',' | '"' | '\'' | '(' | ')');
    let scopes: Vec<&str> = text.split(is_between).filter(|word| is_scope(word)).collect();
    let scopes = if scopes.is_empty() { String::new() } else { format!(" [{}]", scopes.join(", ")) };
    Some(format!("{}{scopes}", withheld(mode)))
}

/// What is kept of a member of `error`. `None` if it stays.
pub(super) fn detail(mode: &str, key: &str, text: &str) -> Option<String> {
    let is_kept = match key {
        "log_id" | "logid" => is_log_id(text),
        "subject" | "scope" => is_scope(text),
        "type" => text.ends_with("_required") && is_word(text),
        "field" => PARAMETERS.contains(&text),
        "url" => return link(mode, text),
        _ => false,
    };
    (!is_kept && !is_withheld(text) && !text.trim().is_empty()).then(|| withheld(mode))
}

/// A link to a page of Feishu, without its query.
fn link(mode: &str, text: &str) -> Option<String> {
    let page = text.split(['?', '#']).next().unwrap_or_default();
    let path = SITES.iter().find_map(|site| page.strip_prefix(site));
    let is_plain = |path: &str| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte));
    let is_kept = path.is_some_and(|path| PAGES.iter().any(|start| path.starts_with(start)) && is_plain(path));
    match is_kept {
        true => (page != text).then(|| page.to_owned()),
        false => (!is_withheld(text)).then(|| withheld(mode)),
    }
}

/// Feishu's log IDs are digits and letters; no ID of a person is.
pub(super) fn is_log_id(text: &str) -> bool {
    (8..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_scope(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || b"_.:".contains(&byte);
    SCOPES.iter().any(|start| text.starts_with(start)) && text.bytes().all(is_plain)
}

fn is_word(text: &str) -> bool {
    text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_the_scopes_only() {
        assert_eq!(message("none", "success"), None);
        assert_eq!(message("none", "user Alice is unknown").as_deref(), Some("withheld (identity = none)"));
        let scopes =
            message("pseudonym", "one of [vc:room:readonly, vc:export] is required for ou_1").expect("changed");
        assert_eq!(scopes, "withheld (identity = pseudonym) [vc:room:readonly, vc:export]");
        assert_eq!(message("none", &scopes), None);
    }

    #[test]
    fn details_keep_codes_and_links_but_no_values() {
        let kept = |key, text| detail("none", key, text).is_none();
        assert!(kept("log_id", "20261127034456ABCDEF0123"));
        assert!(!kept("log_id", "ou_0123456789"));
        assert!(kept("subject", "contact:user.employee_id:readonly") && !kept("subject", "alice@example.com"));
        assert!(!kept("field", "ou_planted") && !kept("type", "ou_planted") && kept("type", "action_scope_required"));
        assert!(kept("field", "user_id") && !kept("value", "user_id") && !kept("description", "Alice"));
        assert!(kept("url", "https://open.feishu.cn/app/cli_1/auth"));
        let cut = detail("none", "url", "https://open.feishu.cn/app/cli_1/auth?q=ou_1").expect("changed");
        assert_eq!(cut, "https://open.feishu.cn/app/cli_1/auth");
        assert!(!kept("url", "https://example.com/alice") && !kept("url", "https://open.feishu.cn/alice@example.com"));
    }
}
