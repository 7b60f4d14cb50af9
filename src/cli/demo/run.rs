//! What the demo plays with, how it is played, and where it does not end as it must.

use std::time::Duration;

use super::{DemoArgs, SECRET, output, simulator};
use crate::avinode::signature::signer::Signer;
use crate::cli::error::{CliError, Context};
use crate::cli::fixture_run::SeededManifest;
use crate::cli::fixtures;
use crate::cli::replay::sender::{SendPlan, SignedDelivery, client, send_all};
use crate::cli::replay::summary::ReplaySummary;
use crate::cli::replay::wait_idle;
use crate::cli::serve::policy;
use crate::cli::simulate::seed_sessions::SeededSessions;
use crate::clock::Clock;
use crate::config::serve::PrimaryQuote;
use crate::domain::job_kind::JobKind;
use crate::postgres::transaction::Pool;
use crate::queue::admin::JobView;
use crate::queue::job_state::JobState;
use crate::simulator::instance::Simulator;

/// How long the work may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that the demo plays with.
pub struct DemoRun<'a> {
    /// The fixtures' sessions.
    pub staged: SeededManifest<'a>,
    /// The story's sessions.
    pub cast: SeededSessions,
    /// The simulated Avinode.
    pub avinode: Simulator,
    /// The database.
    pub pool: Pool,
}

impl DemoRun<'_> {
    /// The sessions as they are now, as a table.
    pub async fn table(&self) -> Result<String, CliError> {
        let told = self.staged.sessions(&self.pool).await.context("read the sessions")?;
        let fetched = self.cast.sessions(&self.pool).await.context("read the sessions")?;
        let told = self
            .staged
            .names
            .iter()
            .zip(&told)
            .map(|(name, session)| ("events", name, session));
        let fetched = self
            .cast
            .names
            .iter()
            .zip(&fetched)
            .map(|(name, session)| ("fetched", name, session));
        Ok(output::sessions(told.chain(fetched)))
    }

    /// Plays the story, then sends the fixtures, whose thin notifications name the story's resources, and waits until the
    /// work is done.
    pub async fn play(&self, args: &DemoArgs, url: &str) -> Result<ReplaySummary, CliError> {
        simulator::play(&self.avinode, url).await?;
        let summary = send(args, url, self.avinode.base()).await?;
        let settled = wait_idle::wait_until_settled(&self.pool, PATIENCE).await;
        settled.context("wait until the work is done")?;
        let written = self.staged.afterwards(&self.pool).await;
        if written.context("write as the application does")? > 0 {
            let settled = wait_idle::wait_until_settled(&self.pool, PATIENCE).await;
            settled.context("wait until the sessions are matched")?;
        }
        Ok(summary)
    }

    /// Where things are not as the fixtures and the story have it, by the policy `latest`.
    pub async fn differences(&self, summary: &ReplaySummary, jobs: &[JobView]) -> Result<Vec<String>, CliError> {
        let told = self.staged.sessions(&self.pool).await.context("read the sessions")?;
        let fetched = self.cast.sessions(&self.pool).await.context("read the sessions")?;
        let mut differences = self.staged.differences(&told);
        differences.extend(
            self.cast
                .differences(&fetched, &self.avinode.truth(), policy(PrimaryQuote::Latest)),
        );
        let waiting = jobs
            .iter()
            .filter(|job| job.state != JobState::Dead && job.kind == JobKind::FetchNotified.as_str())
            .count() as u64;
        let dead = jobs.iter().filter(|job| job.state == JobState::Dead).count() as u64;
        let expected = self.staged.expected_jobs();
        if (waiting, dead) != expected {
            differences.push(format!(
                "{:?} jobs wait and are dead, expected {expected:?}",
                (waiting, dead)
            ));
        }
        if !summary.is_clean() {
            differences.push(summary.refusal());
        }
        let delivered = self.avinode.log().deliveries();
        if delivered.delivered != delivered.planned {
            differences.push(format!(
                "{} of {} notifications were taken",
                delivered.delivered, delivered.planned
            ));
        }
        Ok(differences)
    }
}

/// Sends the fixtures; their thin notifications name resources of this API.
async fn send(args: &DemoArgs, url: &str, avinode: &str) -> Result<ReplaySummary, CliError> {
    // One moment for all files: two that are the same before it is filled in are the same afterwards.
    let now = Clock::System.now();
    let fixtures = fixtures::read(std::slice::from_ref(&args.fixtures)).context("read the fixtures")?;
    let deliveries = fixtures
        .iter()
        .map(|fixture| {
            Ok(SignedDelivery::new(
                fixture.path.display(),
                fixture.body_of(now, avinode)?,
            ))
        })
        .collect::<Result<Vec<_>, fixtures::FixtureError>>()
        .context("fill in the placeholders")?;
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
