//! The status of the leader's rate limit, as every process reads it from the lease row.

use chrono::{DateTime, TimeDelta, Utc};

use super::restrictions::CallRestrictions;
use crate::leader;
use ingest_postgres::transaction::Pool;

/// A change of leader takes less time than this.
const HANDOVER: TimeDelta = TimeDelta::seconds(30);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimiterStatus {
    /// No process leads.
    Unserved,
    /// The credentials of the last leader were rejected. No process leads until they are tried again.
    Suspended {
        reason: String,
        until: DateTime<Utc>,
    },
    BreakerOpen {
        until: DateTime<Utc>,
    },
    Paused {
        until: DateTime<Utc>,
    },
    Running,
}

/// Reads the status from the lease of this name.
pub async fn read(pool: &Pool, lease: &str) -> Result<LimiterStatus, sqlx::Error> {
    let Some(state) = leader::read(pool, lease).await? else {
        return Ok(LimiterStatus::Unserved);
    };
    let restrictions = serde_json::from_value(state.status.unwrap_or_default()).unwrap_or_default();
    Ok(status(restrictions, state.held_until, state.now))
}

fn status(restrictions: CallRestrictions, held_until: DateTime<Utc>, now: DateTime<Utc>) -> LimiterStatus {
    let CallRestrictions {
        paused_until,
        breaker,
        suspension,
        slow_until: _,
        refused: _,
        accepted: _,
    } = restrictions;
    let served_until = suspension.as_ref().map_or(held_until, |it| it.until.max(held_until));
    if served_until + HANDOVER < now {
        return LimiterStatus::Unserved;
    }
    match (
        suspension,
        breaker.open_until,
        paused_until.filter(|until| *until > now),
    ) {
        (Some(suspension), _, _) => LimiterStatus::Suspended {
            reason: suspension.reason,
            until: suspension.until,
        },
        (None, Some(until), _) => LimiterStatus::BreakerOpen { until: until.max(now) },
        (None, None, Some(until)) => LimiterStatus::Paused { until },
        (None, None, None) => LimiterStatus::Running,
    }
}

#[cfg(test)]
mod tests;
