//! A worker is killed while it holds jobs, and another one finishes them: nothing is lost.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use super::database::DemoDatabase;
use super::output::DemoLine;
use super::run::DemoRun;
use super::services::DemoServices;
use super::{sender, worker};
use crate::cli::error::{CliError, Context};
use crate::cli::fixture_run::price;
use crate::cli::replay::sender::SignedDelivery;
use crate::cli::trigger::event::{self, EventIds, EventTexts, TriggerKind};
use crate::clock::Clock;
use crate::postgres::transaction::Pool;
use crate::queue::admin::{self as jobs, JobFilter};
use crate::queue::job_kind::JobKind;
use crate::queue::job_state::JobState;
use crate::queue::process_lease;
use crate::store::admin;
use crate::store::demo_data::{self, NewSession};

/// Quotes that wait in the queue when the worker is killed.
const QUOTES: u32 = 40;
const TRIP: &str = "atrip-64990001";
/// The time until the worker holds a job.
const CLAIM_LIMIT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The receiver runs; the workers end first, so that the killed process is the only one.
pub async fn show(
    demo: &DemoRun<'_>,
    database: &DemoDatabase,
    url: &str,
    services: &mut DemoServices,
) -> Result<DemoLine, CliError> {
    let before = demo.all_sessions().await?;
    services.end_workers().await;
    let session = NewSession {
        name: "a-worker-killed".to_owned(),
        trip_id: Some(TRIP.to_owned()),
        has_request: true,
        status: "active".to_owned(),
        current_step: Some("understanding_request".to_owned()),
        counts: [0, 0, 0],
    };
    let created = demo_data::session(&demo.pool, &session).await;
    let session = created.context("create a session")?;
    let summary = sender::send(quotes(Clock::System.now())?, url, sender::CONCURRENCY).await?;
    // The worker cannot finish what it has begun.
    let held = demo_data::hold_session(&demo.pool, session).await;
    let held = held.context("lock the session")?;
    let mut worker = worker::start(database).await?;
    wait_for_claim(&demo.pool, &mut worker).await?;
    worker.kill().await.context("kill the worker")?;
    held.commit().await.context("release the session")?;
    let left = live_events(&demo.pool).await?;

    services.start_workers().await?;
    demo.wait_until_idle().await?;
    let mut differences = Vec::new();
    if !summary.is_clean() {
        differences.push(summary.refusal());
    }
    if left == 0 {
        differences.push("the worker had finished before it was killed".to_owned());
    }
    if demo.all_sessions().await? != before {
        differences.push("other sessions changed".to_owned());
    }
    let found = admin::sessions(&demo.pool, &[session]).await;
    let found = found.context("read the session")?.pop();
    let found = found.map(|found| (found.quotes_received_count, found.primary_quote.clone(), price(&found)));
    let expected = (
        i32::try_from(QUOTES).unwrap_or(i32::MAX),
        Some(quote_id(QUOTES)),
        Some(format!("{}.00 USD", amount(QUOTES))),
    );
    if found.as_ref() != Some(&expected) {
        differences.push(format!("the session has {found:?}, expected {expected:?}"));
    }
    Ok(DemoLine {
        text: format!("A worker killed with {left} of {QUOTES} quotes in the queue: nothing lost"),
        differences: Some(differences),
    })
}

/// Quotes of one trip, the newest last: the session has to count each, and to select the last.
fn quotes(now: DateTime<Utc>) -> Result<Vec<SignedDelivery>, CliError> {
    let quote = |number: u32| {
        let ids = EventIds {
            event: format!("evt-worker-killed-{number:02}"),
            trip: TRIP.to_owned(),
            rfq: format!("arfq-649900{number:02}"),
            quote: quote_id(number),
            message: String::new(),
        };
        let texts = EventTexts {
            price: Some(amount(number).into()),
            ..EventTexts::default()
        };
        let at = now - TimeDelta::seconds((QUOTES - number).into());
        let body = event::body(TriggerKind::Quote, &ids, &texts, at).context("make a quote")?;
        Ok(SignedDelivery::new(&ids.event, body))
    };
    (1..=QUOTES).map(quote).collect()
}

fn quote_id(number: u32) -> String {
    format!("aquote-3899000{number:02}")
}

fn amount(number: u32) -> u32 {
    10_000 + number
}

/// Waits until the worker holds a job, and the lease by which others see its death.
async fn wait_for_claim(pool: &Pool, worker: &mut Child) -> Result<(), CliError> {
    let began = Instant::now();
    while !is_working(pool).await.context("look at the jobs")? {
        if let Some(status) = worker.try_wait().context("look at the worker")? {
            return Err(CliError::plain(format!(
                "the worker ended before it was killed: {status}"
            )));
        }
        if began.elapsed() >= CLAIM_LIMIT {
            return Err(CliError::plain("the worker claimed no job"));
        }
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

async fn is_working(pool: &Pool) -> Result<bool, sqlx::Error> {
    let filter = JobFilter {
        state: Some(JobState::Running),
        limit: 1,
        ..JobFilter::default()
    };
    let running = jobs::list(pool, &filter).await?.pop();
    // Its process is the beginning of a worker's name.
    let worker = running.and_then(|job| job.leased_by).unwrap_or_default();
    match worker.split_once('/') {
        Some((process, _)) => process_lease::is_held(pool, process).await,
        None => Ok(false),
    }
}

/// Counts jobs with full events that are not done.
async fn live_events(pool: &Pool) -> Result<usize, CliError> {
    let filter = JobFilter {
        kind: Some(JobKind::FullEvent.as_str().to_owned()),
        limit: 10_000,
        ..JobFilter::default()
    };
    let listed = jobs::list(pool, &filter).await.context("list the jobs")?;
    Ok(listed.iter().filter(|job| job.state != JobState::Dead).count())
}
