//! The status of the leader's rate limit, as every process reads it from the lease row.

use chrono::{DateTime, TimeDelta, Utc};

use super::restrictions::CallRestrictions;
use crate::leader::{self, LeaseRow};
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

impl LimiterStatus {
    /// The word in metrics and in the operator API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unserved => "unserved",
            Self::Suspended { .. } => "suspended",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::Paused { .. } => "paused",
            Self::Running => "running",
        }
    }

    /// The time at which calls may go on, if they are held back.
    pub const fn until(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Suspended { until, .. } | Self::BreakerOpen { until } | Self::Paused { until } => Some(*until),
            Self::Unserved | Self::Running => None,
        }
    }
}

/// The status with the lease row that it was read from.
#[derive(Debug, Clone)]
pub struct LimiterReport {
    pub status: LimiterStatus,
    /// `None` if no process ever led.
    pub lease: Option<LeaseRow>,
    pub restrictions: CallRestrictions,
}

/// Reads the status from the lease of this name.
pub async fn read(pool: &Pool, lease: &str) -> Result<LimiterStatus, sqlx::Error> {
    Ok(report(pool, lease).await?.status)
}

/// Reads the status, the leader and the restrictions that it publishes.
pub async fn report(pool: &Pool, lease: &str) -> Result<LimiterReport, sqlx::Error> {
    let lease = leader::read(pool, lease).await?;
    let published = lease.as_ref().and_then(|row| row.status.clone()).unwrap_or_default();
    let restrictions: CallRestrictions = serde_json::from_value(published).unwrap_or_default();
    let status = match &lease {
        Some(row) => status(restrictions.clone(), row.held_until, row.now),
        None => LimiterStatus::Unserved,
    };
    Ok(LimiterReport {
        status,
        lease,
        restrictions,
    })
}

fn status(restrictions: CallRestrictions, held_until: DateTime<Utc>, now: DateTime<Utc>) -> LimiterStatus {
    let CallRestrictions {
        paused_until,
        breaker,
        suspension,
        slow_until: _,
        refused: _,
        accepted: _,
        limit: _,
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
