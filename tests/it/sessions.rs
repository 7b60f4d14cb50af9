//! Session tracking by its Rust API, on real Postgres: the effect of each operation, its errors and its races.

mod activity;
mod archive;
mod command;
mod conversation_type;
mod create;
mod find;
mod own_role;
mod pages;
mod planted;
mod quotes;
mod trip;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::chat_session::view::ChatSession;
use avinode_ingest::sessions::error::SessionError;
use avinode_ingest::sessions::service::SessionService;
use chrono::{DateTime, Duration, Utc};

use crate::support::bodies::base;
use crate::support::pool::Pool;
use crate::support::sessions::SessionReferences;

/// A session service with a clock fixed at `base()` plus these seconds.
fn sessions(pool: &Pool, seconds: i64) -> SessionService {
    SessionService::new(pool.service(), Clock::Fixed(moment(seconds)))
}

fn moment(seconds: i64) -> DateTime<Utc> {
    base() + Duration::seconds(seconds)
}

/// Creates a session at `base()`.
async fn create(pool: &Pool, references: SessionReferences) -> ChatSession {
    sessions(pool, 0)
        .create_or_update(&references.input())
        .await
        .unwrap()
        .session
}

/// Returns the field that an error names.
#[track_caller]
fn field<T: std::fmt::Debug>(result: Result<T, SessionError>) -> &'static str {
    match result {
        Err(SessionError::ReferenceNotFound { field } | SessionError::InvalidField { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}
