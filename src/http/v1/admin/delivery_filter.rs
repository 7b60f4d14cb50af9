//! The filters of deliveries: as query parameters of their list, and in the body of a batch. The command line writes them, and the
//! handlers parse them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::cursors::DeliveryCursor;
use super::values::{limit, position, printable, subject, time};
use crate::admin::selection::DeliverySelection;
use crate::domain::subject::SubjectKind;
use crate::http::v1::cursor;
use crate::http::v1::problem::ApiProblem;
use crate::store::admin::delivery_list::{DeliveryFilter, DeliveryOutcome};
use crate::store::admin::subject_filter::SubjectFilter;

/// Parameters of the list of deliveries. Filters are combined with AND.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryListParams {
    /// Only of this Avinode trip, by any of its ids in any spelling.
    trip: Option<String>,
    /// Only of this RFQ, in any spelling.
    rfq: Option<String>,
    /// Only of this quote.
    quote: Option<String>,
    /// Only of this chat session and its trip.
    session: Option<Uuid>,
    /// Only of this event: the `eventId` of a full event.
    event: Option<String>,
    /// Only deliveries of this kind.
    kind: Option<SubjectKind>,
    /// Only deliveries with this outcome.
    outcome: Option<DeliveryOutcome>,
    /// Only deliveries received since this time.
    since: Option<DateTime<Utc>>,
    /// Only deliveries received before this time.
    until: Option<DateTime<Utc>>,
    /// Only deliveries with this text in their body or outcome, as written. A page looks through 20000 deliveries, so it may have fewer
    /// items than `limit` and still a `next_cursor`.
    text: Option<String>,
    /// Maximum number of deliveries; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// Selects the deliveries of a batch. Filters are combined with AND; at least one is needed.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryBatchFilter {
    /// Only of this Avinode trip, by any of its ids in any spelling.
    trip: Option<String>,
    /// Only of this RFQ, in any spelling.
    rfq: Option<String>,
    /// Only of this quote.
    quote: Option<String>,
    /// Only of this chat session and its trip.
    session: Option<Uuid>,
    /// Only of this event: the `eventId` of a full event.
    event: Option<String>,
    /// Only deliveries of this kind.
    kind: Option<SubjectKind>,
    /// Only deliveries with this outcome.
    outcome: Option<DeliveryOutcome>,
    /// Only deliveries received since this time.
    since: Option<DateTime<Utc>>,
    /// Only deliveries received before this time.
    until: Option<DateTime<Utc>>,
    /// Only deliveries with this text in their body or outcome, as written.
    text: Option<String>,
}

impl DeliveryListParams {
    pub fn parse(self) -> Result<DeliveryFilter, ApiProblem> {
        let (selection, before, limit) = self.selection()?;
        Ok(selection.filter(before, limit))
    }

    /// The filters, the delivery before which the page begins, and the limit.
    pub fn selection(self) -> Result<(DeliverySelection, Option<Uuid>, i64), ApiProblem> {
        let (before, limit) = (position(self.cursor)?, limit(self.limit)?);
        let filter = DeliveryBatchFilter {
            trip: self.trip,
            rfq: self.rfq,
            quote: self.quote,
            session: self.session,
            event: self.event,
            kind: self.kind,
            outcome: self.outcome,
            since: self.since,
            until: self.until,
            text: self.text,
        };
        Ok((filter.parse()?, before.map(|DeliveryCursor(id)| id), limit))
    }
}

impl From<&DeliveryFilter> for DeliveryListParams {
    /// All but the limit, which is that of a page.
    fn from(filter: &DeliveryFilter) -> Self {
        let DeliveryFilter {
            subject,
            kind,
            outcome,
            since,
            until,
            text,
            before,
            limit: _,
        } = filter.clone();
        let SubjectFilter {
            trip,
            rfq,
            quote,
            session,
            event,
        } = subject;
        Self {
            trip,
            rfq,
            quote,
            session,
            event,
            kind,
            outcome,
            since,
            until,
            text,
            limit: None,
            cursor: before.map(|id| cursor::encode(&DeliveryCursor(id))),
        }
    }
}

impl DeliveryBatchFilter {
    pub fn parse(self) -> Result<DeliverySelection, ApiProblem> {
        Ok(DeliverySelection {
            subject: subject(self.trip, self.rfq, self.quote, self.session, self.event)?,
            kind: self.kind,
            outcome: self.outcome,
            since: time("since", self.since)?,
            until: time("until", self.until)?,
            text: printable("text", self.text)?,
        })
    }
}

impl From<&DeliverySelection> for DeliveryBatchFilter {
    fn from(selection: &DeliverySelection) -> Self {
        let DeliverySelection {
            subject,
            kind,
            outcome,
            since,
            until,
            text,
        } = selection.clone();
        let SubjectFilter {
            trip,
            rfq,
            quote,
            session,
            event,
        } = subject;
        Self {
            trip,
            rfq,
            quote,
            session,
            event,
            kind,
            outcome,
            since,
            until,
            text,
        }
    }
}
