//! Bodies of full events, as a relay sends them.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

/// The time from which all tests count, in the past.
pub fn base() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}

/// `base()` plus seconds, in the format of events.
pub fn at(seconds: i64) -> String {
    (base() + Duration::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A full event with this `data`.
#[expect(clippy::needless_pass_by_value, reason = "callers write the object where they call")]
pub fn event(kind: &str, event_id: &str, seconds: i64, data: Value) -> Value {
    json!({"event": kind, "eventId": event_id, "timestamp": at(seconds), "apiVersion": "v1.0", "data": data})
}

/// A quote received.
pub fn quote(event_id: &str, trip: &str, rfq: &str, quote: &str, seconds: i64, price: &str, currency: &str) -> Value {
    let amount: Value = serde_json::from_str(price).unwrap();
    event(
        "TripRequestSellerResponse",
        event_id,
        seconds,
        json!({
            "type": "TripRequestSellerResponse",
            "trip": {"id": trip, "href": format!("https://sandbox.avinode.com/api/trips/{trip}")},
            "request": {"id": rfq, "href": format!("https://sandbox.avinode.com/api/rfqs/{rfq}"), "status": "quoted"},
            "seller": {"id": "seller-1", "name": "A. Seller", "companyId": "company-1", "companyName": "Northwind Jets"},
            "quote": {
                "id": quote,
                "href": format!("https://sandbox.avinode.com/api/quotes/{quote}"),
                "totalPrice": {"amount": amount, "currency": currency},
                "aircraft": {"type": "Light Jet", "model": "Example 300", "capacity": 6},
            },
        }),
    )
}

/// A quote of ten thousand dollars, with an RFQ of its own.
pub fn quote_of(trip: &str, id: &str, seconds: i64) -> Value {
    let (event, rfq) = (format!("evt-{trip}-{id}-{seconds}"), format!("arfq-{id}"));
    quote(&event, trip, &rfq, id, seconds, "10000", "USD")
}

/// A decline of an RFQ.
pub fn decline(event_id: &str, trip: &str, rfq: &str, seconds: i64) -> Value {
    event(
        "TripRequestSellerResponse",
        event_id,
        seconds,
        json!({
            "type": "TripRequestSellerResponse",
            "trip": {"id": trip},
            "request": {"id": rfq, "status": "declined"},
            "seller": {"id": "seller-1", "name": "A. Seller", "companyId": "company-1"},
            "declineReason": "AIRCRAFT_NOT_AVAILABLE",
        }),
    )
}

/// An RFQ that was sent (`created`) or `cancelled`, or a trip that was `updated` or `expired`.
pub fn trip(event_id: &str, trip: &str, rfq: &str, action: &str, seconds: i64) -> Value {
    event(
        "TripRequestMine",
        event_id,
        seconds,
        json!({"type": "TripRequestMine", "trip": {"id": trip}, "request": {"id": rfq, "status": "pending"}, "action": action}),
    )
}

/// A trip that was cancelled, with all of its RFQs.
pub fn trip_cancelled(event_id: &str, trip: &str, seconds: i64) -> Value {
    event("TripCancelled", event_id, seconds, json!({"trip": {"id": trip}}))
}

/// A chat message.
pub fn message(event_id: &str, trip: &str, message: &str, seconds: i64) -> Value {
    event(
        "TripChatFromSeller",
        event_id,
        seconds,
        json!({
            "type": "TripChatFromSeller",
            "trip": {"id": trip},
            "message": {"id": message, "content": "Catering is included.", "sentAt": at(seconds)},
            "sender": {"id": "seller-1", "name": "A. Seller", "companyId": "company-1", "companyName": "Northwind Jets"},
        }),
    )
}
