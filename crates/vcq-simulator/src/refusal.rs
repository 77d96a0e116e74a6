//! The vendor's refusals: code, HTTP status and text, as data, and the JSON that carries them.

use super::wire::push_json_text;

/// One code of the vendor's.
struct Code {
    code: i64,
    http: u16,
    msg: &'static str,
}

/// Every code that the simulator can answer with.
const CODES: &[Code] = &[
    Code { code: 10003, http: 400, msg: "invalid param" },
    Code { code: 10014, http: 200, msg: "app secret invalid" },
    Code { code: 10015, http: 200, msg: "app secret invalid" },
    Code { code: 99_991_543, http: 400, msg: "app_id and app_secret do not match" },
    Code { code: 121_001, http: 500, msg: "internal error" },
    Code { code: 121_002, http: 400, msg: "not support" },
    Code { code: 121_003, http: 400, msg: "param error" },
    Code { code: 121_004, http: 404, msg: "data not exist" },
    Code { code: 121_005, http: 403, msg: "no permission" },
    Code { code: 126_003, http: 400, msg: "meeting number is negative" },
    Code { code: 126_004, http: 400, msg: "meeting number should be 9 digits" },
    Code { code: 126_005, http: 400, msg: "start time is later than now or negative" },
    Code { code: 126_006, http: 400, msg: "time range is not allowed" },
    Code { code: 126_007, http: 400, msg: "user_id and room_id can not be used together" },
    Code { code: 126_008, http: 400, msg: "only one filter can be used" },
    Code { code: 126_009, http: 400, msg: "can not find meeting" },
    Code { code: 126_010, http: 400, msg: "can not find device" },
    Code { code: 99_991_201, http: 404, msg: "path not found" },
    Code { code: 99_991_301, http: 405, msg: "method not allowed" },
    Code { code: 99_991_400, http: 429, msg: "request trigger frequency limit" },
    Code { code: 99_991_401, http: 400, msg: "request ip is not in the app's allow-list" },
    Code { code: 99_991_403, http: 429, msg: "this month's api call quota has been exceeded" },
    Code { code: 99_991_661, http: 400, msg: "Missing access token for authorization" },
    Code { code: 99_991_663, http: 400, msg: "Invalid access token for authorization" },
    Code { code: 99_991_668, http: 400, msg: "Invalid user access token" },
    Code { code: 99_991_671, http: 400, msg: "Invalid access token format" },
    Code { code: 99_991_672, http: 400, msg: "Access denied. One of the following scopes is required" },
    Code {
        code: 99_991_679,
        http: 400,
        msg: "Unauthorized. You do not have permission to perform the requested operation",
    },
    Code { code: 99_992_351, http: 400, msg: "the request id is not exist" },
    Code { code: 99_992_402, http: 400, msg: "field validation failed" },
];

/// The scope that a refusal names when one is missing.
pub(super) const SCOPE: &str = "vc:room:readonly";

/// An answer that is not the asked data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: i64,
    pub(super) http: u16,
    /// Field, value and description of what failed validation.
    violations: Vec<(&'static str, String, String)>,
}

impl Refusal {
    /// A refusal with the code's usual HTTP status; 400 for codes that are not in the table.
    pub(super) fn of(code: i64) -> Self {
        let http = CODES.iter().find(|known| known.code == code).map_or(400, |known| known.http);
        Self { code, http, violations: Vec::new() }
    }

    /// A parameter failed validation.
    pub(super) fn field(field: &'static str, value: &str, description: &str) -> Self {
        Self { violations: vec![(field, value.to_owned(), description.to_owned())], ..Self::of(99_992_402) }
    }

    /// The body that the vendor would send.
    pub(super) fn body(&self, log_id: &str) -> String {
        let msg = CODES.iter().find(|known| known.code == self.code).map_or("unknown", |known| known.msg);
        let mut out = format!("{{\"code\":{},\"msg\":", self.code);
        push_json_text(&mut out, msg);
        out.push_str(",\"error\":{\"log_id\":");
        push_json_text(&mut out, log_id);
        if !self.violations.is_empty() {
            out.push_str(",\"field_violations\":[");
            for (at, (field, value, description)) in self.violations.iter().enumerate() {
                out.push_str(if at == 0 { "{\"field\":" } else { ",{\"field\":" });
                push_json_text(&mut out, field);
                out.push_str(",\"value\":");
                push_json_text(&mut out, value);
                out.push_str(",\"description\":");
                push_json_text(&mut out, description);
                out.push('}');
            }
            out.push(']');
        }
        match self.code {
            99_991_672 => {
                out.push_str(",\"permission_violations\":[{\"type\":\"action_scope_required\",\"subject\":");
                push_json_text(&mut out, SCOPE);
                out.push_str("}],\"helps\":[{\"url\":\"https://open.example.com/app/scopes\",\"description\":\"Apply for the scope\"}]");
            }
            99_991_679 => {
                out.push_str(",\"permission_violations\":[{\"type\":\"action_privilege_required\",\"subject\":");
                push_json_text(&mut out, SCOPE);
                out.push_str("}]");
            }
            _ => {}
        }
        out.push_str("}}");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_listed_once() {
        for (at, one) in CODES.iter().enumerate() {
            assert!(CODES[at + 1..].iter().all(|other| other.code != one.code), "{} is listed twice", one.code);
        }
    }

    #[test]
    fn every_refusal_is_json_with_its_code_and_log_id() {
        for known in CODES {
            let body: serde_json::Value =
                serde_json::from_str(&Refusal::of(known.code).body("L\"1")).expect("valid JSON");
            assert_eq!(body["code"], known.code);
            assert_eq!(body["error"]["log_id"], "L\"1");
        }
        let body = Refusal::field("page_size", "10", "at least 20").body("x");
        let body: serde_json::Value = serde_json::from_str(&body).expect("valid JSON");
        assert_eq!(body["error"]["field_violations"][0]["field"], "page_size");
        let body: serde_json::Value = serde_json::from_str(&Refusal::of(99_991_672).body("x")).expect("valid JSON");
        assert_eq!(body["error"]["permission_violations"][0]["subject"], SCOPE);
    }
}
