//! Sends the demo's deliveries, signed.

use super::{DemoArgs, SECRET};
use crate::avinode::signature::signer::Signer;
use crate::cli::error::{CliError, Context};
use crate::cli::fixtures;
use crate::cli::replay::sender::{SendPlan, SignedDelivery, client, send_all, signed_deliveries};
use crate::cli::replay::summary::ReplaySummary;
use crate::clock::Clock;

/// Concurrent deliveries where their order means nothing.
pub const CONCURRENCY: usize = 16;

/// Sends the fixtures.
pub async fn send_fixtures(args: &DemoArgs, url: &str, avinode: &str) -> Result<ReplaySummary, CliError> {
    // One moment for all files, so that equal files stay equal.
    let now = Clock::System.now();
    let fixtures = fixtures::read(std::slice::from_ref(&args.fixtures)).context("read the fixtures")?;
    send(signed_deliveries(&fixtures, now, avinode)?, url, 4).await
}

/// `concurrency`: deliveries on their way at the same time.
pub async fn send(deliveries: Vec<SignedDelivery>, url: &str, concurrency: usize) -> Result<ReplaySummary, CliError> {
    let signer = Signer::from_settings(Some(SECRET), None).context("make the signer")?;
    let signer = signer.ok_or_else(|| CliError::plain("the demo has no secret"))?;
    let client = client(url).context("make an HTTP client")?;
    let plan = SendPlan {
        deliveries,
        concurrency,
        rate: None,
    };
    Ok(send_all(&plan, url, &client, &signer, Clock::System, &|_, _| ()).await)
}
