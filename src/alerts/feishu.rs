//! The custom bot of a Feishu group: the signed request, and what its answers mean.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use feishu_vc::Secret;
use ring::hmac;
use serde_json::{Value, json};

use super::card::card;
use super::error::DeliveryError;
use super::http::Answer;
use super::message::Message;

/// An error code of the bot.
struct BotCode {
    code: i64,
    hint: &'static str,
    is_temporary: bool,
}

const fn code(code: i64, hint: &'static str) -> BotCode {
    BotCode { code, hint, is_temporary: false }
}

/// The documented codes of custom bots.
const BOT_CODES: &[BotCode] = &[
    code(9499, "Feishu could not read the request; please report this bug with the code and text"),
    code(19001, "the URL of the bot is wrong: copy it again from the settings of the bot in the group"),
    code(
        19021,
        "the signature or the time is wrong: compare the secret with the bot's security settings, and this machine's clock with the real time",
    ),
    code(
        19022,
        "the bot does not accept this machine's address: add its public IP address to the bot's security settings",
    ),
    code(
        19024,
        "the bot requires a keyword: remove the keyword from its security settings, or add vcq-etl to its keywords, which every message contains",
    ),
    BotCode { is_temporary: true, ..code(11232, "the group gets too many messages; this one is sent again later") },
];

/// The table of docs/ALERTS.md.
#[cfg(test)]
pub(crate) fn bot_codes_markdown(language: crate::text::Language) -> String {
    let rows = BOT_CODES.iter().map(|code| format!("| {} | {} |\n", code.code, language.say(code.hint)));
    let english = "| answer of a Feishu bot | what it means, and what to do |";
    let head = language.pick(english, "| 飞书机器人的返回码 | 含义和处理办法 |");
    format!("{head}\n|---|---|\n{}", rows.collect::<String>())
}

/// Texts of answers may be of any length.
const MAX_TEXT_CHARS: usize = 200;

/// base64(HMAC-SHA256) with the key `timestamp + "\n" + secret`, over an empty message.
pub(super) fn signature(timestamp_s: i64, secret: &Secret) -> String {
    let key = format!("{timestamp_s}\n{}", secret.expose());
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    STANDARD.encode(hmac::sign(&key, b""))
}

pub(super) fn request(message: &Message, secret: Option<&Secret>, now_s: i64) -> Value {
    let mut body = json!({"msg_type": "interactive", "card": card(message)});
    if let Some(secret) = secret {
        body["timestamp"] = now_s.to_string().into();
        body["sign"] = signature(now_s, secret).into();
    }
    body
}

/// Whether the bot accepted the message.
pub(super) fn read_answer(answer: &Answer, host: &str) -> Result<(), DeliveryError> {
    let not_a_bot = || DeliveryError::NotABot { host: host.to_owned(), status: answer.status };
    let body: Value = serde_json::from_slice(&answer.body).map_err(|_| not_a_bot())?;
    // Older bots answer with StatusCode.
    let found = body["code"].as_i64().or_else(|| body["StatusCode"].as_i64()).ok_or_else(not_a_bot)?;
    if found == 0 {
        return Ok(());
    }
    let text = body["msg"].as_str().or_else(|| body["StatusMessage"].as_str()).unwrap_or_default();
    let known = BOT_CODES.iter().find(|known| known.code == found);
    Err(DeliveryError::Refused {
        code: found,
        text: crate::text::on_one_line(text).chars().take(MAX_TEXT_CHARS).collect(),
        hint: known.map_or("", |known| known.hint),
        is_temporary: known.is_some_and(|known| known.is_temporary) || answer.status == 429,
    })
}

#[cfg(test)]
mod tests {
    use super::super::message::test_message;
    use super::*;
    use crate::text::Language;

    #[test]
    fn the_signature_is_the_one_of_another_implementation() {
        // gen_sign of the Python package lark-webhook-notify 0.2.0.
        for (timestamp_s, secret, expected) in SIGNATURES {
            assert_eq!(signature(*timestamp_s, &Secret::new(*secret)), *expected);
        }
    }

    const SIGNATURES: &[(i64, &str, &str)] = &[
        (1_599_360_473, "SIGNED-BY-NOBODY", "CwRPWKu+xCnBvaI6vxY8Lej05eGVFLi07Wtj+TzJmGc="),
        (1_795_680_000, "Zq9-made-up-bot-secret-Zq9", "Uonk5gpQBmg15E2E4BqFxENZryL3wVt98wKqsmBKgRs="),
    ];

    #[test]
    fn a_request_without_a_secret_is_not_signed() {
        let message = test_message("it-ops", Language::English);
        let plain = request(&message, None, 7);
        assert!(plain.get("sign").is_none() && plain.get("timestamp").is_none());
        let signed = request(&message, Some(&Secret::new("s3cret")), 7);
        assert_eq!(signed["timestamp"], "7", "Feishu takes it as text");
        assert!(!signed.to_string().contains("s3cret"));
        assert!(signed["card"].to_string().contains("vcq-etl"), "the keyword of the hint is in every message");
    }

    #[test]
    fn answers_are_accepted_refused_or_not_from_a_bot() {
        let read = |status, body: &str| read_answer(&Answer { status, body: body.as_bytes().to_vec() }, "h");
        assert_eq!(read(200, r#"{"code":0,"msg":"success","data":{}}"#), Ok(()));
        assert_eq!(read(200, r#"{"StatusCode":0,"StatusMessage":"success"}"#), Ok(()));
        assert_eq!(BOT_CODES.len(), 6);
        for BotCode { code, is_temporary, .. } in BOT_CODES {
            let (code, is_temporary) = (*code, *is_temporary);
            assert_eq!(is_temporary, code == 11232, "{code}");
            let error = read(200, &format!(r#"{{"code":{code},"msg":"why"}}"#)).expect_err("refused");
            assert_eq!(error.to_string(), format!("the Feishu bot refused the message: code {code}, why"));
            assert!(!error.hint().is_empty());
            assert_eq!(error.is_temporary(), is_temporary, "{code}");
        }
        assert!(read(200, r#"{"code":1,"msg":"new"}"#).expect_err("refused").hint().is_empty());
        for body in ["", "<html>", "[]", "{}", r#"{"code":"0"}"#, "null"] {
            assert!(matches!(read(200, body), Err(DeliveryError::NotABot { .. })), "{body}");
        }
        assert!(read(502, "<html>").expect_err("refused").is_temporary());
        let long = format!(r#"{{"code":1,"msg":"{}"}}"#, "x".repeat(60_000));
        assert!(read(200, &long).expect_err("refused").to_string().len() < 300);
    }
}
