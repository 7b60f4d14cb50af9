//! The filters that the lists of deliveries and of jobs share.

use uuid::Uuid;

use crate::clock::Clock;
use crate::config::time_ago::{self, TimeAgo};
use crate::domain::ids::{EventId, IdError, QuoteId, RfqId, TripId};
use crate::store::admin::subject_filter::SubjectFilter;

#[derive(Debug, Clone, clap::Args)]
pub struct SubjectArgs {
    /// Only of this Avinode trip: its resource id or short id, in any spelling.
    #[arg(long, value_name = "ID", value_parser = trip)]
    pub trip: Option<TripId>,

    /// Only of this RFQ, in any spelling.
    #[arg(long, value_name = "ID", value_parser = rfq)]
    pub rfq: Option<RfqId>,

    /// Only of this quote: Avinode's id.
    #[arg(long, value_name = "ID", value_parser = quote)]
    pub quote: Option<QuoteId>,

    /// Only of this chat session and its trip.
    #[arg(long, value_name = "ID", value_parser = session)]
    pub session: Option<Uuid>,

    /// Only of this event: the `eventId` of a full event.
    #[arg(long, value_name = "ID", value_parser = event)]
    pub event: Option<EventId>,

    /// Only since this time: a duration before now (30m, 48h, 7d) or a time (2026-01-31T10:00:00Z).
    #[arg(long, value_name = "TIME", value_parser = time_ago::since)]
    pub since: Option<TimeAgo>,

    /// Only before this time, as --since.
    #[arg(long, value_name = "TIME", value_parser = time_ago::since)]
    pub until: Option<TimeAgo>,
}

impl SubjectArgs {
    pub fn filter(&self) -> SubjectFilter {
        SubjectFilter {
            trip: self.trip.as_ref().map(TripId::to_string),
            rfq: self.rfq.as_ref().map(RfqId::normalized),
            quote: self.quote.as_ref().map(QuoteId::to_string),
            session: self.session,
            event: self.event.as_ref().map(EventId::to_string),
        }
    }

    /// The times, counted back from now.
    pub fn times(
        &self,
    ) -> (
        Option<chrono::DateTime<chrono::Utc>>,
        Option<chrono::DateTime<chrono::Utc>>,
    ) {
        let now = Clock::System.now();
        let moment = |time: Option<TimeAgo>| time.map(|time| time.moment(now));
        (moment(self.since), moment(self.until))
    }
}

fn trip(text: &str) -> Result<TripId, String> {
    TripId::parse(text).map_err(|error| reason(&error))
}

fn rfq(text: &str) -> Result<RfqId, String> {
    RfqId::parse(text).map_err(|error| reason(&error))
}

fn quote(text: &str) -> Result<QuoteId, String> {
    QuoteId::parse(text).map_err(|error| reason(&error))
}

fn event(text: &str) -> Result<EventId, String> {
    EventId::parse(text).map_err(|error| reason(&error))
}

fn session(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "is not a UUID".to_owned())
}

/// Completes the sentence `--flag: "value" …`.
fn reason(error: &IdError) -> String {
    format!("is not an id: {error}")
}
