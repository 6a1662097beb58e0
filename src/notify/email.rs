use std::time::Duration;

use futures::future::BoxFuture;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::channel::{Channel, SendError};
use super::letter::Written;
use super::settings::{EmailSecurity, EmailSettings};

/// How long one answer of the mail server may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Letters by SMTP.
pub(super) struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Email {
    /// `None` where no server is set.
    pub(super) fn new(settings: &EmailSettings) -> Result<Option<Self>, String> {
        if settings.server.is_empty() {
            return Ok(None);
        }
        let from = settings
            .from
            .parse::<Mailbox>()
            .map_err(|error| format!("notify.email.from: {error}"))?;
        let server = settings.server.as_str();
        type Transport = AsyncSmtpTransport<Tokio1Executor>;
        let builder = match settings.security {
            EmailSecurity::Tls => Transport::relay(server),
            EmailSecurity::Starttls => Transport::starttls_relay(server),
            EmailSecurity::None => Ok(Transport::builder_dangerous(server)),
        };
        let builder = builder.map_err(|error| format!("notify.email.server: {error}"))?;
        let mut builder = builder.port(settings.port).timeout(Some(TIMEOUT));
        if !settings.user.is_empty() {
            let credentials = Credentials::new(settings.user.clone(), settings.password.clone());
            builder = builder.credentials(credentials);
        }
        Ok(Some(Self { transport: builder.build(), from }))
    }

    /// The message; its id is the same for every attempt.
    fn message(&self, address: &str, letter: &Written) -> Result<Message, SendError> {
        let permanent = |error: String| SendError::Permanent(error);
        let to = address
            .parse::<Mailbox>()
            .map_err(|error| permanent(format!("the mail address cannot be read: {error}")))?;
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject.clone())
            .message_id(Some(format!("<{}@{}>", letter.key, self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body.clone())
            .map_err(|error| permanent(error.to_string()))
    }
}

impl Channel for Email {
    fn word(&self) -> &'static str {
        "email"
    }

    fn is_repeatable(&self) -> bool {
        false
    }

    /// `email:a@b.cn`, `mailto:a@b.cn`, `邮箱:a@b.cn`, or the bare address.
    fn address(&self, notify: Option<&str>) -> Option<String> {
        let text = notify?.trim();
        let bare = ["email:", "mailto:", "邮箱:", "邮箱:", "邮件:", "邮件:"]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))
            .unwrap_or(text)
            .trim();
        (bare.contains('@') && bare.parse::<Mailbox>().is_ok()).then(|| bare.to_owned())
    }

    fn send<'a>(
        &'a self,
        address: &'a str,
        letter: &'a Written,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            let message = self.message(address, letter)?;
            match self.transport.send(message).await {
                Ok(_) => Ok(()),
                Err(error) if error.is_permanent() => Err(SendError::Permanent(error.to_string())),
                Err(error) => Err(SendError::Temporary(error.to_string())),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email() -> Email {
        let settings = EmailSettings {
            server: "127.0.0.1".to_owned(),
            security: EmailSecurity::None,
            from: "巡检 <xunjian@example.gov.cn>".to_owned(),
            ..EmailSettings::default()
        };
        Email::new(&settings).unwrap().unwrap()
    }

    #[tokio::test]
    async fn only_mail_addresses_are_taken() {
        let check = |text: &str, address: Option<&str>| {
            assert_eq!(email().address(Some(text)).as_deref(), address, "{text}");
        };
        check("email:a@b.cn", Some("a@b.cn"));
        check(" 邮箱:a@b.cn ", Some("a@b.cn"));
        check("a@b.cn", Some("a@b.cn"));
        check("dingtalk:13800000000", None);
        check("a@", None);
        check("打印", None);
        assert_eq!(email().address(None), None);
    }

    #[tokio::test]
    async fn every_attempt_is_the_same_message() {
        let letter = Written {
            key: "k1".to_owned(),
            day: "2026-11-27".parse().unwrap(),
            subject: "【巡检通知】".to_owned(),
            body: "正文".to_owned(),
        };
        let message = email().message("a@b.cn", &letter).unwrap().formatted();
        let text = String::from_utf8(message).unwrap();
        assert!(text.contains("Message-ID: <k1@example.gov.cn>"), "{text}");
        assert!(text.contains("charset=utf-8"), "{text}");
    }
}
