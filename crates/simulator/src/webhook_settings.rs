//! Webhook settings as Avinode stores them: created and changed over the API, never deleted. The sender finds its targets here.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The event types of Avinode's pages.
pub const EVENT_TYPES: [&str; 9] = [
    "ClientLeads",
    "EmptyLegs",
    "TripRequest",
    "TripRequestSellerResponse",
    "TripRequestMine",
    "TripRequestSellerResponseMine",
    "TripChatFromBuyer",
    "TripChatFromSeller",
    "TripChatMine",
];

/// Authentication of the sender towards a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
pub enum AuthMode {
    /// First without credentials, then with them after a 401.
    #[serde(rename = "BASIC")]
    Challenge,
    /// With credentials in the first request.
    #[serde(rename = "PREEMPTIVE_BASIC")]
    Preemptive,
    /// Without credentials.
    #[value(skip)]
    #[serde(rename = "NONE")]
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    pub url: String,
    pub identifier: String,
    pub secret: String,
    pub auth_mode: AuthMode,
}

/// JSON objects, so that unknown fields are kept.
#[derive(Debug, Default)]
pub struct WebhookSettings(Vec<Value>);

impl WebhookSettings {
    pub fn list(&self) -> Value {
        Value::Array(self.0.clone())
    }

    /// Creates a setting and returns it with its id.
    pub fn create(&mut self, mut setting: Value) -> Result<Value, &'static str> {
        validate(&setting)?;
        setting["id"] = json!(format!("whs-{}", 1501 + self.0.len()));
        if setting.get("active").is_none() {
            setting["active"] = json!(true);
        }
        self.0.push(setting.clone());
        Ok(setting)
    }

    /// Changes the given fields of a setting, if it exists.
    pub fn update(&mut self, id: &str, changes: &Value) -> Result<Option<Value>, &'static str> {
        let Some(setting) = self.0.iter_mut().find(|setting| setting["id"] == id) else {
            return Ok(None);
        };
        let mut changed = setting.clone();
        for (name, value) in changes.as_object().into_iter().flatten() {
            if name != "id" {
                changed[name] = value.clone();
            }
        }
        validate(&changed)?;
        setting.clone_from(&changed);
        Ok(Some(changed))
    }

    /// Returns the targets of active settings that subscribe to this event type.
    pub fn targets(&self, event_type: &str) -> Vec<WebhookTarget> {
        let is_subscribed = |setting: &&Value| {
            let event_types = setting["eventTypes"].as_array();
            setting["active"] == true && event_types.is_some_and(|types| types.contains(&json!(event_type)))
        };
        let target = |setting: &Value| {
            let text = |name: &str| setting[name].as_str().unwrap_or_default().to_owned();
            WebhookTarget {
                url: text("targetURI"),
                identifier: text("clientIdentifier"),
                secret: text("clientSecret"),
                auth_mode: AuthMode::deserialize(&setting["clientAuthenticationType"]).unwrap_or(AuthMode::Nothing),
            }
        };
        self.0.iter().filter(is_subscribed).map(target).collect()
    }
}

fn validate(setting: &Value) -> Result<(), &'static str> {
    if !setting.is_object() {
        return Err("a setting must be an object");
    }
    let url = setting["targetURI"].as_str().unwrap_or_default();
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err("targetURI must be a URL");
    }
    let types = setting["eventTypes"].as_array().ok_or("eventTypes must be a list")?;
    let is_known = |name: &Value| name.as_str().is_some_and(|name| EVENT_TYPES.contains(&name));
    if !types.iter().all(is_known) {
        return Err("eventTypes has an unknown type");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
