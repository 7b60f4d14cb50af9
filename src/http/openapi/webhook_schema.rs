//! The webhook's two formats as they are described. What is really read of them stands in `avinode::notification`: more
//! leniently, with everything unknown kept.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// Avinode's own format: a resource changed; what happened is to be fetched.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ThinNotification, rename_all = "camelCase")]
pub struct ThinNotificationSchema {
    /// The resource that changed.
    #[schema(example = "arfq-12345678")]
    id: String,
    /// Where the resource is.
    #[schema(example = "https://sandbox.avinode.com/api/rfqs/arfq-12345678")]
    href: String,
    /// The type of the resource.
    #[schema(example = "rfqs")]
    r#type: Option<String>,
    /// Its trip.
    #[schema(example = "atrip-64956150")]
    trip_id: Option<String>,
}

/// A relay's format: what happened is in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FullEvent, rename_all = "camelCase")]
pub struct FullEventSchema {
    /// What happened.
    #[schema(example = "TripRequestSellerResponse")]
    event: String,
    /// The same one twice is a duplicate.
    #[schema(example = "evt-1")]
    event_id: Option<String>,
    /// When it happened.
    #[schema(example = "2026-09-21T14:13:20Z")]
    timestamp: Option<String>,
    /// The version of the format.
    #[schema(example = "v1.0")]
    api_version: Option<String>,
    /// The event's own data: trip, request, seller, quote, message.
    #[schema(value_type = Object)]
    data: Value,
}

/// A delivery: one of the two formats. Any other JSON is kept as well, and shown as not understood.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Delivery)]
pub enum DeliverySchema {
    /// Avinode's own format.
    Thin(ThinNotificationSchema),
    /// A relay's format.
    Full(FullEventSchema),
}

/// The answer to a delivery that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryReceipt {
    /// The delivery's id.
    pub delivery: Uuid,
}
