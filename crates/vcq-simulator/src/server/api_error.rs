//! Feishu's error responses: code, HTTP status and message, as data.

use serde_json::json;

/// Code, HTTP status and message.
const CODES: &[(i64, u16, &str)] = &[
    (10003, 400, "invalid param"),
    (10012, 400, "app ticket invalid"),
    (10013, 400, "tenant key is invalid, or the app is not installed in the tenant"),
    (10014, 200, "app secret invalid"),
    (10015, 200, "app secret invalid"),
    (10016, 400, "the app is no store app"),
    (20001, 400, "required parameters are missing"),
    (20002, 400, "client secret is invalid"),
    (20026, 400, "refresh token is invalid"),
    (20036, 400, "grant type is unsupported"),
    (20037, 400, "refresh token has expired"),
    (20048, 400, "app does not exist"),
    (20064, 400, "refresh token has been revoked"),
    (20073, 400, "refresh token has been used"),
    (99_991_543, 400, "app_id and app_secret do not match"),
    (121_001, 500, "internal error"),
    (121_002, 400, "not support"),
    (121_003, 400, "param error"),
    (121_004, 404, "data not exist"),
    (121_005, 403, "no permission"),
    (126_003, 400, "meeting number is negative"),
    (126_004, 400, "meeting number should be 9 digits"),
    (126_005, 400, "start time is later than now or negative"),
    (126_006, 400, "time range is not allowed"),
    (126_007, 400, "user_id and room_id can not be used together"),
    (126_008, 400, "only one filter can be used"),
    (126_009, 400, "can not find meeting"),
    (126_010, 400, "can not find device"),
    (1_051_001, 500, "request contain invalid param"),
    (1_051_002, 400, "request to exceed authority"),
    (99_991_201, 404, "path not found"),
    (99_991_301, 405, "method not allowed"),
    (99_991_400, 429, "request trigger frequency limit"),
    (99_991_401, 400, "request ip is not in the app's allow-list"),
    (99_991_403, 429, "this month's api call quota has been exceeded"),
    (99_991_661, 400, "Missing access token for authorization"),
    (99_991_663, 400, "Invalid access token for authorization"),
    (99_991_668, 400, "Invalid user access token"),
    (99_991_671, 400, "Invalid access token format"),
    (99_991_672, 400, "Access denied. One of the following scopes is required"),
    (99_991_679, 400, "Unauthorized. You do not have permission to perform the requested operation"),
    (99_992_351, 400, "the request id is not exist"),
    (99_992_402, 400, "field validation failed"),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) code: i64,
    pub(super) http: u16,
    msg: &'static str,
    /// Parameter, value and description.
    violation: Option<(&'static str, String, String)>,
}

impl ApiError {
    /// HTTP status 400 for a code that is not in the table.
    pub(super) fn new(code: i64) -> Self {
        let known = CODES.iter().find(|(known, ..)| *known == code);
        let (code, http, msg) = known.copied().unwrap_or((code, 400, "unknown"));
        Self { code, http, msg, violation: None }
    }

    pub(super) fn invalid_field(field: &'static str, value: &str, description: &str) -> Self {
        Self { violation: Some((field, value.to_owned(), description.to_owned())), ..Self::new(99_992_402) }
    }

    /// In the form of OAuth, which the login server has.
    pub(super) fn oauth_body(&self) -> String {
        json!({ "code": self.code, "error": "invalid_grant", "error_description": self.msg }).to_string()
    }

    /// `scope` is what an error about permissions names as missing.
    pub(super) fn body(&self, log_id: &str, scope: &str) -> String {
        let mut error = json!({ "log_id": log_id });
        if let Some((field, value, description)) = &self.violation {
            error["field_violations"] = json!([{ "field": field, "value": value, "description": description }]);
        }
        let violation = |kind: &str| json!([{ "type": kind, "subject": scope }]);
        match self.code {
            99_991_672 => {
                error["permission_violations"] = violation("action_scope_required");
                error["helps"] =
                    json!([{ "url": "https://open.example.com/app/scopes", "description": "Apply for the scope" }]);
            }
            99_991_679 => error["permission_violations"] = violation("action_privilege_required"),
            _ => {}
        }
        json!({ "code": self.code, "msg": self.msg, "error": error }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_listed_once() {
        for (at, (code, ..)) in CODES.iter().enumerate() {
            assert!(CODES[at + 1..].iter().all(|(other, ..)| other != code), "{code} is listed twice");
        }
    }

    #[test]
    fn every_error_is_json_with_its_code_and_log_id() {
        for (code, ..) in CODES {
            let body: serde_json::Value =
                serde_json::from_str(&ApiError::new(*code).body("L\"1", "")).expect("valid JSON");
            assert_eq!(body["code"], *code);
            assert_eq!(body["error"]["log_id"], "L\"1");
        }
        let body = ApiError::invalid_field("page_size", "10", "at least 20").body("x", "");
        let body: serde_json::Value = serde_json::from_str(&body).expect("valid JSON");
        assert_eq!(body["error"]["field_violations"][0]["field"], "page_size");
        let body: serde_json::Value =
            serde_json::from_str(&ApiError::new(99_991_672).body("x", "vc:s")).expect("valid JSON");
        assert_eq!(body["error"]["permission_violations"][0]["subject"], "vc:s");
    }
}
