//! What an error response contains besides its code: the log ID, the missing scopes and a help page.

use std::collections::HashSet;

use serde_json::Value;
use serde_json::value::RawValue;

/// At most this many scopes are reported.
const MAX_SCOPES: usize = 20;
/// A longer text is no log ID, scope or URL.
pub const MAX_IDENTIFIER_BYTES: usize = 300;

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorDetail {
    pub log_id: Option<String>,
    pub scopes: Vec<String>,
    pub help_url: Option<String>,
}

impl ErrorDetail {
    /// Reads `error`, which has had several shapes; anything else in it is ignored.
    pub(crate) fn read(error: Option<&RawValue>, msg: &str) -> ErrorDetail {
        let error: Value = error.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or(Value::Null);
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).and_then(identifier);
        let mut scopes: Vec<String> = Vec::new();
        let violations = error.get("permission_violations").and_then(Value::as_array);
        for violation in violations.into_iter().flatten().take(MAX_SCOPES) {
            scopes.extend(text(violation, "subject").or_else(|| text(violation, "scope")));
        }
        if scopes.is_empty() {
            scopes = scopes_in(msg);
        }
        let mut seen = HashSet::new();
        scopes.retain(|scope| seen.insert(scope.clone()));
        let helps = error.get("helps").and_then(Value::as_array).into_iter().flatten();
        let violations = error.get("permission_violations").and_then(Value::as_array).into_iter().flatten();
        let mut urls = helps.chain(violations).filter_map(|entry| text(entry, "url"));
        ErrorDetail {
            log_id: text(&error, "log_id").or_else(|| text(&error, "logid")),
            scopes,
            help_url: urls.find(|url| url.starts_with("https://")),
        }
    }
}

/// A log ID, scope or URL: one word of printable ASCII, which is safe in the raw log's headers and on a terminal.
pub(crate) fn identifier(text: &str) -> Option<String> {
    let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    (is_printable && (1..=MAX_IDENTIFIER_BYTES).contains(&text.len())).then(|| text.to_owned())
}

/// The scopes that a message lists in brackets: `... is required: [vc:room:readonly, vc:export] ...`.
fn scopes_in(msg: &str) -> Vec<String> {
    let Some((_, rest)) = msg.split_once('[') else { return Vec::new() };
    let Some((list, _)) = rest.split_once(']') else { return Vec::new() };
    let is_scope = |word: &&str| {
        word.contains(':') && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":._-".contains(&byte))
    };
    list.split(',').map(str::trim).filter(is_scope).take(MAX_SCOPES).filter_map(identifier).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(default)]
        msg: String,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }

    fn read(body: &str) -> ErrorDetail {
        let body: Body<'_> = serde_json::from_str(body).expect(body);
        ErrorDetail::read(body.error, &body.msg)
    }

    #[test]
    fn identifiers_are_short_and_printable() {
        let long = "x".repeat(MAX_IDENTIFIER_BYTES + 1);
        for odd in ["", "a\u{1b}[2J", "a\nb", "\u{202e}", long.as_str()] {
            let body =
                serde_json::json!({"code": 1, "error": {"log_id": odd, "permission_violations": [{"subject": odd}]}});
            let body = body.to_string();
            assert_eq!(read(&body), ErrorDetail::default(), "{odd:?}");
        }
    }

    #[test]
    fn scopes_are_read_from_either_shape_once() {
        let body = r#"{"code":99991672,"msg":"m","error":{"log_id":"L1","permission_violations":[
            {"type":"action_scope_required","subject":"vc:room:readonly"},
            {"scope":"vc:rooms.room.detailinfo:read","url":"u"},{"subject":"vc:room:readonly"},{}]}}"#;
        let particulars = read(body);
        assert_eq!(particulars.scopes, ["vc:room:readonly", "vc:rooms.room.detailinfo:read"]);
        assert_eq!(particulars.log_id.as_deref(), Some("L1"));
    }

    #[test]
    fn scopes_are_read_from_the_message_if_named_nowhere_else() {
        let body = r#"{"code":99991672,"msg":"Access denied. One of the following scopes is required: [vc:room:readonly, vc:rooms.room.detailinfo:read].","error":{"logid":"L2"}}"#;
        let particulars = read(body);
        assert_eq!(particulars.scopes, ["vc:room:readonly", "vc:rooms.room.detailinfo:read"]);
        assert_eq!(particulars.log_id.as_deref(), Some("L2"));
        assert_eq!(scopes_in("no [list"), Vec::<String>::new());
        assert_eq!(scopes_in("[word, vc:room:readonly, a:b!]"), ["vc:room:readonly"]);
    }

    #[test]
    fn identifiers_with_control_characters_are_ignored() {
        let body = r#"{"code":99991672,"error":{"log_id":"\u001b[2J","permission_violations":[
            {"subject":"a\nb"},{"subject":"vc:room:readonly"},{"subject":"\u202ex"}]}}"#;
        let particulars = read(body);
        assert_eq!((particulars.log_id, particulars.scopes), (None, vec!["vc:room:readonly".to_owned()]));
    }

    #[test]
    fn a_help_page_is_kept_if_it_is_printable() {
        let help = |error: &str| {
            let body = format!(r#"{{"code":99991672,"error":{error}}}"#);
            read(&body).help_url
        };
        let page = Some("https://open.feishu.cn/app/x?q=y".to_owned());
        assert_eq!(help(r#"{"helps":[{"url":"javascript:x"},{"url":"https://open.feishu.cn/app/x?q=y"}]}"#), page);
        assert_eq!(
            help(r#"{"permission_violations":[{"scope":"a:b","url":"https://open.feishu.cn/app/x?q=y"}]}"#),
            page
        );
        assert_eq!(help("{\"helps\":[{\"url\":\"https://x/\\u001b[2J\"}]}"), None);
    }
}
