//! Watches the application's tables: names a missing one in the log, and makes the service complete again when it is back.

use crate::postgres::application_tables::{self, ApplicationTables};
use crate::postgres::transaction::Pool;

/// The result of a look at the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TablesState {
    /// A table is missing: jobs wait for it, and what reads it cannot run.
    Missing,
    Complete,
    /// A table is back, or was created again: writes may have passed the triggers, so the resync is due.
    Back,
}

/// Remembers what it logged last.
#[derive(Debug)]
pub struct ApplicationWatch {
    last: ApplicationTables,
    restore_failed: bool,
}

impl ApplicationWatch {
    pub const fn new() -> Self {
        Self {
            last: ApplicationTables::Complete,
            restore_failed: false,
        }
    }

    /// Looks at the tables; the process that `leads` creates missing triggers.
    ///
    /// # Errors
    /// The database failed.
    pub async fn look(&mut self, pool: &Pool, leads: bool) -> Result<TablesState, sqlx::Error> {
        let tables = application_tables::read(pool).await?;
        let was = std::mem::replace(&mut self.last, tables);
        let changed = was != self.last;
        if let Some(remedy) = self.last.remedy() {
            if changed {
                tracing::error!("{}; {remedy}", self.last);
            }
            return Ok(TablesState::Missing);
        }
        if changed {
            tracing::info!("{}, jobs that waited for one continue", self.last);
        }
        let restored = leads && self.restore(pool).await;
        Ok(match changed || restored {
            true => TablesState::Back,
            false => TablesState::Complete,
        })
    }

    /// Returns whether triggers were created. A failure is logged once: the resync works without triggers.
    async fn restore(&mut self, pool: &Pool) -> bool {
        match application_tables::restore_triggers(pool).await {
            Ok(restored) => {
                self.restore_failed = false;
                if !restored.is_empty() {
                    let names = restored.join(", ");
                    tracing::warn!(
                        "created triggers of the service that were missing: {names}; `avinode-ingest migrate` builds missing \
                         indexes"
                    );
                }
                !restored.is_empty()
            }
            Err(error) => {
                if !self.restore_failed {
                    tracing::warn!(
                        "failed to create missing triggers, sessions are matched by the resync until `avinode-ingest migrate` \
                         is run: {error}"
                    );
                }
                self.restore_failed = true;
                false
            }
        }
    }
}

impl Default for ApplicationWatch {
    fn default() -> Self {
        Self::new()
    }
}
