//! What the demo plays with, how it is played, and where it does not end as it must.

use std::time::Duration;

use super::{Args, SECRET, output, simulator};
use crate::avinode::signature::signer::Signer;
use crate::cli::error::{Attempt, Failure};
use crate::cli::fixture_run::Staged;
use crate::cli::fixtures;
use crate::cli::replay::sender::{Delivery, Plan, client, send_all};
use crate::cli::replay::summary::Summary;
use crate::cli::replay::wait_idle;
use crate::cli::serve::policy;
use crate::cli::simulate::seed_sessions::Cast;
use crate::clock::Clock;
use crate::config::serve::PrimaryQuote;
use crate::jobs::fetch::KIND as THIN;
use crate::postgres::transaction::Pool;
use crate::queue::admin::JobView;
use crate::simulator::simulator::Simulator;

/// How long the work may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that the demo plays with.
pub struct Stage<'a> {
    /// The fixtures' sessions.
    pub staged: Staged<'a>,
    /// The story's sessions.
    pub cast: Cast,
    /// The simulated Avinode.
    pub avinode: Simulator,
    /// The database.
    pub pool: Pool,
}

impl Stage<'_> {
    /// The sessions as they are now, as a table.
    pub async fn table(&self) -> Result<String, Failure> {
        let told = self.staged.sessions(&self.pool).await.attempting("read the sessions")?;
        let fetched = self.cast.sessions(&self.pool).await.attempting("read the sessions")?;
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
    pub async fn play(&self, args: &Args, url: &str) -> Result<Summary, Failure> {
        simulator::play(&self.avinode, url).await?;
        let summary = send(args, url, self.avinode.base()).await?;
        let settled = wait_idle::wait_until_settled(&self.pool, PATIENCE).await;
        settled.attempting("wait until the work is done")?;
        let written = self.staged.afterwards(&self.pool).await;
        if written.attempting("write as the application does")? > 0 {
            let settled = wait_idle::wait_until_settled(&self.pool, PATIENCE).await;
            settled.attempting("wait until the sessions are matched")?;
        }
        Ok(summary)
    }

    /// Where things are not as the fixtures and the story have it, by the policy `latest`.
    pub async fn differences(&self, summary: &Summary, jobs: &[JobView]) -> Result<Vec<String>, Failure> {
        let told = self.staged.sessions(&self.pool).await.attempting("read the sessions")?;
        let fetched = self.cast.sessions(&self.pool).await.attempting("read the sessions")?;
        let mut differences = self.staged.differences(&told);
        differences.extend(
            self.cast
                .differences(&fetched, &self.avinode.truth(), policy(PrimaryQuote::Latest)),
        );
        let waiting = jobs
            .iter()
            .filter(|job| job.state == "waiting" && job.kind == THIN)
            .count() as u64;
        let dead = jobs.iter().filter(|job| job.state == "dead").count() as u64;
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
async fn send(args: &Args, url: &str, avinode: &str) -> Result<Summary, Failure> {
    // One moment for all files: two that are the same before it is filled in are the same afterwards.
    let now = Clock::System.now();
    let fixtures = fixtures::read(std::slice::from_ref(&args.fixtures)).attempting("read the fixtures")?;
    let deliveries = fixtures
        .iter()
        .map(|fixture| Ok(Delivery::new(fixture.path.display(), fixture.body_of(now, avinode)?)))
        .collect::<Result<Vec<_>, fixtures::FixtureError>>()
        .attempting("fill in the placeholders")?;
    let signer = Signer::from_settings(Some(SECRET), None).attempting("make the signer")?;
    let signer = signer.ok_or_else(|| Failure::plain("the demo has no secret"))?;
    let client = client(url).attempting("make an HTTP client")?;
    let plan = Plan {
        deliveries,
        concurrency: 4,
        rate: None,
    };
    Ok(send_all(&plan, url, &client, &signer, Clock::System, &|_, _| ()).await)
}
