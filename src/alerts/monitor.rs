//! The task that looks, decides and sends. Every process with settings of alerts runs it, and the one that holds the leader lease
//! sends.
//!
//! Without the database no process can lead, and that is when deliveries are refused. So the process that led last goes on with what
//! it knows itself, and writes what it sent as soon as the database is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::alert_error::AlertError;
use super::decide::{self, NewAlert};
use super::observations::{self, Observations, REFUSED_COUNTER};
use super::outbox::AfterFailure;
use super::senders::AlertSenders;
use super::settings::AlertSettings;
use super::state::AlertState;
use crate::clock::Clock;
use crate::postgres::transaction::Pool;
use crate::queue::leader::{LeaderLease, LeaseRow};
use crate::queue::shared_counter;

/// The leader lease. Its status is the [`AlertState`].
pub const LEASE: &str = "alerts";

/// Longer than a round with slow channels. A leader that ends gives the lease back.
const HOLD: Duration = Duration::from_secs(120);
/// A database that takes longer than this is not reached.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(10);
/// The time of a round that is left at shutdown.
const LAST_ROUND: Duration = Duration::from_secs(1);
/// The limit of a statement.
const STATEMENT: Duration = Duration::from_secs(5);
/// Transactions of dead jobs that were open at the last look are seen at the next ones.
const DEAD_OVERLAP: TimeDelta = TimeDelta::minutes(5);
/// The dead jobs of the first look.
const DEAD_BEFORE_FIRST_LOOK: TimeDelta = TimeDelta::hours(24);

pub struct AlertMonitor {
    pool: Pool,
    lease: LeaderLease,
    settings: AlertSettings,
    senders: AlertSenders,
    /// Deliveries that this process answers 503.
    refused: Arc<AtomicU64>,
    /// Those of them that neither the state nor the shared counter has.
    unreported: u64,
    /// The state of the last round in which this process led.
    memory: Option<AlertState>,
    clock: Clock,
}

impl AlertMonitor {
    /// # Errors
    /// A channel cannot be used.
    pub fn new(
        pool: &Pool,
        process: &str,
        settings: AlertSettings,
        refused: Arc<AtomicU64>,
        clock: Clock,
    ) -> Result<Self, AlertError> {
        let pool = pool.sibling(1).statement_limit(STATEMENT);
        Ok(Self {
            lease: LeaderLease {
                pool: pool.clone(),
                name: LEASE.into(),
                holder: process.to_owned(),
            },
            pool,
            senders: AlertSenders::new(&settings)?,
            settings,
            refused,
            unreported: 0,
            memory: None,
            clock,
        })
    }

    /// Runs until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut ticks = interval(self.settings.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = ticks.tick() => {}
            }
            // A round that has begun writes what it has sent: it would be sent again after a restart.
            let too_late = async {
                shutdown.cancelled().await;
                sleep(LAST_ROUND).await;
            };
            tokio::select! {
                () = self.round() => {}
                () = too_late => break,
            }
        }
        let _ = timeout(DATABASE_TIMEOUT, self.lease.release(None)).await;
    }

    async fn round(&mut self) {
        self.unreported += self.refused.swap(0, Ordering::Relaxed);
        match self.hold(None).await {
            Ok(Some(row)) => self.lead(row).await,
            Ok(None) => self.follow().await,
            Err(error) => self.go_on_without_database(&error).await,
        }
    }

    async fn lead(&mut self, row: LeaseRow) {
        let stored = row.status.map(serde_json::from_value).transpose();
        let stored = stored.unwrap_or_else(|error| {
            tracing::warn!("failed to read the state of alerts, it begins again: {error}");
            None
        });
        let mut state = AlertState::resume(stored.unwrap_or_default(), self.memory.take());
        let looked = state.dead.looked.map(|looked| looked - DEAD_OVERLAP);
        let dead_since = looked.unwrap_or(row.now - DEAD_BEFORE_FIRST_LOOK);
        let database = match within(observations::read(&self.pool, dead_since)).await {
            Ok(database) => database,
            Err(error) => {
                self.memory = Some(state);
                return self.go_on_without_database(&error).await;
            }
        };
        let seen = Observations {
            now: row.now,
            refused: std::mem::take(&mut self.unreported),
            database: Some(database),
        };
        self.decide(&mut state, &seen);
        // Before the sending: after a crash the same alerts are sent, with the same ids.
        if self.write(&mut state).await && self.send(&mut state, row.now).await {
            self.write(&mut state).await;
        }
        self.memory = Some(state);
    }

    /// Hands the refusals of this process to the leader.
    async fn follow(&mut self) {
        self.memory = None;
        let Ok(number @ 1..) = i64::try_from(self.unreported) else {
            return;
        };
        match within(shared_counter::add(
            &self.pool,
            REFUSED_COUNTER,
            &self.lease.holder,
            number,
        ))
        .await
        {
            Ok(()) => self.unreported = 0,
            Err(error) => tracing::debug!("failed to count refused deliveries, will retry: {error}"),
        }
    }

    async fn go_on_without_database(&mut self, error: &str) {
        tracing::debug!("no look at the database for alerts, will retry: {error}");
        let Some(mut state) = self.memory.take() else { return };
        let seen = Observations {
            now: self.clock.now(),
            refused: std::mem::take(&mut self.unreported),
            database: None,
        };
        self.decide(&mut state, &seen);
        self.send(&mut state, seen.now).await;
        self.memory = Some(state);
    }

    fn decide(&self, state: &mut AlertState, seen: &Observations) {
        let channels = self.senders.channels();
        state.outbox.keep_channels(&channels);
        for NewAlert { kind, text } in decide::decide(state, seen, &self.settings.conditions) {
            state.outbox.add(kind, text, seen.now, &channels);
        }
    }

    /// Sends what is due. Returns whether anything was.
    async fn send(&self, state: &mut AlertState, now: DateTime<Utc>) -> bool {
        let due = state.outbox.due(now);
        let signed_at = self.clock.now();
        let sendings = due
            .iter()
            .map(|(channel, alert)| self.senders.send(*channel, alert, signed_at));
        let results = join_all(sendings).await;
        for ((channel, alert), result) in due.iter().zip(results) {
            let (channel, kind) = (*channel, alert.kind.as_str());
            let Err(error) = result else {
                state.outbox.sent(alert.id, channel);
                tracing::info!(kind, "sent alert {kind} by {channel}");
                continue;
            };
            match state.outbox.failed(alert.id, channel, now) {
                AfterFailure::RetryIn(delay) => {
                    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                    tracing::warn!(
                        kind,
                        delay_ms,
                        "failed to send alert {kind} by {channel}, will retry in {delay_ms} ms: {error}"
                    );
                }
                AfterFailure::GivenUp => {
                    tracing::error!(kind, "gave up alert {kind} by {channel} after a day: {error}");
                }
            }
        }
        !due.is_empty()
    }

    /// Writes the state into the lease row. `false`: another process leads by now, and sends.
    async fn write(&self, state: &mut AlertState) -> bool {
        let version = state.version + 1;
        let next = AlertState {
            version,
            ..state.clone()
        };
        let status = match serde_json::to_value(next) {
            Ok(status) => status,
            Err(error) => {
                tracing::error!("failed to write the state of alerts: {error}");
                return false;
            }
        };
        match self.hold(Some(status)).await {
            Ok(Some(_)) => {
                state.version = version;
                true
            }
            Ok(None) => false,
            // Without the database no other process leads.
            Err(error) => {
                tracing::debug!("failed to write the state of alerts, will retry: {error}");
                true
            }
        }
    }

    async fn hold(&self, status: Option<serde_json::Value>) -> Result<Option<LeaseRow>, String> {
        within(self.lease.hold(HOLD, status)).await
    }
}

async fn within<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, String> {
    match timeout(DATABASE_TIMEOUT, answer).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", DATABASE_TIMEOUT.as_secs())),
    }
}
