//! Rounds of faults under load, with a check of everything after each.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use strum::IntoEnumIterator;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::deployment::Deployment;
use super::fault::Fault;
use super::senders::Sending;
use super::truth::{check, insert_sessions, recovered};
use crate::crash::durable::Durable;
use crate::support::PATIENCE;

/// From the end of a fault until a new delivery is acknowledged and applied (guarantee 13).
const RECOVERY: Duration = Duration::from_secs(10);
const FAULTS_PER_ROUND: usize = 5;

#[expect(
    clippy::disallowed_methods,
    reason = "the size of a test is no setting of the service"
)]
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn under_random_faults_nothing_is_lost_or_counted_twice_and_all_recovers() {
    let seed = number("CHAOS_SEED", 1);
    let wanted = usize::try_from(number("CHAOS_FAULTS", 8)).unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    let postgres = Durable::new().await;
    let sessions = insert_sessions(&postgres.pool).await;
    postgres.checkpoint().await;
    let mut deployment = Deployment::start(postgres).await;
    let sending = Sending::new(seed, &deployment.receiver.address);
    let mut longest = BTreeMap::new();
    let (mut kinds, mut caused) = (Vec::new(), 0);
    while caused < wanted {
        let stop = CancellationToken::new();
        let mut senders = sending.start(&stop);
        for _ in 0..FAULTS_PER_ROUND.min(wanted - caused) {
            let fault = next(&mut kinds, &mut random);
            fault.cause(&mut deployment, &sending, &mut random).await;
            let recovery = recovered(&sending, deployment.pool()).await;
            let of_kind = longest.entry(fault).or_insert(recovery);
            *of_kind = recovery.max(*of_kind);
            caused += 1;
            println!(
                "fault {caused}: {fault}, work went on after {:.1} s",
                recovery.as_secs_f64()
            );
        }
        stop.cancel();
        while let Some(ended) = timeout(PATIENCE, senders.join_next()).await.unwrap() {
            ended.unwrap();
        }
        check(&sending, deployment.pool(), &sessions).await;
    }
    let longest_of_all = longest.values().max().copied().unwrap_or_default();
    for (fault, recovery) in &longest {
        println!("longest recovery after {fault}: {:.1} s", recovery.as_secs_f64());
    }
    println!(
        "seed {seed}: {caused} faults, {} events, {} deliveries acknowledged, 0 lost, 0 counted twice, longest recovery {:.1} s",
        sending.model.lock().unwrap().events(),
        sending.acknowledged.lock().unwrap().len(),
        longest_of_all.as_secs_f64()
    );
    assert!(longest_of_all <= RECOVERY, "{longest:?}");
}

/// Every kind comes up before one comes up again: `kinds` are those that are left.
fn next(kinds: &mut Vec<Fault>, random: &mut StdRng) -> Fault {
    if kinds.is_empty() {
        kinds.extend(Fault::iter());
        kinds.shuffle(random);
    }
    kinds.pop().unwrap()
}
