//! Everything that was received is sent again: no session may change.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::output::DemoLine;
use super::run::DemoRun;
use super::sender::{CONCURRENCY, send};
use crate::cli::error::{CliError, Context};
use crate::cli::replay::sender::SignedDelivery;
use crate::postgres::transaction::Pool;
use crate::store::admin;
use crate::store::admin::delivery_list::{self, DeliveryFilter};

const AGAIN: usize = 3;
const SEED: u64 = 7;

/// Sends everything that was received, byte for byte, three times and shuffled. No session may change.
pub async fn send_again(demo: &DemoRun<'_>, url: &str) -> Result<DemoLine, CliError> {
    let before = demo.all_sessions().await?;
    let received = received(&demo.pool).await?;
    let mut deliveries: Vec<SignedDelivery> = std::iter::repeat_n(received, AGAIN).flatten().collect();
    deliveries.shuffle(&mut StdRng::seed_from_u64(SEED));
    let count = deliveries.len();
    let summary = send(deliveries, url, CONCURRENCY).await?;
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
