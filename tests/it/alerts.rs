//! Alerts without a monitoring system: the running service, a real receiver that verifies signatures, and a real mail server.

mod channels;
mod conditions;
mod outages;
mod program;

use std::time::Duration;

use avinode_ingest::alerts::settings::{AlertConditions, AlertSettings, AlertWebhook};
use avinode_ingest::avinode::signature::secrets::WebhookSecret;
use avinode_ingest::domain::working_hours::WorkingHours;
use avinode_ingest::service::ServiceSettings;

use crate::support::alert_receiver::{AlertReceiver, secret};

/// A webhook and the documented pause; no condition that depends on time.
fn settings(receiver: &AlertReceiver) -> AlertSettings {
    AlertSettings {
        webhook: Some(AlertWebhook {
            url: receiver.url.clone().into(),
            secret: Some(WebhookSecret::parse(&secret()).unwrap()),
        }),
        email: None,
        conditions: AlertConditions {
            pause: Duration::from_secs(3600),
            oldest_job: None,
            no_delivery: None,
            working_hours: WorkingHours {
                days: "mon-sun".parse().unwrap(),
                hours: "00:00-24:00".parse().unwrap(),
                zone: "UTC".parse().unwrap(),
            },
        },
        every: Duration::from_millis(50),
    }
}

fn service(alerts: AlertSettings) -> ServiceSettings {
    ServiceSettings {
        alerts: Some(alerts),
        ..ServiceSettings::default()
    }
}

/// An event of an unknown kind, which is dead-lettered.
fn unknown_event(id: &str) -> Vec<u8> {
    let body = crate::support::bodies::event("JaneDoeCalled", id, 0, serde_json::json!({"name": "Jane Doe"}));
    serde_json::to_vec(&body).unwrap()
}
