//! A message as an e-mail in plain text.

use std::error::Error;
use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Mailboxes};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls as SmtpTls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::channel::{EmailSettings, Encryption};
use super::error::DeliveryError;
use super::http::install_tls_provider;
use super::message::Message;
use super::render::plain_text;

/// `ops@example.com` or `IT Operations <ops@example.com>`.
pub(crate) fn parse_address(text: &str) -> Result<(), String> {
    text.parse::<Mailbox>().map(drop).map_err(|error| error.to_string())
}

/// `id` is the same for every attempt, so that a mail program recognises a message that arrives twice.
pub(super) async fn send(
    settings: &EmailSettings,
    message: &Message,
    id: &str,
    limit: Duration,
) -> Result<(), DeliveryError> {
    install_tls_provider();
    let host = settings.host.clone();
    let mail = mail(settings, message, id)?;
    let transport = transport(settings, limit)?;
    match tokio::time::timeout(limit, transport.send(mail)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if error.is_timeout() => Err(DeliveryError::TimedOut { place: host, limit }),
        Ok(Err(error)) => Err(smtp_error(&error, host)),
        Err(_) => Err(DeliveryError::TimedOut { place: host, limit }),
    }
}

fn mail(settings: &EmailSettings, message: &Message, id: &str) -> Result<lettre::Message, DeliveryError> {
    let setup = |why: String| DeliveryError::Setup { why };
    let address = |text: &str| text.parse::<Mailbox>().map_err(|error| setup(format!("{text:?}: {error}")));
    let from = address(&settings.from)?;
    let to = settings.to.iter().map(|text| address(text)).collect::<Result<Vec<_>, _>>()?;
    let domain = from.email.domain().to_owned();
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    lettre::Message::builder()
        .from(from)
        .mailbox(lettre::message::header::To::from(Mailboxes::from_iter(to)))
        .subject(message.title.clone())
        .message_id(Some(format!("<{id}@{domain}>")))
        // No out-of-office replies to it.
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .body(plain_text(message))
        .map_err(|error| setup(error.to_string()))
}

fn transport(settings: &EmailSettings, limit: Duration) -> Result<AsyncSmtpTransport<Tokio1Executor>, DeliveryError> {
    let host = settings.host.as_str();
    let parameters =
        || TlsParameters::new(host.to_owned()).map_err(|error| DeliveryError::Setup { why: innermost(&error) });
    let (tls, usual_port) = match settings.tls {
        Encryption::Starttls => (SmtpTls::Required(parameters()?), 587),
        Encryption::Tls => (SmtpTls::Wrapper(parameters()?), 465),
        Encryption::None => (SmtpTls::None, 25),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(settings.port.unwrap_or(usual_port))
        .tls(tls)
        .timeout(Some(limit));
    if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    Ok(builder.build())
}

fn smtp_error(error: &lettre::transport::smtp::Error, host: String) -> DeliveryError {
    let code = error.status().map(|code| format!("{code} ")).unwrap_or_default();
    let why = format!("{code}{}", innermost(error));
    let is_answer = error.is_permanent() || error.is_transient() || error.is_client() || error.is_response();
    match is_answer || error.is_tls() {
        true => DeliveryError::Mail { host, why, is_temporary: error.is_transient() },
        false => DeliveryError::Unreachable { host, why },
    }
}

/// What the server or the system said.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    crate::text::on_one_line(&innermost.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::message::test_message;
    use super::*;
    use crate::text::Language;

    #[test]
    fn addresses_are_checked() {
        for address in ["ops@example.com", "IT Operations <ops@example.com>", "运维 <ops@example.com>"] {
            assert_eq!(parse_address(address), Ok(()), "{address}");
        }
        for address in ["", "ops", "ops@", "a@b.example, c@d.example", "ops@example.com\r\nBcc: x@example.com"] {
            assert!(parse_address(address).is_err(), "{address}");
        }
    }

    #[test]
    fn a_mail_has_its_headers_and_no_topic_adds_one() {
        let settings = EmailSettings {
            host: "localhost".to_owned(),
            port: None,
            tls: Encryption::None,
            user: None,
            password: None,
            from: "vcq-etl <vcq@example.com>".to_owned(),
            to: vec!["ops@example.com".to_owned(), "desk@example.com".to_owned()],
        };
        let mut message = test_message("mail", Language::Chinese);
        message.title = "a\r\nBcc: everybody@example.com".to_owned();
        let mail = mail(&settings, &message, "vcq-etl.7.8").expect("a mail");
        let text = String::from_utf8(mail.formatted()).expect("text");
        let (headers, _) = text.split_once("\r\n\r\n").expect("a body");
        assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{headers}");
        assert!(headers.contains("Message-ID: <vcq-etl.7.8@example.com>"), "{headers}");
        assert!(headers.contains("Auto-Submitted: auto-generated"), "{headers}");
        assert_eq!(mail.envelope().to().len(), 2);
    }
}
