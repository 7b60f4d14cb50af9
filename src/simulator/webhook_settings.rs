//! Webhook settings as Avinode keeps them: made and changed by the API, never deleted, and where the sender looks up
//! whom to tell.

use serde_json::{Value, json};

/// The event types that a setting may subscribe to, by Avinode's pages.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AuthMode {
    /// First without credentials, then with them after a 401.
    Challenge,
    /// With credentials in the first request.
    Preemptive,
    /// Without credentials.
    #[value(skip)]
    Nothing,
}

/// Whom to tell, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// The setting's id.
    pub setting: String,
    /// Where to.
    pub uri: String,
    /// As whom.
    pub identifier: String,
    /// With this.
    pub secret: String,
    /// How.
    pub proof: AuthMode,
}

/// All settings, as JSON objects: what is unknown in one is kept.
#[derive(Debug, Default)]
pub struct WebhookSettings(Vec<Value>);

impl WebhookSettings {
    /// All of them.
    pub fn list(&self) -> Value {
        Value::Array(self.0.clone())
    }

    /// Makes a setting and returns it with its id.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn create(&mut self, mut setting: Value) -> Result<Value, &'static str> {
        check(&setting)?;
        setting["id"] = json!(format!("whs-{}", 1501 + self.0.len()));
        if setting.get("active").is_none() {
            setting["active"] = json!(true);
        }
        self.0.push(setting.clone());
        Ok(setting)
    }

    /// Changes the fields that are given. None where there is no such setting.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn update(&mut self, id: &str, given: &Value) -> Result<Option<Value>, &'static str> {
        let Some(known) = self.0.iter_mut().find(|setting| setting["id"] == id) else {
            return Ok(None);
        };
        let mut changed = known.clone();
        for (name, value) in given
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "id")
        {
            changed[name] = value.clone();
        }
        check(&changed)?;
        known.clone_from(&changed);
        Ok(Some(changed))
    }

    /// Who wants to be told of this event.
    pub fn targets(&self, event_type: &str) -> Vec<WebhookTarget> {
        let wants = |setting: &&Value| {
            let subscribed = setting["eventTypes"]
                .as_array()
                .is_some_and(|types| types.contains(&json!(event_type)));
            setting["active"] == true && subscribed
        };
        let text = |setting: &Value, name: &str| setting[name].as_str().unwrap_or_default().to_owned();
        let target = |setting: &Value| WebhookTarget {
            setting: text(setting, "id"),
            uri: text(setting, "targetURI"),
            identifier: text(setting, "clientIdentifier"),
            secret: text(setting, "clientSecret"),
            proof: match setting["clientAuthenticationType"].as_str() {
                Some("BASIC") => AuthMode::Challenge,
                Some("PREEMPTIVE_BASIC") => AuthMode::Preemptive,
                _ => AuthMode::Nothing,
            },
        };
        self.0.iter().filter(wants).map(target).collect()
    }
}

fn check(setting: &Value) -> Result<(), &'static str> {
    if !setting.is_object() {
        return Err("a setting is an object");
    }
    let uri = setting["targetURI"].as_str().unwrap_or_default();
    if !uri.starts_with("http://") && !uri.starts_with("https://") {
        return Err("targetURI must be a URL");
    }
    let types = setting["eventTypes"].as_array().ok_or("eventTypes must be a list")?;
    if types
        .iter()
        .any(|name| !name.as_str().is_some_and(|name| EVENT_TYPES.contains(&name)))
    {
        return Err("eventTypes holds a type that there is not");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
