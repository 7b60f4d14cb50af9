//! The steps of a run. What is derived from bodies comes before them: trips are found by their deliveries, also by a run that finishes
//! one that ended early.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::report::PurgeReport;
use crate::domain::redaction::bodies::REDACTED_BODY;
use crate::postgres::sqlstate::{is_contention, sqlstate};
use crate::postgres::transaction::Pool;
use crate::store::redaction::bodies::{self, Change};
use crate::store::redaction::records::TABLES;
use crate::store::redaction::scope::RedactionScope;
use crate::store::redaction::text_table::{RedactedTable, TextStep};
use crate::store::redaction::{BODIES_PER_STEP, documents};

/// The longest pause between two steps.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// The pause before a step is tried again that found a lock taken.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// The tries of a step that needs a lock.
const BUSY_TRIES: u32 = 200;

pub(super) struct Steps<'a> {
    pool: &'a Pool,
    scope: RedactionScope,
    dry_run: bool,
    stops: &'a (dyn Fn() -> bool + Sync),
    pub(super) report: PurgeReport,
}

impl<'a> Steps<'a> {
    pub(super) fn new(
        pool: &'a Pool,
        scope: RedactionScope,
        dry_run: bool,
        stops: &'a (dyn Fn() -> bool + Sync),
    ) -> Self {
        let tables = TABLES.iter().map(|table| table.name);
        let rows = tables.chain(["documents", "deliveries"]).map(|name| (name, 0));
        Self {
            pool,
            scope,
            dry_run,
            stops,
            report: PurgeReport {
                rows: rows.collect(),
                ..PurgeReport::default()
            },
        }
    }

    pub(super) async fn run(&mut self) -> Result<(), sqlx::Error> {
        self.find_deliveries().await?;
        self.records().await?;
        self.documents().await?;
        self.deliveries().await?;
        if !self.dry_run {
            // A job that had read a body before may have written texts of it since.
            self.records().await?;
        }
        Ok(())
    }

    /// Finds the deliveries of the trips.
    async fn find_deliveries(&mut self) -> Result<(), sqlx::Error> {
        if self.scope.trips.is_none() {
            return Ok(());
        }
        let mut after = Uuid::nil();
        while !self.is_stopped() {
            let began = Instant::now();
            let page = bodies::page(self.pool, after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            let found: Vec<Uuid> = page
                .iter()
                .filter(|delivery| delivery.is_about(&self.scope))
                .map(|delivery| delivery.id)
                .collect();
            if let Some(trips) = &mut self.scope.trips {
                trips.deliveries.extend(found);
            }
            pause_after(began).await;
        }
        Ok(())
    }

    async fn records(&mut self) -> Result<(), sqlx::Error> {
        for table in &TABLES {
            let mut after = None;
            while !self.is_stopped() {
                let began = Instant::now();
                let step = self.record_step(table, after.as_ref()).await?;
                self.count(table.name, step.rows);
                pause_after(began).await;
                if step.last.is_none() {
                    break;
                }
                after = step.last;
            }
        }
        Ok(())
    }

    /// Tries a step until the locks that it needs are free.
    async fn record_step(
        &self,
        table: &RedactedTable,
        after: Option<&serde_json::Map<String, serde_json::Value>>,
    ) -> Result<TextStep, sqlx::Error> {
        let mut tries = 1;
        loop {
            match table.step(self.pool, &self.scope, after, self.dry_run).await {
                Err(error) if tries < BUSY_TRIES && sqlstate(&error).is_some_and(|code| is_contention(&code)) => {
                    tries += 1;
                    sleep(BUSY_PAUSE).await;
                }
                result => return result,
            }
        }
    }

    async fn documents(&mut self) -> Result<(), sqlx::Error> {
        let mut after = 0;
        while !self.is_stopped() {
            let began = Instant::now();
            let step = documents::step(self.pool, &self.scope, after, self.dry_run).await?;
            self.count("documents", step.rows);
            let Some(last) = step.last else { return Ok(()) };
            after = last;
            pause_after(began).await;
        }
        Ok(())
    }

    async fn deliveries(&mut self) -> Result<(), sqlx::Error> {
        if let Some(trips) = &self.scope.trips {
            let whole = |id: &Uuid| Change {
                id: *id,
                headers: None,
                body: Some(REDACTED_BODY.to_vec()),
            };
            let changes: Vec<Change> = trips.deliveries.iter().map(whole).collect();
            for changes in changes.chunks(usize::try_from(BODIES_PER_STEP).unwrap_or(1)) {
                if self.is_stopped() {
                    return Ok(());
                }
                self.write(changes).await?;
            }
            return Ok(());
        }
        let mut after = Uuid::nil();
        while !self.is_stopped() {
            let page = bodies::page(self.pool, after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            let changes: Vec<Change> = page
                .iter()
                .filter_map(|delivery| delivery.change(&self.scope))
                .collect();
            self.write(&changes).await?;
        }
        Ok(())
    }

    async fn write(&mut self, changes: &[Change]) -> Result<(), sqlx::Error> {
        let began = Instant::now();
        let changed = bodies::write(self.pool, changes, self.dry_run).await?;
        self.count("deliveries", changed.rows);
        self.report.needed += changed.needed;
        pause_after(began).await;
        Ok(())
    }

    fn count(&mut self, table: &'static str, rows: u64) {
        *self.report.rows.entry(table).or_default() += rows;
    }

    fn is_stopped(&mut self) -> bool {
        self.report.is_stopped |= (self.stops)();
        self.report.is_stopped
    }
}

/// Pauses for as long as the step took, so that it takes half of the time at most.
async fn pause_after(began: Instant) {
    sleep(began.elapsed().min(MAX_PAUSE)).await;
}
