//! The webhook settings at Avinode (`/webhooks/settings`): which calls it sends us, and where to.
//!
//! Read leniently and without the secret, which has no business here; written back as they were read, but for what is
//! to be changed.

use chrono::{DateTime, Utc};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::avinode_client::{AvinodeClient, Called};
use super::base_url::is_plain;
use super::error::FetchError;
use crate::avinode::sanitize;

/// The event types that the service cannot do without, each with what it would not learn.
pub const NEEDED: [(&str, &str); 3] = [
    ("TripRequestSellerResponse", "quotes and declines"),
    ("TripChatFromSeller", "messages of sellers"),
    ("TripRequestMine", "requests sent, changed and cancelled"),
];

/// One setting. Everything but the id may be missing or odd at Avinode, and is then empty here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookSetting {
    /// For example `whs-1583`.
    pub id: String,
    /// `displayName`.
    pub name: Option<String>,
    /// `targetURI`: where calls go, without a password if it holds one.
    pub target: Option<String>,
    /// `active`.
    pub active: bool,
    /// `clientIdentifier`: the user name with which Avinode calls.
    pub identifier: Option<String>,
    /// `clientAuthenticationType`, for example `BASIC`.
    pub authentication: Option<String>,
    /// `eventTypes`.
    pub events: Vec<String>,
    /// All of it but the secret, to be written back.
    #[serde(skip)]
    whole: Map<String, Value>,
}

/// What a setting is to be, or to become: `None` leaves it as it is.
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

/// All settings, and the time that Avinode has, by which ours can be judged.
#[derive(Debug, Clone)]
pub struct WebhookSettingList {
    /// The settings, or why there is no list.
    pub settings: Result<Vec<WebhookSetting>, FetchError>,
    /// The `Date` of the answer, which also a refusal has.
    pub server_time: Option<DateTime<Utc>>,
}

impl WebhookSetting {
    fn read(value: &Value) -> Option<Self> {
        let shown = |key| sanitize::shown_at(value, &[key]);
        let mut whole = value.as_object()?.clone();
        // Should it come at all, it is masked or it is true; neither is to be kept, shown or written back.
        whole.remove("clientSecret");
        let events = value.get("eventTypes").and_then(Value::as_array);
        Some(Self {
            id: shown("id")?,
            name: shown("displayName"),
            target: shown("targetURI").map(|target| without_password(&target)),
            active: value.get("active").and_then(Value::as_bool).unwrap_or(false),
            identifier: shown("clientIdentifier"),
            authentication: shown("clientAuthenticationType"),
            events: events
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|event| sanitize::shown(event, 100))
                .collect(),
            whole,
        })
    }

    /// Whether calls of an event type come to `target`, or to anywhere where none is named.
    pub fn sends(&self, event: &str, target: Option<&str>) -> bool {
        let ours = target.is_none_or(|target| self.target.as_deref().is_some_and(|its| same(its, target)));
        self.active && ours && self.events.iter().any(|its| its == event)
    }
}

/// The needed event types that no active setting sends to `target`.
pub fn missing(settings: &[WebhookSetting], target: Option<&str>) -> Vec<&'static str> {
    let needed = NEEDED.iter().map(|(event, _)| *event);
    needed
        .filter(|event| settings.iter().all(|setting| !setting.sends(event, target)))
        .collect()
}

impl WebhookSettingPatch {
    /// The properties to be written.
    fn properties(&self) -> Map<String, Value> {
        let mut properties = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                properties.insert(key.to_owned(), value);
            }
        };
        put("targetURI", self.target.as_ref().map(|target| json!(target)));
        put("displayName", self.name.as_ref().map(|name| json!(name)));
        put("active", self.active.map(Value::Bool));
        put("eventTypes", self.events.as_ref().map(|events| json!(events)));
        if let Some((identifier, secret)) = &self.credentials {
            put("clientIdentifier", Some(json!(identifier)));
            put("clientSecret", Some(json!(secret.expose_secret())));
            put("clientAuthenticationType", Some(json!("BASIC")));
        }
        properties
    }
}

impl AvinodeClient {
    /// Lists the settings. One call.
    pub async fn webhooks(&self) -> WebhookSettingList {
        let called = self.on_settings(Method::GET, None, None, "GET webhooks/settings").await;
        let read = |data: &Value| match data {
            Value::Array(all) => all.iter().filter_map(WebhookSetting::read).collect(),
            // One setting where a list was expected is a list of one.
            one => WebhookSetting::read(one).into_iter().collect(),
        };
        WebhookSettingList {
            settings: called.result.map(|document| read(&document.data)),
            server_time: called.server_time,
        }
    }

    /// Makes a setting; `None` where it was made and the answer does not show it.
    ///
    /// # Errors
    /// Why it is not certain that there is one.
    pub async fn create_webhook(&self, wish: &WebhookSettingPatch) -> Result<Option<WebhookSetting>, FetchError> {
        let body = Value::Object(wish.properties());
        let what = "POST webhooks/settings";
        let called = self.on_settings(Method::POST, None, Some(&body), what).await;
        Ok(WebhookSetting::read(&called.result?.data))
    }

    /// Writes a setting back with what is wished for changed. The secret is sent where the wish names it, and else left out.
    ///
    /// # Errors
    /// Why it is not certain that it was changed.
    pub async fn update_webhook(&self, setting: &WebhookSetting, wish: &WebhookSettingPatch) -> Result<(), FetchError> {
        let mut whole = setting.whole.clone();
        whole.extend(wish.properties());
        let body = Value::Object(whole);
        let what = format!("PUT webhooks/settings/{}", setting.id);
        let called = self
            .on_settings(Method::PUT, Some(&setting.id), Some(&body), &what)
            .await;
        called.result.map(drop)
    }

    async fn on_settings(&self, method: Method, id: Option<&str>, body: Option<&Value>, what: &str) -> Called {
        let mut segments = vec!["webhooks", "settings"];
        segments.extend(id);
        match self.base().below(&segments).filter(|_| id.is_none_or(is_plain)) {
            Some(url) => self.call(method, url, body, what).await,
            None => Called::without_answer(FetchError::refused(what, "the id has not the shape of Avinode's ids")),
        }
    }
}

/// Whether two URLs are one, however they are written.
fn same(one: &str, other: &str) -> bool {
    match (url::Url::parse(one), url::Url::parse(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn without_password(target: &str) -> String {
    match url::Url::parse(target) {
        Ok(mut url) if url.password().is_some() => {
            let _ = url.set_password(Some("redacted")); // a URL with a password can have another one
            url.into()
        }
        _ => target.to_owned(),
    }
}

#[cfg(test)]
mod tests;
