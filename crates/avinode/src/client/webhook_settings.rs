//! The webhook settings at Avinode (`/webhooks/settings`): the event types that it sends, and their targets.
//!
//! Parsed leniently and without the secret; written back as they were read, except for the requested changes.

use chrono::{DateTime, Utc};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::avinode_client::{AvinodeClient, FetchResult};
use super::base_url::is_plain_id;
use super::error::FetchError;
use crate::sanitize;

/// The event types that the service needs, each with the information it carries.
pub const NEEDED_EVENTS: [(&str, &str); 3] = [
    ("TripRequestSellerResponse", "quotes and declines"),
    ("TripChatFromSeller", "messages of sellers"),
    ("TripRequestMine", "requests sent, changed and cancelled"),
];

/// One setting. Every property but the id may be missing or odd, and is then empty here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookSetting {
    /// For example `whs-1583`.
    pub id: String,
    /// `displayName`.
    pub name: Option<String>,
    /// `targetURI`, without a password if it contains one.
    pub target: Option<String>,
    /// `active`.
    pub active: bool,
    /// `clientIdentifier`: the user name that Avinode sends.
    pub identifier: Option<String>,
    /// `clientAuthenticationType`, for example `BASIC`.
    pub authentication: Option<String>,
    /// `eventTypes`.
    pub events: Vec<String>,
    /// All properties but the secret, to write back.
    #[serde(skip)]
    properties: Map<String, Value>,
}

/// A new setting, or the changes of one: `None` leaves a property as it is.
#[derive(Debug, Clone, Default)]
pub struct WebhookSettingPatch {
    /// `targetURI`.
    pub target: Option<String>,
    /// `displayName`.
    pub name: Option<String>,
    /// `active`.
    pub active: Option<bool>,
    /// `eventTypes`.
    pub events: Option<Vec<String>>,
    /// `clientIdentifier` and `clientSecret`, for Basic authentication.
    pub credentials: Option<(String, SecretString)>,
}

#[derive(Debug, Clone)]
pub struct WebhookSettingList {
    pub settings: Result<Vec<WebhookSetting>, FetchError>,
    /// The `Date` of the response, for comparison with our clock; a refusal has one, too.
    pub server_time: Option<DateTime<Utc>>,
}

impl WebhookSetting {
    fn read(value: &Value) -> Option<Self> {
        let printable = |key| sanitize::printable_at(value, &[key]);
        let mut properties = value.as_object()?.clone();
        // If it is there at all, it is masked or the real one: neither may be stored, shown or written back.
        properties.remove("clientSecret");
        let events = value.get("eventTypes").and_then(Value::as_array);
        Some(Self {
            id: printable("id")?,
            name: printable("displayName"),
            target: printable("targetURI").map(|target| without_password(&target)),
            active: value.get("active").and_then(Value::as_bool).unwrap_or(false),
            identifier: printable("clientIdentifier"),
            authentication: printable("clientAuthenticationType"),
            events: events
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|event| sanitize::printable(event, 100))
                .collect(),
            properties,
        })
    }

    /// True if this setting sends an event type to `target`, or to any target if none is given.
    pub fn sends(&self, event: &str, target: Option<&str>) -> bool {
        let is_target = |target| self.target.as_deref().is_some_and(|own| is_same_url(own, target));
        self.active && target.is_none_or(is_target) && self.events.iter().any(|sent| sent == event)
    }
}

/// The needed event types that no active setting sends to `target`.
pub fn missing(settings: &[WebhookSetting], target: Option<&str>) -> Vec<&'static str> {
    let needed = NEEDED_EVENTS.iter().map(|(event, _)| *event);
    needed
        .filter(|event| settings.iter().all(|setting| !setting.sends(event, target)))
        .collect()
}

impl WebhookSettingPatch {
    fn properties(&self) -> Map<String, Value> {
        let mut properties = Map::from_iter([
            ("targetURI".to_owned(), json!(self.target)),
            ("displayName".to_owned(), json!(self.name)),
            ("active".to_owned(), json!(self.active)),
            ("eventTypes".to_owned(), json!(self.events)),
        ]);
        if let Some((identifier, secret)) = &self.credentials {
            properties.insert("clientIdentifier".to_owned(), json!(identifier));
            properties.insert("clientSecret".to_owned(), json!(secret.expose_secret()));
            properties.insert("clientAuthenticationType".to_owned(), json!("BASIC"));
        }
        properties.retain(|_, value| !value.is_null());
        properties
    }
}

impl AvinodeClient {
    /// Lists the settings, with one call.
    pub async fn webhooks(&self) -> WebhookSettingList {
        let response = self
            .call_settings(Method::GET, None, None, "GET webhooks/settings")
            .await;
        let what = "GET webhooks/settings";
        let read = |data: &Value| {
            let all = match data {
                Value::Array(all) => &all[..],
                // A single setting instead of a list is a list of one.
                one => std::slice::from_ref(one),
            };
            // A setting that is left out looks like one that does not exist, and is created once more.
            let settings = all.iter().map(WebhookSetting::read).collect::<Option<Vec<_>>>();
            settings.ok_or_else(|| FetchError::permanent(what, "the answer is not a list of settings with an id each"))
        };
        WebhookSettingList {
            settings: response.result.and_then(|document| read(&document.data)),
            server_time: response.server_time,
        }
    }

    /// Creates a setting; `None` if it was created and the response does not show it.
    ///
    /// # Errors
    /// The setting may not exist.
    pub async fn create_webhook(&self, new: &WebhookSettingPatch) -> Result<Option<WebhookSetting>, FetchError> {
        let body = Value::Object(new.properties());
        let what = "POST webhooks/settings";
        let response = self.call_settings(Method::POST, None, Some(&body), what).await;
        Ok(WebhookSetting::read(&response.result?.data))
    }

    /// Writes a setting back with the changes. The secret is sent only if the patch contains it.
    ///
    /// # Errors
    /// The setting may not have changed.
    pub async fn update_webhook(
        &self,
        setting: &WebhookSetting,
        patch: &WebhookSettingPatch,
    ) -> Result<(), FetchError> {
        let mut properties = setting.properties.clone();
        properties.extend(patch.properties());
        let body = Value::Object(properties);
        let what = format!("PUT webhooks/settings/{}", setting.id);
        let response = self
            .call_settings(Method::PUT, Some(&setting.id), Some(&body), &what)
            .await;
        response.result.map(drop)
    }

    async fn call_settings(&self, method: Method, id: Option<&str>, body: Option<&Value>, what: &str) -> FetchResult {
        let mut segments = vec!["webhooks", "settings"];
        segments.extend(id);
        let url = self.base().join(&segments).filter(|_| id.is_none_or(is_plain_id));
        let url = url.ok_or_else(|| "the id does not have the shape of Avinode's ids".to_owned());
        self.call(method, url, body, what).await
    }
}

/// Compares two URLs in any spelling.
fn is_same_url(one: &str, other: &str) -> bool {
    match (url::Url::parse(one), url::Url::parse(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn without_password(target: &str) -> String {
    match url::Url::parse(target) {
        Ok(mut url) if url.password().is_some() => {
            let _ = url.set_password(Some("redacted")); // cannot fail: the URL has a password
            url.into()
        }
        _ => target.to_owned(),
    }
}

#[cfg(test)]
mod tests;
