//! The filters of jobs: as query parameters of their list, and in the body of a batch. The command line writes them, and the handlers
//! parse them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::cursors::JobCursor;
use super::values::{limit, position, printable, subject, time};
use crate::admin::job_list::JobListFilter;
use crate::admin::selection::JobSelection;
use crate::http::v1::cursor;
use crate::http::v1::problem::ApiProblem;
use crate::queue::job_kind::JobKind;
use crate::queue::job_state::JobState;
use crate::store::admin::delivery_list::DeliveryOutcome;
use crate::store::admin::subject_filter::SubjectFilter;

/// Parameters of the list of jobs. Filters are combined with AND.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobListParams {
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
    /// Only jobs in this state.
    state: Option<JobState>,
    /// Only jobs of this kind.
    kind: Option<JobKind>,
    /// Only jobs of deliveries with this outcome. A job that is not dead has one that is `queued`.
    outcome: Option<DeliveryOutcome>,
    /// Only jobs inserted since this time.
    since: Option<DateTime<Utc>>,
    /// Only jobs inserted before this time.
    until: Option<DateTime<Utc>>,
    /// Only jobs with this text in their key, reason or failures, in any case.
    text: Option<String>,
    /// Only jobs with this text in their reason, in any case.
    reason: Option<String>,
    /// Timers as well, which wait for a time: the expiry of a quote. Without it they are selected only by their kind, and once due.
    timers: Option<bool>,
    /// Maximum number of jobs; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// Selects the jobs of a batch. Filters are combined with AND; at least one is needed.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobBatchFilter {
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
    /// Only jobs in this state.
    state: Option<JobState>,
    /// Only jobs of this kind.
    kind: Option<JobKind>,
    /// Only jobs of deliveries with this outcome. A job that is not dead has one that is `queued`.
    outcome: Option<DeliveryOutcome>,
    /// Only jobs inserted since this time.
    since: Option<DateTime<Utc>>,
    /// Only jobs inserted before this time.
    until: Option<DateTime<Utc>>,
    /// Only jobs with this text in their key, reason or failures, in any case.
    text: Option<String>,
    /// Only jobs with this text in their reason, in any case.
    reason: Option<String>,
    /// Timers as well, which wait for a time: the expiry of a quote. Without it they are selected only by their kind, and once due.
    timers: Option<bool>,
}

impl JobListParams {
    pub fn parse(self) -> Result<JobListFilter, ApiProblem> {
        let (after, limit) = (position(self.cursor)?, limit(self.limit)?);
        let filter = JobBatchFilter {
            trip: self.trip,
            rfq: self.rfq,
            quote: self.quote,
            session: self.session,
            event: self.event,
            state: self.state,
            kind: self.kind,
            outcome: self.outcome,
            since: self.since,
            until: self.until,
            text: self.text,
            reason: self.reason,
            timers: self.timers,
        };
        Ok(JobListFilter {
            selection: filter.parse()?,
            after: after.map(|JobCursor(position)| position),
            limit,
        })
    }
}

impl From<&JobListFilter> for JobListParams {
    /// All but the limit, which is that of a page.
    fn from(filter: &JobListFilter) -> Self {
        let JobBatchFilter {
            trip,
            rfq,
            quote,
            session,
            event,
            state,
            kind,
            outcome,
            since,
            until,
            text,
            reason,
            timers,
        } = JobBatchFilter::from(&filter.selection);
        Self {
            trip,
            rfq,
            quote,
            session,
            event,
            state,
            kind,
            outcome,
            since,
            until,
            text,
            reason,
            timers,
            limit: None,
            cursor: filter.after.map(|position| cursor::encode(&JobCursor(position))),
        }
    }
}

impl JobBatchFilter {
    pub fn parse(self) -> Result<JobSelection, ApiProblem> {
        Ok(JobSelection {
            subject: subject(self.trip, self.rfq, self.quote, self.session, self.event)?,
            state: self.state,
            kind: self.kind,
            outcome: self.outcome,
            since: time("since", self.since)?,
            until: time("until", self.until)?,
            text: printable("text", self.text)?,
            reason: printable("reason", self.reason)?,
            all: self.timers.unwrap_or_default(),
        })
    }
}

impl From<&JobSelection> for JobBatchFilter {
    fn from(selection: &JobSelection) -> Self {
        let JobSelection {
            subject,
            state,
            kind,
            outcome,
            since,
            until,
            text,
            reason,
            all,
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
            state,
            kind,
            outcome,
            since,
            until,
            text,
            reason,
            timers: all.then_some(true),
        }
    }
}
