//! The deletion of old rows in steps: each is a transaction of its own over a bounded number of rows, found by an index.

use chrono::{DateTime, Utc};

/// The rows that one step deletes at most.
pub const ROWS_PER_STEP: i64 = 2_000;

/// The result of one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PruneStep {
    /// The old rows that the step found. Fewer than [`ROWS_PER_STEP`]: there are no more.
    pub rows: i64,
    /// The time of the newest of them. The next step begins there, because the index still has the entries of the rows before,
    /// and a long transaction may keep them for hours.
    pub until: Option<DateTime<Utc>>,
}

impl PruneStep {
    /// Returns true if there are no more old rows.
    pub fn is_last(&self) -> bool {
        self.rows < ROWS_PER_STEP
    }
}

/// Deletes the rows of a table whose time is more than `$retention` ago, and for which `$condition` holds, in one step that begins at
/// the time `$from`. A macro, because a checked query is a literal.
#[macro_export]
macro_rules! prune_step {
    ($pool:expr, $table:literal, $time:literal, $condition:literal, $retention:expr, $from:expr) => {{
        let statement = sqlx::query_as!(
            $crate::prune_step::PruneStep,
            "WITH old AS MATERIALIZED (
                SELECT ctid, " + $time + " AS time
                FROM " + $table + "
                WHERE " + $time + " >= coalesce($2::timestamptz, '-infinity')
                    AND " + $time + " < clock_timestamp() - $1::interval AND " + $condition + "
                ORDER BY " + $time + "
                LIMIT $3
            ), deleted AS (
                -- By place, so that no plan reads the whole table. A row that is written again meanwhile is not old any more.
                DELETE FROM " + $table + "
                WHERE ctid = ANY (ARRAY(SELECT ctid FROM old))
                    AND " + $time + " < clock_timestamp() - $1::interval AND " + $condition + "
            )
            SELECT count(*) AS \"rows!\", max(time) AS until FROM old",
            $crate::interval::interval($retention),
            $from,
            $crate::prune_step::ROWS_PER_STEP,
        );
        $pool.fetch_one(statement)
    }};
}
