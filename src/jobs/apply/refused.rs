//! Sessions that the application's table refuses to change, by a constraint or a trigger: each session of a batch is then written in a
//! savepoint, and a refused one gets a job of its own.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::postgres::sqlstate::{QUERY_CANCELED, UNDEFINED_TABLE, is_contention};
use crate::postgres::transaction::Transaction;
use crate::queue::job::JobError;
use crate::store::sessions::state::SessionState;
use crate::store::sessions::write::{self, SessionWrite};
use crate::store::timeline::TimelineRow;
use crate::store::write_mode::{WriteError, WriteMode};

/// The error of an apply. Nothing was changed.
pub(super) enum ApplyError {
    Job(JobError),
    /// A table of the application's refused a row.
    Refused(sqlx::Error),
}

impl From<JobError> for ApplyError {
    fn from(error: JobError) -> Self {
        Self::Job(error)
    }
}

impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Job(error.into())
    }
}

impl From<WriteError> for ApplyError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Refused(error) => Self::Refused(error),
            WriteError::Database(error) => error.into(),
        }
    }
}

/// A session that the table refuses to change.
#[derive(Debug)]
pub(super) struct RefusedSession {
    pub(super) session: Uuid,
    /// The table's reason.
    pub(super) reason: String,
}

/// The sessions that were written, and those that were refused.
#[derive(Debug, Default)]
pub(super) struct WrittenSessions {
    /// The number of rows that changed.
    pub(super) changed: u64,
    /// The sessions with a changed row.
    pub(super) rows: BTreeSet<Uuid>,
    /// The sessions with a changed row, or an entry for their timeline, which may be there already.
    pub(super) written: BTreeSet<Uuid>,
    pub(super) refused: Vec<RefusedSession>,
}

impl WrittenSessions {
    fn all(changed: u64, writes: &[SessionWrite], lines: &[TimelineRow]) -> Self {
        Self {
            changed,
            rows: changed_rows(writes),
            written: written_sessions(writes, lines),
            refused: Vec::new(),
        }
    }
}

/// Writes the decisions about the sessions of a batch. [`WriteMode::Separately`] writes them one by one if they cannot be written in one
/// savepoint: it may be a row of another table that was refused.
pub(super) async fn write_sessions(
    tx: &mut Transaction<'_>,
    writes: &[SessionWrite],
    states: &[SessionState],
    lines: &[TimelineRow],
    mode: WriteMode,
) -> Result<WrittenSessions, ApplyError> {
    if mode == WriteMode::Together {
        return match write::write(tx, writes, states, lines).await {
            Ok(changed) => Ok(WrittenSessions::all(changed, writes, lines)),
            Err(error) if is_refusal(&error) => Err(ApplyError::Refused(error)),
            Err(error) => Err(error.into()),
        };
    }
    let mut savepoint = tx.savepoint().await?;
    match write::write(&mut savepoint, writes, states, lines).await {
        Ok(changed) => {
            savepoint.commit().await?;
            Ok(WrittenSessions::all(changed, writes, lines))
        }
        Err(error) if is_refusal(&error) => {
            savepoint.rollback().await?;
            one_by_one(tx, writes, states, lines).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn one_by_one(
    tx: &mut Transaction<'_>,
    writes: &[SessionWrite],
    states: &[SessionState],
    lines: &[TimelineRow],
) -> Result<WrittenSessions, ApplyError> {
    let mut written = WrittenSessions::default();
    let mut last_refusal = None;
    for one in writes {
        let session = one.session;
        let states: Vec<SessionState> = states.iter().filter(|it| it.session == session).cloned().collect();
        let lines: Vec<TimelineRow> = lines.iter().filter(|it| it.session == session).cloned().collect();
        let mut savepoint = tx.savepoint().await?;
        match write::write(&mut savepoint, std::slice::from_ref(one), &states, &lines).await {
            Ok(changed) => {
                savepoint.commit().await?;
                written.changed += changed;
                written.rows.extend(changed_rows(std::slice::from_ref(one)));
                written
                    .written
                    .extend(written_sessions(std::slice::from_ref(one), &lines));
            }
            Err(error) if is_refusal(&error) => {
                savepoint.rollback().await?;
                tracing::warn!(
                    session = %session,
                    "left session {session} as it is, the others of its trip are updated: {error}"
                );
                let reason = error.to_string();
                written.refused.push(RefusedSession { session, reason });
                last_refusal = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    match last_refusal {
        // Without another session the job itself tells the reason.
        Some(error) if written.refused.len() == writes.len() => Err(error.into()),
        _ => Ok(written),
    }
}

fn changed_rows(writes: &[SessionWrite]) -> BTreeSet<Uuid> {
    let changed = writes.iter().filter(|write| write.changes_row());
    changed.map(|write| write.session).collect()
}

fn written_sessions(writes: &[SessionWrite], lines: &[TimelineRow]) -> BTreeSet<Uuid> {
    changed_rows(writes)
        .into_iter()
        .chain(lines.iter().map(|line| line.session))
        .collect()
}

fn is_refusal(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else {
        return false;
    };
    let code = error.code().unwrap_or_default();
    // A value (22), a constraint (23), a limit (54), or an exception of a trigger.
    !is_contention(&code)
        && code != QUERY_CANCELED
        && code != UNDEFINED_TABLE
        && ["22", "23", "54", "P0"].iter().any(|class| code.starts_with(class))
}
