//! Parses the parts of a quote that are only displayed: aircraft, schedule, the seller's message and the contact person.

use serde_json::Value;

use super::json::text_at;
use super::sanitize;
use ingest_domain::event::{Party, QuoteDescription};
use ingest_domain::ids::ResourceId;

/// More seats than any aircraft has; a greater number is something else.
const MAX_CAPACITY: i32 = 1_000;

/// The description in a full event: `quote.aircraft`, `quote.schedule` and the person beside the company in `seller`.
pub(super) fn of_event(data: &Value) -> QuoteDescription {
    let quote = &data["quote"];
    QuoteDescription {
        aircraft_model: sanitize::printable_at(quote, &["aircraft", "model"]),
        aircraft_capacity: capacity(&quote["aircraft"], "capacity"),
        departure_time: sanitize::printable_at(quote, &["schedule", "departureTime"]),
        arrival_time: sanitize::printable_at(quote, &["schedule", "arrivalTime"]),
        message: message(quote, &["sellerMessage", "message"]).or_else(|| message(data, &["sellerMessage"])),
        contact: contact(&data["seller"]),
    }
}

/// The number of passengers at a key, as a number or as text.
pub(super) fn capacity(value: &Value, key: &str) -> Option<i32> {
    let text = text_at(value, &[key])?;
    let number: i32 = text.strip_suffix(".0").unwrap_or(&text).parse().ok()?;
    (1..=MAX_CAPACITY).contains(&number).then_some(number)
}

/// The first text under these keys.
pub(super) fn message(value: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| sanitize::paragraphs_at(value, &[key]))
}

/// The person of a seller that has a company.
fn contact(seller: &Value) -> Party {
    let text = |key| text_at(seller, &[key]);
    Party {
        id: text("id")
            .filter(|_| text("companyId").is_some())
            .and_then(|id| Some(ResourceId::parse(&id).ok()?.to_string())),
        name: sanitize::printable_at(seller, &["name"]).filter(|_| text("companyName").is_some()),
    }
}
