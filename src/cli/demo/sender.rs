//! Sends the demo's deliveries, signed, and everything that was received again.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::output::DemoLine;
use super::run::DemoRun;
use super::{DemoArgs, SECRET};
use crate::avinode::signature::signer::Signer;
use crate::cli::error::{CliError, Context};
use crate::cli::fixtures;
use crate::cli::replay::sender::{SendPlan, SignedDelivery, client, send_all, signed_deliveries};
use crate::cli::replay::summary::ReplaySummary;
use crate::clock::Clock;
use crate::postgres::transaction::Pool;
use crate::store::admin;
use crate::store::admin::delivery_list::{self, DeliveryFilter};

const AGAIN: usize = 3;
const SEED: u64 = 7;

/// Sends the fixtures.
pub async fn send_fixtures(args: &DemoArgs, url: &str, avinode: &str) -> Result<ReplaySummary, CliError> {
    // One moment for all files, so that equal files stay equal.
    let now = Clock::System.now();
    let fixtures = fixtures::read(std::slice::from_ref(&args.fixtures)).context("read the fixtures")?;
    send(signed_deliveries(&fixtures, now, avinode)?, url).await
}

/// Sends everything that was received, byte for byte, three times and shuffled. No session may change.
pub async fn send_again(demo: &DemoRun<'_>, url: &str) -> Result<DemoLine, CliError> {
    let before = demo.all_sessions().await?;
    let received = received(&demo.pool).await?;
    let mut deliveries: Vec<SignedDelivery> = std::iter::repeat_n(received, AGAIN).flatten().collect();
    deliveries.shuffle(&mut StdRng::seed_from_u64(SEED));
    let count = deliveries.len();
    let summary = send(deliveries, url).await?;
    demo.wait_until_idle().await?;
    let after = demo.all_sessions().await?;
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after);
    let mut differences: Vec<String> = changed
        .map(|(before, after)| format!("a session changed from {before:?} to {after:?}"))
        .collect();
    if !summary.is_clean() {
        differences.push(summary.refusal());
    }
    Ok(DemoLine {
        text: format!("Everything again, three times, shuffled, {count} deliveries: nothing changed"),
        differences: Some(differences),
    })
}

/// The bodies that were received, in order.
async fn received(pool: &Pool) -> Result<Vec<SignedDelivery>, CliError> {
    let filter = DeliveryFilter {
        limit: 10_000,
        ..DeliveryFilter::default()
    };
    let listed = delivery_list::list(pool, &filter)
        .await
        .context("list the deliveries")?;
    let mut received = Vec::new();
    for delivery in listed.data {
        let stored = admin::delivery(pool, delivery.id).await.context("read a delivery")?;
        received.extend(stored.map(|stored| SignedDelivery::new(delivery.id, stored.body)));
    }
    received.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(received)
}

pub async fn send(deliveries: Vec<SignedDelivery>, url: &str) -> Result<ReplaySummary, CliError> {
    let signer = Signer::from_settings(Some(SECRET), None).context("make the signer")?;
    let signer = signer.ok_or_else(|| CliError::plain("the demo has no secret"))?;
    let client = client(url).context("make an HTTP client")?;
    let plan = SendPlan {
        deliveries,
        concurrency: 4,
        rate: None,
    };
    Ok(send_all(&plan, url, &client, &signer, Clock::System, &|_, _| ()).await)
}
