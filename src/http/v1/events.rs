//! `/v1/sessions/events`: the entries of all timelines as server-sent events.

use std::time::Duration;

use axum::Error;
use axum::extract::{FromRequestParts, State};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use hyper::http::request::Parts;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::auth::ReadAccess;
use super::problem::{ApiProblem, EventProblems, QueryProblems};
use super::query::QueryParams;
use super::state::ApiState;
use crate::domain::chat_session::stream::{StreamEntry, StreamFilter};
use crate::http::connection::OpenEnded;
use crate::sessions::entry_stream::{EntryStream, StreamItem};

/// The header in which a client names the last event that it received.
const LAST_EVENT_ID: &str = "last-event-id";
/// The time after which a client connects again.
const RECONNECT: Duration = Duration::from_secs(1);

/// Parameters of the stream. Filters are combined with AND.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventParams {
    /// Only events of this session.
    session_id: Option<Uuid>,
    /// Only events of the sessions of this broker.
    iso_agent_id: Option<Uuid>,
    /// The stream begins after this event. The header `Last-Event-ID` comes first. Without either it begins now.
    #[param(minimum = 0, example = 4711)]
    after: Option<u64>,
}

/// Extractor for the header `Last-Event-ID`.
#[derive(Debug, IntoParams)]
#[into_params(names("Last-Event-ID"), parameter_in = Header)]
pub struct LastEventId(
    /// The `id` of the last event that the client received; the stream begins after it.
    Option<String>,
);

impl<S: Send + Sync> FromRequestParts<S> for LastEventId {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        let value = parts.headers.get(LAST_EVENT_ID);
        let text = value.map(|value| value.to_str().map(str::to_owned));
        text.transpose().map(Self).map_err(|_| not_an_id())
    }
}

impl LastEventId {
    /// Returns the position; an empty header is none.
    fn position(self) -> Result<Option<i64>, ApiProblem> {
        let text = self.0.filter(|text| !text.is_empty());
        let position = text.map(|text| text.parse::<u64>().map_err(|_| not_an_id()));
        Ok(position.transpose()?.map(saturated))
    }
}

fn not_an_id() -> ApiProblem {
    ApiProblem::field("Last-Event-ID", "is not the id of an event")
}

/// A number beyond the range is not the id of any event either.
fn saturated(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Stream the timelines of sessions
///
/// Server-sent events. Each new entry of a timeline is an event `timeline` with an `id`, in the order in which the
/// entries became known; `data` is an entry as JSON. A client that sends the last `id` as `Last-Event-ID`, or as `after`,
/// gets every entry after it once. The first event, `open`, and later comments have an `id` and no entry. The stream ends when the
/// service shuts down, and after an hour: the client then connects again.
#[utoipa::path(
    get,
    path = "/v1/sessions/events",
    operation_id = "getChatSessionEvents",
    params(EventParams, LastEventId),
    responses(
        (
            status = 200,
            body = StreamEntry,
            content_type = "text/event-stream",
            description = "The stream; the schema is that of the data of an event `timeline`.",
        ),
        QueryProblems,
        EventProblems,
    ),
)]
pub async fn events(
    _: ReadAccess,
    State(state): State<ApiState>,
    QueryParams(params): QueryParams<EventParams>,
    last_event_id: LastEventId,
) -> Result<Response, ApiProblem> {
    let after = last_event_id.position()?.or(params.after.map(saturated));
    let filter = StreamFilter {
        session_id: params.session_id,
        iso_agent_id: params.iso_agent_id,
    };
    let entries = state.streams.open(after, filter).await?;
    let items = stream::unfold(
        (entries, true),
        |(mut entries, is_first): (EntryStream, bool)| async move {
            let item = entries.next().await?;
            Some((event(&item, is_first), (entries, false)))
        },
    );
    // nginx would keep events back otherwise.
    let mut response = ([("x-accel-buffering", "no")], Sse::new(items)).into_response();
    response.extensions_mut().insert(OpenEnded);
    Ok(response)
}

fn event(item: &StreamItem, is_first: bool) -> Result<Event, Error> {
    match item {
        StreamItem::Entry(entry) => Event::default()
            .id(entry.position.to_string())
            .event("timeline")
            .json_data(entry),
        StreamItem::Position(position) if is_first => Ok(Event::default()
            .id(position.to_string())
            .event("open")
            .retry(RECONNECT)
            .data("{}")),
        StreamItem::Position(position) => Ok(Event::default().id(position.to_string()).comment("keep-alive")),
    }
}
