//! The settings of alerts without a monitoring system.

use chrono_tz::Tz;
use clap::Args;
use lettre::message::Mailbox;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::quantity::{OptionalInterval, duration_or_off};
use super::secret::signing_secret;
use super::setting_error::SettingError;
use super::transport::{is_local, unencrypted};
use super::value_parsers::boolean;
use crate::avinode::signature::secrets::WebhookSecret;
use crate::domain::working_hours::{DailyHours, WorkingDays, WorkingHours};

const WEBHOOK: &str = "INGEST_ALERT_WEBHOOK (--alert-webhook)";
const WEBHOOK_SECRET: &str = "INGEST_ALERT_WEBHOOK_SECRET (--alert-webhook-secret)";
const SMTP_URL: &str = "INGEST_ALERT_SMTP_URL (--alert-smtp-url)";

/// Nothing is looked at without a webhook or a mail server.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Alerts")]
pub struct AlertArgs {
    /// URL of a webhook for alerts, as an incoming webhook of Slack accepts them: JSON with a `text`. It is https, or http on this machine.
    #[arg(long, env = "INGEST_ALERT_WEBHOOK", hide_env_values = true, value_name = "URL")]
    pub alert_webhook: Option<SecretString>,

    /// Secret that signs alerts by Standard Webhooks. It begins with whsec_. Without it they are not signed.
    #[arg(
        long,
        env = "INGEST_ALERT_WEBHOOK_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub alert_webhook_secret: Option<SecretString>,

    /// Mail server for alerts, as `smtps://user:password@host:465` or, with STARTTLS, `smtp://user:password@host:587?tls=required`.
    #[arg(long, env = "INGEST_ALERT_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub alert_smtp_url: Option<SecretString>,

    /// Allow http to another machine in INGEST_ALERT_WEBHOOK, and a password without TLS in INGEST_ALERT_SMTP_URL: for a private network.
    #[arg(long, env = "INGEST_ALERT_ALLOW_HTTP", value_parser = boolean)]
    pub alert_allow_http: bool,

    /// Sender of alerts by e-mail.
    #[arg(long, env = "INGEST_ALERT_EMAIL_FROM", value_name = "ADDRESS", value_parser = mailbox)]
    pub alert_email_from: Option<Mailbox>,

    /// Receivers of alerts by e-mail, separated by commas.
    #[arg(long, env = "INGEST_ALERT_EMAIL_TO", value_name = "ADDRESSES", value_delimiter = ',', value_parser = mailbox)]
    pub alert_email_to: Vec<Mailbox>,

    /// How long a due job may wait (1m to 7d, or off). Fetches count only while fetching runs.
    #[arg(long, env = "INGEST_ALERT_OLDEST_JOB", value_name = "DURATION", default_value = "10m",
          value_parser = duration_or_off("1m", "7d"))]
    pub alert_oldest_job: OptionalInterval,

    /// Working time without any delivery (10m to 30d, or off).
    #[arg(long, env = "INGEST_ALERT_NO_DELIVERY", value_name = "DURATION", default_value = "off",
          value_parser = duration_or_off("10m", "30d"))]
    pub alert_no_delivery: OptionalInterval,

    /// Working days for INGEST_ALERT_NO_DELIVERY, as days and ranges of days.
    #[arg(long, env = "INGEST_ALERT_WORKING_DAYS", value_name = "DAYS", default_value = "mon-fri",
          value_parser = |text: &str| text.parse::<WorkingDays>())]
    pub alert_working_days: WorkingDays,

    /// Working hours for INGEST_ALERT_NO_DELIVERY.
    #[arg(long, env = "INGEST_ALERT_WORKING_HOURS", value_name = "HOURS", default_value = "08:00-18:00",
          value_parser = |text: &str| text.parse::<DailyHours>())]
    pub alert_working_hours: DailyHours,

    /// Time zone of the working hours, by its IANA name.
    #[arg(long, env = "INGEST_ALERT_TIME_ZONE", value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    pub alert_time_zone: Tz,
}

/// A checked mail server with its sender and receivers.
#[derive(Debug, Clone)]
pub struct MailServer {
    pub url: SecretString,
    pub from: Mailbox,
    pub to: Vec<Mailbox>,
}

impl AlertArgs {
    pub fn webhook(&self) -> Result<Option<(SecretString, Option<WebhookSecret>)>, SettingError> {
        let secret = self.alert_webhook_secret.as_ref();
        let secret = secret.map(standard_secret).transpose()?;
        let Some(url) = &self.alert_webhook else {
            let needless = format_args!("needs {WEBHOOK}: there is nothing to sign");
            return match secret {
                Some(_) => Err(SettingError::new(WEBHOOK_SECRET, needless)),
                None => Ok(None),
            };
        };
        let checked = checked_url(WEBHOOK, url, &["https", "http"], "https://hooks.example.com/…")?;
        if checked.scheme() == "http" {
            self.require_local(WEBHOOK, &checked, "http", "https")?;
        }
        Ok(Some((String::from(checked).into(), secret)))
    }

    pub fn mail_server(&self) -> Result<Option<MailServer>, SettingError> {
        match (&self.alert_smtp_url, &self.alert_email_from, &self.alert_email_to[..]) {
            (None, None, []) => Ok(None),
            (Some(url), Some(from), to @ [_, ..]) => {
                let checked = checked_url(SMTP_URL, url, &["smtps", "smtp"], "smtps://user:password@host:465")?;
                let mut parameters = checked.query_pairs();
                let is_starttls = parameters.any(|(name, value)| name == "tls" && value == "required");
                if checked.password().is_some() && checked.scheme() == "smtp" && !is_starttls {
                    self.require_local(SMTP_URL, &checked, "smtp with a password", "smtps or ?tls=required")?;
                }
                Ok(Some(MailServer {
                    url: String::from(checked).into(),
                    from: from.clone(),
                    to: to.to_vec(),
                }))
            }
            _ => Err(SettingError(format!(
                "{SMTP_URL}, INGEST_ALERT_EMAIL_FROM and INGEST_ALERT_EMAIL_TO must be set together"
            ))),
        }
    }

    /// Refuses a URL by which a secret would leave this machine unencrypted.
    fn require_local(&self, name: &str, url: &Url, sent: &str, instead: &str) -> Result<(), SettingError> {
        if self.alert_allow_http || is_local(url) == Some(true) {
            return Ok(());
        }
        Err(SettingError::new(
            name,
            unencrypted(sent, instead, "INGEST_ALERT_ALLOW_HTTP"),
        ))
    }

    pub fn working_hours(&self) -> WorkingHours {
        WorkingHours {
            days: self.alert_working_days,
            hours: self.alert_working_hours,
            zone: self.alert_time_zone,
        }
    }
}

fn standard_secret(setting: &SecretString) -> Result<WebhookSecret, SettingError> {
    match signing_secret(WEBHOOK_SECRET, setting)? {
        secret @ WebhookSecret::Standard(_) => Ok(secret),
        WebhookSecret::Plain(_) => Err(SettingError::new(
            WEBHOOK_SECRET,
            "the value does not begin with whsec_, as secrets of Standard Webhooks do",
        )),
    }
}

/// The message never holds the value, which may contain a password.
fn checked_url(name: &str, url: &SecretString, schemes: &[&str], such_as: &str) -> Result<Url, SettingError> {
    let parsed = Url::parse(url.expose_secret().trim());
    match parsed.ok().filter(|it| schemes.contains(&it.scheme()) && it.has_host()) {
        Some(url) => Ok(url),
        None => Err(SettingError::new(
            name,
            format_args!("the value is not a URL such as {such_as}"),
        )),
    }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    let address = text.trim().parse();
    address.map_err(|_| "is not an e-mail address, such as alerts@example.com".to_owned())
}

fn zone(text: &str) -> Result<Tz, String> {
    let zone = text.trim().parse();
    zone.map_err(|_| "is not the IANA name of a time zone, such as Europe/Berlin".to_owned())
}

#[cfg(test)]
mod tests;
