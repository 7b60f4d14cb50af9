//! The events of `trigger` and of the demo's load: fixtures with other ids and the present time.

use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::ValueEnum;
use rust_decimal::Decimal;
use serde_json::{Number, Value, json};
use uuid::Uuid;

use crate::cli::fixtures::{Fixture, FixtureError};

/// The kinds, in the words of `deliveries list --kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum TriggerKind {
    /// An operator quotes
    Quote,
    /// An operator declines
    Decline,
    /// An operator writes a message
    Message,
    /// The buyer accepts a quote
    Acceptance,
    /// The buyer sends an RFQ
    RfqSent,
    /// The buyer cancels the trip
    Cancellation,
}

impl TriggerKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quote => "quote",
            Self::Decline => "decline",
            Self::Message => "message",
            Self::Acceptance => "acceptance",
            Self::RfqSent => "rfq_sent",
            Self::Cancellation => "cancellation",
        }
    }

    fn fixture(self) -> &'static str {
        match self {
            Self::Quote => include_str!("../../../fixtures/01-several-operators/05-quote-of-northwind.json"),
            Self::Decline => include_str!("../../../fixtures/02-a-decline/06-decline-of-kestrel-point.json"),
            Self::Message => include_str!("../../../fixtures/08-chat-messages/02-from-the-seller.json"),
            Self::Acceptance => include_str!("../../../fixtures/01-several-operators/08-quote-accepted.json"),
            Self::RfqSent => include_str!("../../../fixtures/01-several-operators/01-request-to-northwind.json"),
            Self::Cancellation => include_str!("../../../fixtures/07-a-trip-cancelled/04-cancelled.json"),
        }
    }
}

#[derive(Debug, Clone)]
pub struct EventIds {
    pub event: String,
    pub trip: String,
    pub rfq: String,
    pub quote: String,
    pub message: String,
}

impl EventIds {
    /// Ids in the form of Avinode's, which nothing else has.
    pub fn random() -> Self {
        let number = || rand::random_range(1_000_000_000_u64..10_000_000_000);
        Self {
            event: format!("evt-{}", Uuid::now_v7().simple()),
            trip: format!("atrip-{}", number()),
            rfq: format!("arfq-{}", number()),
            quote: format!("aquote-{}", number()),
            message: format!("asellermsg-{}", number()),
        }
    }
}

/// Values that replace those of the fixture.
#[derive(Debug, Clone, Default)]
pub struct EventTexts {
    pub price: Option<Decimal>,
    pub currency: Option<String>,
    pub text: Option<String>,
}

/// The objects of an event that have an id, the collection in the API to which they belong, and the word for them.
const OBJECTS: [(&str, &str, &str); 4] = [
    ("trip", "trips", "trip"),
    ("request", "rfqs", "RFQ"),
    ("quote", "quotes", "quote"),
    ("message", "tripmsgs", "message"),
];

fn id<'a>(ids: &'a EventIds, object: &str) -> &'a str {
    match object {
        "trip" => &ids.trip,
        "request" => &ids.rfq,
        "quote" => &ids.quote,
        _ => &ids.message,
    }
}

/// The body of an event that happens now.
pub fn body(
    kind: TriggerKind,
    ids: &EventIds,
    texts: &EventTexts,
    now: DateTime<Utc>,
) -> Result<Vec<u8>, FixtureError> {
    let path = PathBuf::from(kind.as_str());
    let fixture = Fixture {
        path: path.clone(),
        template: kind.fixture().into(),
    };
    let parsed = serde_json::from_slice(&fixture.body(now)?);
    let mut event: Value = parsed.map_err(|source| FixtureError::Manifest { path, source })?;
    let time = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    event["eventId"] = json!(ids.event);
    event["timestamp"] = json!(time);
    let data = &mut event["data"];
    for (object, collection, _) in OBJECTS {
        if let Some(named) = data.get_mut(object) {
            let id = id(ids, object);
            named["id"] = json!(id);
            named["href"] = json!(format!("https://sandbox.avinode.com/api/{collection}/{id}"));
        }
    }
    if let Some(price) = data.pointer_mut("/quote/totalPrice") {
        let amount = texts.price.and_then(|amount| amount.to_string().parse::<Number>().ok());
        if let Some(amount) = amount {
            price["amount"] = Value::Number(amount);
        }
        if let Some(currency) = &texts.currency {
            price["currency"] = json!(currency);
        }
    }
    if let Some(message) = data.get_mut("message") {
        message["sentAt"] = json!(time);
        if let Some(text) = &texts.text {
            message["content"] = json!(text);
        }
    }
    Ok(event.to_string().into_bytes())
}

/// The ids that an event of this kind names, each with the word for it.
pub fn named(kind: TriggerKind, ids: &EventIds) -> Vec<(&'static str, String)> {
    let template = kind.fixture();
    let objects = OBJECTS
        .into_iter()
        .filter(|(object, ..)| template.contains(&format!("\"{object}\": {{")));
    let objects = objects.map(|(object, _, word)| (word, id(ids, object).to_owned()));
    [("event", ids.event.clone())].into_iter().chain(objects).collect()
}

#[cfg(test)]
mod tests;
