//! Every reason for which a delivery ends as a dead job, in one list: it is what an operator reads.

use super::json::JsonError;
use super::sanitize;
use crate::domain::ids::IdError;

/// Why a delivery is not understood, in words for an operator. Quotes at most 100 characters of the body, made printable.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// Not JSON, or too deep.
    #[error(transparent)]
    Unreadable(#[from] JsonError),
    /// JSON, but not an object.
    #[error("not understood: the body is not a JSON object")]
    NotAnObject,
    /// An object of neither format.
    #[error("not understood: neither a thin notification (id, href) nor a full event (event, data)")]
    NeitherFormat,
    /// A fetched document without its content.
    #[error("not understood: the data of {0}, as fetched, is not a JSON object")]
    NoDocument(String),
    /// A full event without its content.
    #[error("not understood: the event `{0}` has no data object")]
    NoData(String),
    /// An id that cannot be kept.
    #[error("not understood: {name} cannot be kept: {why}")]
    BadId {
        /// The property.
        name: &'static str,
        /// The check that it failed.
        why: IdError,
    },
    /// An event's name that no rule knows.
    #[error("not understood: unknown event kind `{0}`")]
    UnknownKind(String),
    /// An event that names no trip.
    #[error("not understood: the event names no trip (data.trip.id or data.tripId)")]
    NoTrip,
    /// A seller's answer that says quoted, without a quote.
    #[error("not understood: the event says quoted but names no quote (data.quote.id)")]
    NoQuote,
    /// A decline of nothing.
    #[error("not understood: the event says declined but names neither request nor quote")]
    NothingDeclined,
    /// A seller's answer of an unknown status.
    #[error("not understood: unknown data.request.status `{0}`, and no quote")]
    UnknownStatus(String),
    /// A trip event of an unknown action.
    #[error("not understood: unknown data.action `{0}`")]
    UnknownAction(String),
    /// A trip request that does not say which.
    #[error("not understood: a created trip request names no request (data.request.id)")]
    NoRequest,
}

/// A text of the body, made fit for an error.
pub(super) fn quoted(text: &str) -> String {
    sanitize::shown(text, 100)
}
