//! Applies a batch of jobs: one transaction that learns facts, updates sessions and finishes the jobs.
//!
//! Lock order: jobs (the fence), event keys, requests of rematched sessions, trips, RFQs, sessions, then facts, ledger and timeline below those. Every kind of job
//! takes the same steps: learn facts, decide each session of the trips from everything known, write.

mod applied_jobs;
mod dedup;
mod facts;
mod payloads;
mod persist;
pub mod preview;
mod refused;
mod related;
mod request;
mod scope;
mod sessions;
mod shared_trips;
mod subjects;
mod trip_owners;

use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use self::facts::BatchChanges;
use self::persist::BatchInput;
use self::refused::{ApplyError, RefusedSession, WrittenSessions};
use self::scope::BatchScope;
use self::sessions::Selection;
use crate::activity_log::ACTIVITY;
use crate::clock::Clock;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::jobs::kinds;
use crate::jobs::traced;
use crate::jobs::work::{ClaimedWork, JobPayload, trips_with_rfqs};
use crate::postgres::transaction::{Pool, Transaction};
use crate::queue::claim;
use crate::queue::coalesced;
use crate::queue::enqueue::{self, InsertOptions, NewJob, RunOption, UniqueOptions};
use crate::queue::handler::UnfinishedJobs;
use crate::queue::job::{ClaimedJob, JobError};
use crate::queue::job_kind::JobKind;
use crate::queue::outcomes::{self, JobOutcome};
use crate::store::documents::AppliedDocument;
use crate::store::session_changes::SessionChanges;
use crate::store::write_mode::WriteMode;
use crate::store::{self, documents, merge_trips, tx};

/// The transaction of a batch, with its jobs locked. Dropped, it changes nothing.
pub struct ApplyTx {
    pub tx: Transaction<'static>,
    held: Vec<i64>,
    began: Instant,
}

/// Work that was applied in a transaction.
struct AppliedWorks {
    outcomes: Vec<JobOutcome>,
    sessions: WrittenSessions,
    /// The number of events that were received before with another body.
    other_bodies: u64,
}

/// Applies work to sessions.
pub struct JobApplier {
    pub pool: Pool,
    pub policy: PrimaryQuotePolicy,
    /// Quotes expire by this clock if a test fixed it, else by the database's.
    pub clock: Clock,
    pub changes: SessionChanges,
}

impl ApplyTx {
    /// Returns whether this job's lease is still held.
    pub fn holds(&self, job: i64) -> bool {
        self.held.contains(&job)
    }
}

impl JobApplier {
    /// Begins the transaction of a batch, and locks its jobs. Jobs that lost their lease are left out: their new
    /// holder applies them.
    pub async fn begin(&self, jobs: &[ClaimedJob]) -> Result<ApplyTx, JobError> {
        let began = Instant::now();
        let mut tx = tx::begin(&self.pool).await?;
        let held = claim::lock_held(&mut tx, jobs).await?;
        Ok(ApplyTx { tx, held, began })
    }

    /// Applies jobs that have their payload in their key. A key that is not `expected` dead-letters its job.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn apply_keys(
        &self,
        jobs: &[ClaimedJob],
        parse: impl Fn(&str) -> Option<JobPayload>,
        expected: &'static str,
    ) -> Result<UnfinishedJobs, JobError> {
        let mut unfinished = Vec::new();
        let mut works = Vec::with_capacity(jobs.len());
        for job in jobs {
            let key = job.key.as_deref().unwrap_or_default();
            match parse(key) {
                Some(payload) => works.push(ClaimedWork::new(job, payload)),
                None => unfinished.push((job.id, JobError::fail(format!("invalid key {key:?}: not {expected}")))),
            }
        }
        if !works.is_empty() {
            self.apply(self.begin(jobs).await?, &works, None).await?;
        }
        Ok(unfinished)
    }

    /// Applies a batch in its transaction, marks `document` as applied, and finishes the jobs. If a table of the application's refuses a
    /// row, this is done again in another transaction: what the caller wrote in the first one is lost.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn apply(
        &self,
        begun: ApplyTx,
        works: &[ClaimedWork],
        document: Option<AppliedDocument<'_>>,
    ) -> Result<(), JobError> {
        let began = begun.began;
        let together = self.apply_as(begun, works, document, WriteMode::Together);
        let applied = match together.instrument(traced::apply_span()).await {
            Err(ApplyError::Refused(error)) => {
                tracing::debug!("a table refused a row, each row is written in a savepoint now: {error}");
                let jobs: Vec<ClaimedJob> = works.iter().map(|work| work.job.clone()).collect();
                match self.begin(&jobs).await {
                    Ok(again) => {
                        let separately = self.apply_as(again, works, document, WriteMode::Separately);
                        separately.instrument(traced::apply_span()).await
                    }
                    Err(error) => Err(error.into()),
                }
            }
            applied => applied,
        };
        metrics::histogram!("avinode_ingest_apply_duration_seconds").record(began.elapsed());
        applied.map_err(|error| match error {
            ApplyError::Job(error) => error,
            ApplyError::Refused(error) => error.into(),
        })
    }

    async fn apply_as(
        &self,
        begun: ApplyTx,
        works: &[ClaimedWork],
        document: Option<AppliedDocument<'_>>,
        mode: WriteMode,
    ) -> Result<(), ApplyError> {
        let ApplyTx { mut tx, held, began } = begun;
        let works: Vec<&ClaimedWork> = works.iter().filter(|work| held.contains(&work.job.id)).collect();
        if works.is_empty() {
            return Ok(());
        }
        if let Some(document) = document {
            documents::mark_applied(&mut tx, document).await?;
        }
        let AppliedWorks {
            outcomes,
            sessions,
            other_bodies,
        } = self.apply_in(&mut tx, &held, &works, mode).await?;
        tx.commit().await?;
        if !sessions.written.is_empty() {
            self.changes.wake();
        }
        applied_jobs::measure(&works, &outcomes, began.elapsed());
        let count = |word: &str| outcomes.iter().filter(|it| it.outcome == word).count() as u64;
        ACTIVITY.jobs_applied(count("applied"), sessions.changed);
        ACTIVITY.jobs_ignored(count("ignored"));
        ACTIVITY.received_with_another_body(other_bodies);
        log_warnings(&works, &outcomes);
        Ok(())
    }

    /// Takes all steps but the commit.
    async fn apply_in(
        &self,
        tx: &mut Transaction<'_>,
        held: &[i64],
        works: &[&ClaimedWork],
        mode: WriteMode,
    ) -> Result<AppliedWorks, ApplyError> {
        // By the database's clock: a process with a wrong clock judges as the others do.
        let claimed_at = works.iter().map(|work| work.job.claimed_at).max().unwrap_or_default();
        let now = self.clock.unless_fixed(claimed_at);
        let mut changes = BatchChanges::default();
        let fresh = dedup::enter(tx, works, &mut changes).await?;

        let rematched: Vec<Uuid> = fresh.iter().filter_map(|work| work.session()).collect();
        let mut ids: Vec<String> = fresh.iter().flat_map(|work| work.trips()).collect();
        ids.extend(changes.duplicates.iter().flat_map(ClaimedWork::trips));
        ids.sort();
        ids.dedup();
        let named = trips_with_rfqs(&fresh);
        let (related, mut locked) = related::lock(tx, &ids, &named, &rematched).await?;
        // Before the sessions are locked: those of all ids are then the trip's.
        let same: Vec<Vec<String>> = fresh.iter().map(|work| work.same_trip()).collect();
        changes.add_merges(merge_trips::merge(tx, &mut locked, &same).await?);
        let keys: Vec<String> = locked.trips.keys().cloned().collect();
        let asked: Vec<String> = related
            .asked_trips
            .iter()
            .filter_map(|id| locked.key_of.get(id))
            .cloned()
            .collect();
        let is_asked = |trip: &String| locked.key_of.get(trip).is_some_and(|key| asked.contains(key));
        let named = named.into_iter().filter(|(trip, _)| is_asked(trip));
        let rfqs: Vec<String> = named.map(|(_, rfq)| rfq).collect();
        let mut sessions = store::sessions::lock(tx, &keys, &asked, &rfqs, &rematched).await?;
        traced::record(
            keys.iter().map(String::as_str),
            sessions.iter().map(|session| session.snapshot.id),
        );
        trip_owners::withhold(&mut sessions);
        let found_late = shared_trips::remove_undecidable(&mut sessions, &locked.trips, &related.held_rfqs);
        let outdated = scope::outdated_trips(&sessions, &rematched, &asked, self.policy, now);
        let mut scope = BatchScope::of(&fresh, &changes, &locked, &sessions, &outdated);
        let mut rows = scope.load(tx, &fresh, &mut locked, &mut sessions).await?;

        facts::learn(&fresh, &mut locked, now, &mut changes);
        scope
            .complete(tx, &mut locked, &mut sessions, &mut rows, self.policy, now)
            .await?;
        shared_trips::borrow(&locked.trips, &mut sessions, &found_late, &related.rfq_claims);
        let input = BatchInput {
            scope: &scope,
            deliveries: &payloads::of_batch(fresh.iter().copied().chain(&changes.duplicates)),
            mode,
        };
        let projected = persist::project(tx, &locked.trips, &changes.touched, &mut sessions, &mut rows, input).await?;
        let subjects = subjects::of_batch(works, &locked.key_of, &sessions);
        persist::write(tx, &locked.trips, &changes.touched, &projected, &subjects).await?;
        persist::schedule_expiries(tx, &locked.trips, &mut changes, now).await?;
        let mut again = shared_trips::rivals(&sessions, &related.rfq_claims);
        again.extend(found_late.iter().map(|late| late.snapshot.id));
        let again: Vec<NewJob> = again.into_iter().map(kinds::rematch).collect();
        enqueue::insert(tx, &again, InsertOptions::default()).await?;
        let selection = Selection {
            policy: self.policy,
            now,
        };
        let written = sessions::update(tx, &locked.trips, &mut sessions, &changes, &rows, selection, mode).await?;
        if let Some(RefusedSession { reason, .. }) = written.refused.iter().find(|it| rematched.contains(&it.session)) {
            return Err(JobError::retry(reason).into());
        }
        let own_jobs: Vec<NewJob> = written.refused.iter().map(|it| kinds::rematch(it.session)).collect();
        enqueue::insert(tx, &own_jobs, InsertOptions::unique(UniqueOptions::default())).await?;
        if self.changes.sends_webhooks {
            let keys: Vec<String> = written.written.iter().map(Uuid::to_string).collect();
            coalesced::insert(tx, JobKind::NotifySession, &keys).await?;
        }

        let changed = written.changed;
        for outcome in &mut changes.outcomes {
            if outcome.outcome == "applied" {
                outcome.detail.push_str(&format!("; sessions changed: {changed}"));
            }
            if let Some(warning) = &outcome.warning {
                outcome.detail.push_str(&format!("; not understood: {warning}"));
            }
        }
        let follow_ups: Vec<NewJob> = fresh.iter().flat_map(|work| work.follow_ups()).cloned().collect();
        // A command that waits for these jobs waits for their follow-ups as well.
        let options = InsertOptions::runs(RunOption::InheritFrom(held));
        enqueue::insert(tx, &follow_ups, options).await?;
        outcomes::complete(tx, &changes.outcomes).await?;
        Ok(AppliedWorks {
            outcomes: changes.outcomes,
            sessions: written,
            other_bodies: changes.other_bodies,
        })
    }
}

/// Logs the parts that were not understood, once per job: its transaction is committed.
fn log_warnings(works: &[&ClaimedWork], outcomes: &[JobOutcome]) {
    for outcome in outcomes {
        let Some(warning) = &outcome.warning else { continue };
        let job = outcome.job;
        let work = works.iter().find(|work| work.job.id == job);
        let kind = work.map(|work| work.job.kind.as_str());
        let delivery = work.and_then(|work| work.job.delivery_id);
        tracing::warn!(
            job,
            kind,
            delivery = delivery.map(tracing::field::display),
            "did not understand a part of what job {job} applied, the other parts count: {warning}"
        );
    }
}
