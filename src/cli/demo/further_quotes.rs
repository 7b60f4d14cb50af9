//! After the run the simulated Avinode goes on in real time, so that a visitor of the console sees quotes arrive.

use super::run::DemoRun;
use crate::cli::error::{CliError, Context};
use crate::cli::simulate::seed_sessions::SeededSessions;
use crate::simulator::generate::GeneratorOptions;
use crate::simulator::scenario::Scenario;

/// RFQs until [`FIRST_ANSWERS`], and then an hour with an action of an operator every five seconds.
const OPTIONS: GeneratorOptions = GeneratorOptions {
    trips: 40,
    actions: 720,
    seconds: 4_000,
};
/// A visitor does not wait for the RFQs, in seconds of the scenario.
const FIRST_ANSWERS: u64 = 400;
const SEED: u64 = 7;
/// Seconds of the scenario per second.
const SPEED: f64 = 1.0;

/// Creates sessions for further trips and plays these. Returns at the end of the scenario.
pub async fn play(demo: &DemoRun<'_>) -> Result<(), CliError> {
    let scenario = Scenario::generated(OPTIONS, SEED).context("generate further trips")?;
    let created = SeededSessions::create(&demo.pool, &scenario).await;
    created.context("create the sessions of further trips")?;
    let played = demo.avinode.play_further(&scenario, SPEED, FIRST_ANSWERS).await;
    played.context("make an HTTP client")
}
