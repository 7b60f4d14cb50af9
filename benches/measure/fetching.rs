//! Fetching: from a thin notification to the changed session, with a simulated Avinode that allows a hundred calls a second.

use std::time::Duration;

use avinode_ingest::cli::simulate::seed_sessions::SeededSessions;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::simulator::credentials::ApiCredentials;
use avinode_ingest::simulator::generate::GeneratorOptions;
use avinode_ingest::simulator::instance::Simulator;
use avinode_ingest::simulator::options::SimulatorOptions;
use avinode_ingest::simulator::rate_limit::CallQuota;
use avinode_ingest::simulator::scenario::Scenario;
use avinode_ingest::simulator::webhook_settings::AuthMode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::apply::WORKERS;
use crate::database::Database;
use crate::options::Options;
use crate::report::Section;
use crate::samples::Samples;
use crate::serve::Serve;

const QUOTA: CallQuota = CallQuota { rate: 100.0, burst: 40 };
/// Changes a second: a change costs up to two calls, so that the limit is not reached for long.
const CHANGES_PER_SECOND: f64 = 40.0;
/// For the second fetches, after the last change.
const SETTLED_AFTER: Duration = Duration::from_secs(120);

/// One run of a scenario.
struct Run {
    latencies: Samples,
    changes: usize,
    calls: usize,
    documents: usize,
}

pub async fn measure(database: &Database, options: &Options) -> Result<Section> {
    let trips = options.sized(200, 15);
    let (mut p50, mut p99, mut p999) = <(Samples, Samples, Samples)>::default();
    let (mut calls, mut documents) = <(Samples, Samples)>::default();
    let mut changes = 0;
    for round in 1..=options.rounds() {
        database.clear().await?;
        let run = run(database, trips, u64::try_from(round)?).await?;
        println!(
            "fetching, round {round}: {} changes, {} calls, p99 {:.0} ms",
            run.changes,
            run.calls,
            run.latencies.percentile(99.0)
        );
        p50.push(run.latencies.percentile(50.0));
        p99.push(run.latencies.percentile(99.0));
        p999.push(run.latencies.percentile(99.9));
        calls.push(run.calls as f64 / run.changes as f64);
        documents.push(run.documents as f64 / run.changes as f64);
        changes = run.changes;
    }
    let mut section = Section::new(
        "fetching",
        format!(
            "A generated scenario of {trips} trips, {changes} changes in the last round, {CHANGES_PER_SECOND} changes a second, without \
             faults; {} calls a second with a burst of {}. The time runs from the stored notification to the commit that \
             changes the session.",
            QUOTA.rate, QUOTA.burst
        ),
        &["figure", "measured"],
    );
    section.row(["notification → session changed, p50".into(), format!("{p50} ms")]);
    section.row(["p99".into(), format!("{p99} ms")]);
    section.row(["p99.9".into(), format!("{p999} ms")]);
    section.row([
        "calls per change, answers 404 and 429 included".into(),
        calls.to_string(),
    ]);
    section.row(["documents per change".into(), documents.to_string()]);
    Ok(section)
}

async fn run(database: &Database, trips: u32, seed: u64) -> Result<Run> {
    let scenario = Scenario::generated(GeneratorOptions::new(trips, trips * 10), seed)?;
    let speed = scenario.length() as f64 * CHANGES_PER_SECOND / scenario.actions.len() as f64;
    let stop = CancellationToken::new();
    let options = SimulatorOptions {
        speed,
        rate_limit: QUOTA,
        ..SimulatorOptions::default()
    };
    let simulator = Simulator::start(TcpListener::bind("127.0.0.1:0").await?, scenario, options, stop.clone())?;
    let seeded = SeededSessions::create(&database.product_pool(), simulator.scenario()).await?;
    let serve = Serve::start_with(&database.url(), "both", WORKERS, &settings(&simulator)).await?;
    let hook = format!("http://127.0.0.1:{}/webhooks/avinode", serve.port);
    simulator.subscribe(&hook, "avinode", "hush", AuthMode::Preemptive)?;
    simulator.play().await?;
    tokio::time::timeout(SETTLED_AFTER, wait_until_fetched(database)).await??;
    serve.stop().await?;
    let latencies: Vec<f64> = sqlx::query_scalar(
        "SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - created_at)::float8 * 1000
         FROM avinode_ingest.outcomes WHERE kind = 'fetch_notified' AND outcome = 'applied'",
    )
    .fetch_all(&database.pool)
    .await?;
    let sessions = seeded.sessions(&database.product_pool()).await?;
    let differences = seeded.differences(&sessions, &simulator.expected(), PrimaryQuotePolicy::Latest);
    if !differences.is_empty() || simulator.log().over_limit() > 0 {
        return Err(format!("the sessions differ, or the limit was exceeded: {differences:?}").into());
    }
    let run = Run {
        latencies: latencies.into_iter().collect(),
        changes: simulator.expected().changes,
        calls: simulator.log().calls().len(),
        documents: simulator.log().served(),
    };
    stop.cancel();
    simulator.ended().await;
    Ok(run)
}

/// The settings with which the service finds the simulated API.
fn settings(simulator: &Simulator) -> [(&'static str, String); 8] {
    let ApiCredentials { api_token, bearer } = ApiCredentials::default();
    [
        ("AVINODE_WEBHOOK_BASIC", "avinode:hush".to_owned()),
        ("AVINODE_BASE_URL", simulator.base().to_owned()),
        ("AVINODE_INSECURE_LOOPBACK", "true".to_owned()),
        ("AVINODE_API_TOKEN", api_token.to_string()),
        ("AVINODE_BEARER", bearer.to_string()),
        ("AVINODE_CALLS_PER_SECOND", QUOTA.rate.to_string()),
        ("AVINODE_BURST", QUOTA.burst.to_string()),
        // Its calls would hide those that are counted.
        ("AVINODE_RECONCILE_INTERVAL", "off".to_owned()),
    ]
}

/// Waits until all jobs have run, but for those that run minutes later: they fetch a trip for its second id, or for a session without
/// notifications, match a session again, or end a quote's validity.
async fn wait_until_fetched(database: &Database) -> Result<()> {
    while sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM avinode_ingest.jobs
             WHERE kind <> 'fetch_speculative' AND (
                 due_at < clock_timestamp() + interval '30 seconds'
                 OR kind = 'fetch_follow_up' AND key LIKE '%-%' AND NOT starts_with(key, 'atrip-')
             ))",
    )
    .fetch_one(&database.pool)
    .await?
    {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
