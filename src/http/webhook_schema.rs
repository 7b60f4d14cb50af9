//! OpenAPI description of the webhook endpoint's body formats. `avinode::notification` parses them more leniently and
//! stores unknown properties as well.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::{Problem, problem_sets};

/// Avinode's own format: a resource changed. The service fetches the resource to learn what happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThinNotification, rename_all = "camelCase")]
pub struct ThinNotificationSchema {
    /// Id of the resource that changed.
    #[schema(example = "arfq-12345678")]
    id: String,
    /// URL of the resource. It is compared with the URL that the service builds from the id, and never followed.
    #[schema(example = "https://sandbox.avinode.com/api/rfqs/arfq-12345678")]
    href: String,
    /// Type of the resource.
    #[schema(example = "rfqs")]
    r#type: Option<String>,
    /// Trip of the resource, by either of its ids.
    #[schema(example = "A1B2C3")]
    trip_id: Option<String>,
}

/// The format of a relay: the notification contains the event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FullEvent, rename_all = "camelCase")]
pub struct FullEventSchema {
    /// Event type.
    #[schema(example = "TripRequestSellerResponse")]
    event: String,
    /// Id of the event. A second event with the same id is a duplicate.
    #[schema(example = "evt-1")]
    event_id: Option<String>,
    /// Time of the event.
    #[schema(example = "2026-09-21T14:13:20Z")]
    timestamp: Option<String>,
    /// Version of the format.
    #[schema(example = "v1.0")]
    api_version: Option<String>,
    /// Data of the event: trip, request, seller, quote, message.
    #[schema(value_type = Object)]
    data: Value,
}

/// A delivery in one of two formats. Any other JSON value is stored as well; its job is dead-lettered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Delivery)]
pub enum DeliverySchema {
    Thin(ThinNotificationSchema),
    Full(FullEventSchema),
}

/// Acknowledges a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryReceipt {
    /// Id of the delivery.
    pub delivery: Uuid,
}

/// A complete thin notification, for the description.
pub(super) fn thin_notification() -> Value {
    json!({
        "id": "arfq-12345678",
        "href": "https://sandbox.avinode.com/api/rfqs/arfq-12345678",
        "type": "rfqs",
        "tripId": "A1B2C3",
    })
}

/// A complete full event, for the description.
pub(super) fn full_event() -> Value {
    json!({
        "event": "TripRequestSellerResponse",
        "eventId": "evt-quoted-001",
        "timestamp": "2026-09-21T14:13:20Z",
        "apiVersion": "v1.0",
        "data": {
            "type": "TripRequestSellerResponse",
            "trip": {"id": "atrip-64956150"},
            "request": {"id": "arfq-12345678", "status": "quoted"},
            "seller": {"id": "acontact-70000001", "name": "Northwind Jets", "companyId": "acompany-50001"},
            "quote": {
                "id": "aquote-386512791",
                "totalPrice": {"amount": 48250, "currency": "USD"},
                "validUntil": "2026-09-23T14:13:20Z",
                "aircraft": {"type": "Light Jet", "model": "Cessna Citation CJ3", "tailNumber": "N012NW", "capacity": 7},
            },
        },
    })
}

problem_sets! {
    /// Problems of the webhook endpoint.
    WebhookProblems = [
        Problem::InvalidJson,
        Problem::IncompleteBody,
        Problem::InvalidSignature { challenge: true },
        Problem::MethodNotAllowed,
        Problem::Timeout,
        Problem::TooLarge { limit: 0 },
        Problem::UnsupportedEncoding,
        Problem::ExpectationFailed,
        Problem::Internal,
        Problem::Unavailable { retry_after: 5 },
    ];
}
