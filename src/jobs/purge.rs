//! Purge: redacts what is stored about a trip, a session or a person, in paced steps, and records that in the audit log.
//!
//! Each step is a transaction over few rows, and the pause after it is as long as the step was. A run that ended early is finished by
//! the same run again: a redacted row is not redacted twice.

pub mod report;
mod steps;

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use self::report::PurgeReport;
use self::steps::Steps;
use crate::domain::actor::Actor;
use crate::domain::ids::TripId;
use crate::domain::redaction::person_text::PersonText;
use crate::postgres::transaction::Pool;
use crate::store::audit::{self, AuditAction, AuditState, AuditedRun};
use crate::store::redaction::scope::{RedactionScope, TripScope};

/// How long the ids of a trip may be looked for.
const SCOPE_LIMIT: Duration = Duration::from_secs(60);

/// The target of a purge.
#[derive(Debug, Clone)]
pub enum PurgeTarget {
    Trip(TripId),
    Session(Uuid),
    Person(PersonText),
}

/// A run of the command.
#[derive(Debug, Clone)]
pub struct Purge {
    pub target: PurgeTarget,
    /// Counts, and changes nothing but the audit log.
    pub dry_run: bool,
    /// For the audit log.
    pub actor: Actor,
}

#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    #[error("there is no session {0}")]
    UnknownSession(Uuid),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Purge {
    /// Runs until it is done, or until `stops` returns true before a step.
    ///
    /// # Errors
    /// Steps before the error are done; the audit log has a row that says so.
    pub async fn run(&self, pool: &Pool, stops: impl Fn() -> bool + Sync) -> Result<PurgeReport, PurgeError> {
        // Not a step: it finds sessions and other ids of a trip without an index.
        let scope = self.scope(&pool.statement_limit(SCOPE_LIMIT)).await?;
        let mut audited = AuditedRun {
            run: Uuid::now_v7(),
            actor: self.actor.clone(),
            action: AuditAction::Purge,
            dry_run: self.dry_run,
            details: self.filter(),
        };
        audit::append(pool, &audited, AuditState::Begun, &json!({})).await?;
        let mut steps = Steps::new(pool, scope, self.dry_run, &stops);
        let result = steps.run().await;
        let report = PurgeReport {
            run: audited.run,
            ..steps.report
        };
        let mut counts = json!(report.rows);
        counts["deliveries_needed_by_jobs"] = json!(report.needed);
        let state = match &result {
            Ok(()) if report.is_unfinished() => AuditState::Interrupted,
            Ok(()) => AuditState::Finished,
            Err(error) => {
                audited.details["error"] = json!(error.to_string());
                AuditState::Failed
            }
        };
        let recorded = audit::append(pool, &audited, state, &counts).await;
        result?;
        recorded?;
        Ok(report)
    }

    async fn scope(&self, pool: &Pool) -> Result<RedactionScope, PurgeError> {
        let trips = match &self.target {
            PurgeTarget::Person(text) => return Ok(RedactionScope::of_person(text.clone())),
            PurgeTarget::Trip(trip) => TripScope::read(pool, &[trip.to_string()]).await?,
            PurgeTarget::Session(session) => TripScope::of_session(pool, *session)
                .await?
                .ok_or(PurgeError::UnknownSession(*session))?,
        };
        Ok(RedactionScope::of_trips(trips))
    }

    /// The filter for the audit log: of a person's text the digest only.
    fn filter(&self) -> Value {
        match &self.target {
            PurgeTarget::Trip(trip) => json!({"trip": trip.as_str()}),
            PurgeTarget::Session(session) => json!({"session": session}),
            PurgeTarget::Person(text) => json!({"person_sha256": text.digest()}),
        }
    }
}
