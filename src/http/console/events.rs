//! `GET /console/events`: tells a page that timelines have new entries. The page then renders itself again, with the access of that
//! time: the stream itself shows nothing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::access::Reader;
use super::error::ConsoleError;
use super::state::ConsoleState;
use crate::domain::chat_session::stream::StreamFilter;
use crate::http::connection::OpenEnded;
use crate::http::v1::problem::ApiProblem;
use crate::http::v1::query::QueryParams;
use crate::sessions::entry_stream::{EntryStream, StreamItem};

/// The time after which a browser connects again.
const RECONNECT: Duration = Duration::from_secs(2);
/// Entries within this time of the first one are one event: a page is rendered at most twice a second.
const GATHER: Duration = Duration::from_millis(500);

#[derive(Debug, Deserialize)]
pub struct EventQuery {
    /// Only entries of this session.
    session: Option<Uuid>,
}

/// An open stream of a page.
struct PageStream {
    entries: EntryStream,
    has_begun: bool,
    _permit: OwnedSemaphorePermit,
}

pub async fn get(
    _: Reader,
    State(console): State<ConsoleState>,
    query: Result<QueryParams<EventQuery>, ApiProblem>,
) -> Result<Response, ConsoleError> {
    let QueryParams(query) = query?;
    let permit = Arc::clone(&console.streams).try_acquire_owned();
    let permit = permit.map_err(|_| ApiProblem::TooManyStreams)?;
    let filter = StreamFilter {
        session_id: query.session,
        iso_agent_id: None,
    };
    let page = PageStream {
        entries: console.api.streams.open(None, filter).await?,
        has_begun: false,
        _permit: permit,
    };
    let events = stream::unfold(page, |mut page| async move {
        let event = page.next().await?;
        Some((Ok::<_, Infallible>(event), page))
    });
    let mut response = ([("x-accel-buffering", "no")], Sse::new(events)).into_response();
    response.extensions_mut().insert(OpenEnded);
    Ok(response)
}

impl PageStream {
    /// Returns the next event; `None` when the browser has to connect again.
    async fn next(&mut self) -> Option<Event> {
        match self.entries.next().await? {
            StreamItem::Entry(_) => {
                let until = Instant::now() + GATHER;
                // These entries are not sent: only that there is something new counts.
                while let Ok(item) = timeout_at(until, self.entries.next()).await {
                    item?;
                }
                Some(change())
            }
            // Something may have changed since the page was rendered, or since the last stream ended.
            StreamItem::Position(_) if !std::mem::replace(&mut self.has_begun, true) => Some(change().retry(RECONNECT)),
            StreamItem::Position(_) => Some(Event::default().comment("keep-alive")),
        }
    }
}

fn change() -> Event {
    // A browser would drop an event without data.
    Event::default().event("change").data("timelines")
}
