//! Session tracking by its Rust API, on real Postgres: what each operation does, refuses, and what it does in a race.

mod activity;
mod archive;
mod create;
mod find;
mod own_role;
mod quotes;
mod terminal;
mod trip;

use crate::support::pool::Pool;
use avinode_ingest::clock::Clock;
use avinode_ingest::domain::chat_session::input::NewChatSession;
use avinode_ingest::domain::chat_session::view::ChatSession;
use avinode_ingest::sessions::error::SessionError;
use avinode_ingest::sessions::service::SessionService;
use chrono::{DateTime, Duration, Utc};

use crate::support::bodies::base;
use crate::support::setup::Stage;

/// Tracking whose clock stands still, so many seconds after `base()`.
fn sessions(pool: &Pool, seconds: i64) -> SessionService {
    SessionService::new(pool.service(), Clock::Fixed(moment(seconds)))
}

fn moment(seconds: i64) -> DateTime<Utc> {
    base() + Duration::seconds(seconds)
}

/// The least that makes a session.
fn new(stage: Stage) -> NewChatSession {
    NewChatSession {
        conversation_id: stage.conversation,
        iso_agent_id: stage.agent,
        request_id: Some(stage.request),
        ..NewChatSession::default()
    }
}

/// A session on this stage, made at `base()`.
async fn made(pool: &Pool, stage: Stage) -> ChatSession {
    sessions(pool, 0).create_or_update(&new(stage)).await.unwrap().session
}

/// The field that an error names.
#[track_caller]
fn field<T: std::fmt::Debug>(done: Result<T, SessionError>) -> &'static str {
    match done {
        Err(SessionError::ReferenceNotFound { field } | SessionError::InvalidField { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}
