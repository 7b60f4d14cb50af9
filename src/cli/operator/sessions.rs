//! Chat sessions.

use serde::de::DeserializeOwned;
use serde_json::{Map, json};
use uuid::Uuid;

use super::Operator;
use super::api_client::{ApiCall, ApiClient};
use crate::cli::actor;
use crate::cli::database::CommandDatabase;
use crate::cli::error::{CliError, EXIT_UNAVAILABLE, chain};
use crate::clock::Clock;
use crate::domain::chat_session::page::{MAX_LIMIT, Page, PageRequest, SessionCursor, SessionFilter};
use crate::domain::chat_session::view::{ArchiveResult, ChatSession, SessionQuote, TimelineEntry};
use crate::http::v1::cursor;
use crate::http::v1::query::SessionListParams;
use crate::sessions::error::SessionError;
use crate::sessions::service::SessionService;

/// The problem of a session that does not exist.
const NOT_FOUND: &str = "session-not-found";

/// A session with all of its quotes and its whole timeline.
pub struct SessionRecord {
    pub session: ChatSession,
    pub quotes: Vec<SessionQuote>,
    pub timeline: Vec<TimelineEntry>,
}

/// Why a session was not completed.
pub struct NotCompleted {
    pub reason: String,
    /// The operation can be repeated.
    pub is_passing: bool,
}

impl Operator {
    /// Lists a page of sessions.
    pub async fn sessions(
        &self,
        filter: &SessionFilter,
        page: &PageRequest<SessionCursor>,
    ) -> Result<Page<ChatSession, SessionCursor>, CliError> {
        let attempt = "list the sessions";
        match self {
            Self::Database(database, _) => {
                let listed = service(database).list(filter, page).await;
                listed.map_err(|error| failed(attempt, error))
            }
            Self::Api(api) => {
                let params = SessionListParams::of(filter, page.after.as_ref());
                let listed = api.list(attempt, &["sessions"], &params, page.limit.into()).await?;
                Ok(Page {
                    data: listed.data,
                    next: listed.next_cursor.as_deref().and_then(cursor::decode),
                })
            }
        }
    }

    /// Reads a session with its quotes and its timeline; `None` if it does not exist.
    pub async fn session(&self, id: Uuid) -> Result<Option<SessionRecord>, CliError> {
        let attempt = "read the session";
        match self {
            Self::Database(database, _) => match stored(&service(database), id).await {
                Err(SessionError::SessionNotFound) => Ok(None),
                read => read.map(Some).map_err(|error| failed(attempt, error)),
            },
            Self::Api(api) => {
                let id = id.to_string();
                let Some(session) = api.find(attempt, &["sessions", &id]).await? else {
                    return Ok(None);
                };
                Ok(Some(SessionRecord {
                    session,
                    quotes: every_item(api, attempt, &["sessions", &id, "quotes"]).await?,
                    timeline: every_item(api, attempt, &["sessions", &id, "timeline"]).await?,
                }))
            }
        }
    }

    /// Completes a session.
    pub async fn complete_session(&self, id: Uuid) -> Result<Result<(), NotCompleted>, CliError> {
        match self {
            Self::Database(database, _) => {
                let completed = service(database).complete(id).await;
                Ok(completed.map(drop).map_err(|error| NotCompleted {
                    reason: chain(&error),
                    is_passing: matches!(error, SessionError::Busy),
                }))
            }
            Self::Api(api) => {
                let id = id.to_string();
                let path = ["sessions", &id, "complete"];
                let call = ApiCall::post(&path, json!({}));
                match api.call::<ChatSession>("complete the session", call).await {
                    Ok(Ok(_)) => Ok(Ok(())),
                    Ok(Err(refusal)) if refusal.problem == NOT_FOUND => Ok(Err(NotCompleted {
                        reason: SessionError::SessionNotFound.to_string(),
                        is_passing: false,
                    })),
                    Ok(Err(refusal)) => Ok(Err(NotCompleted {
                        reason: refusal.detail,
                        is_passing: false,
                    })),
                    Err(error) if error.code() == EXIT_UNAVAILABLE => Ok(Err(NotCompleted {
                        reason: error.to_string(),
                        is_passing: true,
                    })),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Archives the sessions that are old enough.
    pub async fn archive_sessions(&self) -> Result<ArchiveResult, CliError> {
        let attempt = "archive the sessions";
        match self {
            Self::Database(database, _) => {
                let archived = service(database).archive().await;
                archived.map_err(|error| failed(attempt, error))
            }
            Self::Api(api) => {
                api.read(attempt, ApiCall::post(&["sessions", "archive"], json!({})))
                    .await
            }
        }
    }
}

fn service(database: &CommandDatabase) -> SessionService {
    SessionService::new(database.pool.clone(), Clock::System).acting_as(actor::current())
}

async fn stored(sessions: &SessionService, id: Uuid) -> Result<SessionRecord, SessionError> {
    Ok(SessionRecord {
        session: sessions.get(id).await?,
        quotes: every_page(async |page| sessions.quotes(id, &page).await).await?,
        timeline: every_page(async |page| sessions.timeline(id, &page).await).await?,
    })
}

async fn every_page<T, P>(
    mut read: impl AsyncFnMut(PageRequest<P>) -> Result<Page<T, P>, SessionError>,
) -> Result<Vec<T>, SessionError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = PageRequest {
            after,
            limit: MAX_LIMIT,
        };
        let listed = read(page).await?;
        found.extend(listed.data);
        if listed.next.is_none() {
            return Ok(found);
        }
        after = listed.next;
    }
}

/// `attempt` completes "could not …".
fn failed(attempt: &str, error: SessionError) -> CliError {
    let busy = matches!(error, SessionError::Busy);
    let failure = CliError::to(attempt, error);
    if busy { failure.unavailable() } else { failure }
}

/// Reads all pages of a list.
async fn every_item<T: DeserializeOwned>(api: &ApiClient, attempt: &str, path: &[&str]) -> Result<Vec<T>, CliError> {
    let listed = api.list(attempt, path, &Map::new(), i64::MAX).await?;
    Ok(listed.data)
}
