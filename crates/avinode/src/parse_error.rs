//! The reasons for which a delivery or document cannot be parsed. They are shown as the reason of a dead job.

use super::json::JsonError;
use super::sanitize;
use ingest_domain::ids::IdError;

/// Quotes at most 100 printable characters of the body.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// Not JSON, or nested too deeply.
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error("the body is not a JSON object")]
    NotAnObject,
    #[error("the body is neither a thin notification (id, href) nor a full event (event, data)")]
    NeitherFormat,
    /// A fetched document without content.
    #[error("the data of {0}, as fetched, is not a JSON object")]
    NoDocument(String),
    #[error("the event \"{0}\" has no data object")]
    NoData(String),
    #[error("{name} is invalid: {why}")]
    BadId {
        /// The property.
        name: &'static str,
        why: IdError,
    },
    #[error("unknown event kind \"{0}\"")]
    UnknownKind(String),
    #[error("the event names no trip (data.trip.id or data.tripId)")]
    NoTrip,
    #[error("the event has the status \"quoted\" but names no quote (data.quote.id)")]
    NoQuote,
    #[error("the event is a decline but names neither an RFQ (data.request.id) nor a quote (data.quote.id)")]
    NothingDeclined,
    #[error("the event is an acceptance but names no quote (data.quote.id)")]
    NothingAccepted,
    #[error("unknown data.request.status \"{0}\", and no quote")]
    UnknownStatus(String),
    #[error("unknown data.action \"{0}\"")]
    UnknownAction(String),
    /// A quote or trip event without either.
    #[error(
        "the event names neither a quote (data.quote.id, data.quotes[].id) nor a trip that can be fetched (data.trip.id)"
    )]
    NothingNamed,
    /// The subject: an event or a resource.
    #[error("the data of the {0} contains another data object: its content is expected directly in data")]
    NestedData(&'static str),
    #[error("{name} is the number {value}: an id is a text or a whole number")]
    FractionalId {
        /// The property.
        name: String,
        value: String,
    },
    #[error("the sellerQuote of {0} has no id, and its lifts link no single quote: the quote cannot be identified")]
    NoSellerQuoteId(String),
    /// A list that was fetched.
    #[error("the data of {resource}, as fetched, is a list of {items} without an item of this id")]
    NotInList { resource: String, items: usize },
    /// Another resource than the requested one was fetched.
    #[error("the document fetched for {resource} has the id \"{found}\", so it is not applied")]
    OtherDocument { resource: String, found: String },
    #[error("the event has the action \"created\" but names no RFQ (data.request.id)")]
    NoRfq,
}

/// A text of the body, made fit for an error message.
pub(super) fn quoted(text: &str) -> String {
    sanitize::printable(text, 100)
}
