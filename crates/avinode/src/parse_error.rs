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
    #[error("the event has the action \"created\" but names no RFQ (data.request.id)")]
    NoRfq,
}

/// A text of the body, made fit for an error message.
pub(super) fn quoted(text: &str) -> String {
    sanitize::printable(text, 100)
}
