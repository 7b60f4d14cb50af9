//! The settings of alerts, from the command line.

use std::time::Duration;

use crate::alerts::settings::{AlertConditions, AlertEmail, AlertSettings, AlertWebhook};
use crate::config::alerts::{AlertArgs, MailServer};
use crate::config::setting_error::SettingError;

const EVERY: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_secs(3600);

/// Returns `None` without a channel.
pub fn alert_settings(args: &AlertArgs) -> Result<Option<AlertSettings>, SettingError> {
    let webhook = args.webhook()?.map(|(url, secret)| AlertWebhook { url, secret });
    let email = args.mail_server()?;
    let email = email.map(|MailServer { url, from, to }| AlertEmail { url, from, to });
    if webhook.is_none() && email.is_none() {
        return Ok(None);
    }
    Ok(Some(AlertSettings {
        webhook,
        email,
        conditions: AlertConditions {
            pause: PAUSE,
            oldest_job: args.alert_oldest_job.0,
            no_delivery: args.alert_no_delivery.0,
            working_hours: args.working_hours(),
        },
        every: EVERY,
    }))
}
