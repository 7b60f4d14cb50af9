//! Apply: the one transaction in which jobs become changes of sessions, and the jobs their outcomes.
//!
//! Lock order: jobs (the fence), event keys, trips, sessions, then facts, ledger and timeline under those. Whatever a
//! job is about, the way is the same: learn facts, decide each session of the trips from all that is known, write.

mod dedup;
mod facts;
mod persist;
mod sessions;
mod shared_trips;

use uuid::Uuid;

use self::facts::BatchChanges;
use crate::clock::Clock;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::jobs::kinds;
use crate::jobs::work::{ClaimedWork, JobPayload, trips_with_rfqs};
use crate::postgres::transaction::{Pool, Transaction};
use crate::queue::claim as queue;
use crate::queue::enqueue::{self, InsertOptions, NewJob, RunOption};
use crate::queue::job::{ClaimedJob, JobError};
use crate::store::{self, merge_trips, related_trips, trips, tx};

/// The transaction of a batch, with its jobs locked.
pub struct ApplyTx {
    /// The transaction; dropped, it changes nothing.
    pub tx: Transaction<'static>,
    held: Vec<i64>,
}

/// Applies work to sessions.
pub struct JobApplier {
    /// The database.
    pub pool: Pool,
    /// How the primary quote is elected.
    pub policy: PrimaryQuotePolicy,
    /// The time by which quotes expire.
    pub clock: Clock,
}

impl ApplyTx {
    /// Whether this job is locked, and its lease not lost.
    pub fn holds(&self, job: i64) -> bool {
        self.held.contains(&job)
    }
}

impl JobApplier {
    /// Begins the transaction of a batch: locks its jobs. Those whose lease is lost are left out, silently: their new
    /// holder does them.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn begin(&self, jobs: &[ClaimedJob]) -> Result<ApplyTx, JobError> {
        let mut tx = tx::begin(&self.pool).await?;
        let held = queue::lock_held(&mut tx, jobs).await?;
        Ok(ApplyTx { tx, held })
    }

    /// Applies jobs whose keys say what they are about. Those whose key cannot be read die of `unreadable`.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn apply_keys(
        &self,
        jobs: &[ClaimedJob],
        read: impl Fn(&str) -> Option<JobPayload>,
        unreadable: &'static str,
    ) -> Result<Vec<(i64, JobError)>, JobError> {
        let mut unfinished = Vec::new();
        let mut works = Vec::with_capacity(jobs.len());
        for job in jobs {
            match job.key.as_deref().and_then(&read) {
                Some(payload) => works.push(ClaimedWork {
                    job: job.clone(),
                    payload,
                }),
                None => unfinished.push((job.id, JobError::fail(unreadable))),
            }
        }
        if !works.is_empty() {
            self.apply(self.begin(jobs).await?, &works).await?;
        }
        Ok(unfinished)
    }

    /// Applies a batch in its transaction and finishes its jobs.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn apply(&self, begun: ApplyTx, works: &[ClaimedWork]) -> Result<(), JobError> {
        let ApplyTx { mut tx, held } = begun;
        let works: Vec<&ClaimedWork> = works.iter().filter(|work| held.contains(&work.job.id)).collect();
        if works.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut learned = BatchChanges::default();
        let fresh = dedup::enter(&mut tx, &works, &mut learned).await?;

        let rematched: Vec<Uuid> = fresh.iter().filter_map(|work| work.session()).collect();
        let mut ids: Vec<String> = fresh.iter().flat_map(|work| work.trips()).collect();
        let repeated = learned.duplicates.iter().flat_map(|duplicate| &duplicate.events);
        ids.extend(repeated.map(|event| event.trip.as_str().to_owned()));
        ids.sort();
        ids.dedup();
        let named = trips_with_rfqs(&fresh);
        let mut related = related_trips::related(&mut tx, &ids, &named, &rematched).await?;
        let locked = trips::lock(&mut tx, &related.trips.iter().cloned().collect::<Vec<_>>()).await?;
        let mut locked =
            locked.ok_or_else(|| JobError::Contention("a trip was merged with another meanwhile".to_owned()))?;
        if !related.unsettled.is_empty() {
            related_trips::lock(&mut tx, &related.unsettled).await?;
        }
        if related.unsettled.iter().any(|rfq| related.held.contains(rfq)) {
            // While we waited for the locks, a session's RFQ may have been named under a trip more.
            related = related_trips::related(&mut tx, &ids, &named, &rematched).await?;
            if !related.trips.iter().all(|trip| locked.key_of.contains_key(trip)) {
                return Err(JobError::Contention(
                    "an RFQ was named under another trip meanwhile".to_owned(),
                ));
            }
        }
        // Before the sessions are looked for: those of all ids are then the trip's.
        let same: Vec<Vec<String>> = fresh.iter().map(|work| work.same_trip()).collect();
        learned.merged(merge_trips::merge(&mut tx, &mut locked, &same).await?);
        let keys: Vec<String> = locked.trips.keys().cloned().collect();
        let asked: Vec<String> = related
            .asked
            .iter()
            .filter_map(|id| locked.key_of.get(id))
            .cloned()
            .collect();
        let rfqs: Vec<String> = named.into_iter().map(|(_, rfq)| rfq).collect();
        let mut sessions = store::sessions::lock(&mut tx, &keys, &asked, &rfqs, &rematched).await?;
        let found_late = shared_trips::set_apart(&mut sessions, &locked.trips, &related.held);
        let messages = facts::messages_of(&fresh, &locked.key_of);
        let mut rows = store::facts::load(&mut tx, &mut locked.trips, &messages).await?;

        facts::learn(&fresh, &mut locked, now, &mut learned);
        shared_trips::borrow(&locked.trips, &mut sessions);
        persist::write(&mut tx, &locked.trips, &learned.touched).await?;
        persist::schedule_expiries(&mut tx, &locked.trips, &mut learned, now).await?;
        persist::project(&mut tx, &locked.trips, &learned.touched, &sessions, &mut rows).await?;
        if !found_late.is_empty() {
            let again: Vec<NewJob> = found_late.into_iter().map(kinds::rematch).collect();
            enqueue::insert(&mut tx, &again, InsertOptions::default()).await?;
        }
        let changed =
            sessions::change(&mut tx, &locked.trips, &mut sessions, &learned, &rows, self.policy, now).await?;

        for outcome in &mut learned.outcomes {
            if outcome.outcome == "applied" {
                outcome
                    .detail
                    .push_str(&format!("; sessions changed with it: {changed}"));
            }
        }
        let follow_ups: Vec<NewJob> = fresh.iter().flat_map(|work| work.follow_ups()).cloned().collect();
        // A command that waits for these jobs waits for their follow-ups as well.
        let options = InsertOptions::runs(RunOption::InheritFrom(&held));
        enqueue::insert(&mut tx, &follow_ups, options).await?;
        queue::complete(&mut tx, &learned.outcomes).await?;
        tx.commit().await?;
        Ok(())
    }
}
