//! A run of the demo: sends the fixtures, plays the story, and compares the sessions with both.

use std::time::Duration;

use super::{DemoArgs, SECRET, output, simulator};
use crate::avinode::signature::signer::Signer;
use crate::cli::error::{CliError, Context};
use crate::cli::fixture_run::SeededManifest;
use crate::cli::fixtures;
use crate::cli::replay::sender::{SendPlan, client, send_all, signed_deliveries};
use crate::cli::replay::summary::ReplaySummary;
use crate::cli::replay::wait_idle;
use crate::cli::simulate::seed_sessions::SeededSessions;
use crate::clock::Clock;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::postgres::transaction::Pool;
use crate::queue::admin::JobView;
use crate::queue::job_kind::JobKind;
use crate::queue::job_state::JobState;
use crate::simulator::instance::Simulator;
use crate::store::admin::SessionView;

/// How long the service may take to become idle.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

pub struct DemoRun<'a> {
    /// Sessions of the fixtures.
    pub fixtures: SeededManifest<'a>,
    /// Sessions of the story.
    pub story: SeededSessions,
    pub avinode: Simulator,
    pub pool: Pool,
}

impl DemoRun<'_> {
    /// The sessions as they are now.
    pub async fn table(&self) -> Result<String, CliError> {
        let (of_fixtures, of_story) = self.sessions().await?;
        let of_fixtures = self.fixtures.names.iter().zip(&of_fixtures);
        let of_story = self.story.names.iter().zip(&of_story);
        let of_fixtures = of_fixtures.map(|(name, session)| ("events", name, session));
        let of_story = of_story.map(|(name, session)| ("fetched", name, session));
        Ok(output::sessions(of_fixtures.chain(of_story)))
    }

    /// The sessions of the fixtures, and those of the story.
    async fn sessions(&self) -> Result<(Vec<SessionView>, Vec<SessionView>), CliError> {
        let of_fixtures = self.fixtures.sessions(&self.pool).await.context("read the sessions")?;
        let of_story = self.story.sessions(&self.pool).await.context("read the sessions")?;
        Ok((of_fixtures, of_story))
    }

    /// Plays the story, then sends the fixtures (their thin notifications name resources of the story), and waits until the service
    /// is idle.
    pub async fn play(&self, args: &DemoArgs, url: &str) -> Result<ReplaySummary, CliError> {
        simulator::play(&self.avinode, url).await?;
        let summary = send(args, url, self.avinode.base()).await?;
        self.wait_until_idle().await?;
        let written = self.fixtures.follow_up(&self.pool).await;
        if written.context("write as the application does")? > 0 {
            self.wait_until_idle().await?;
        }
        Ok(summary)
    }

    async fn wait_until_idle(&self) -> Result<(), CliError> {
        let idle = wait_idle::wait_until_settled(&self.pool, IDLE_TIMEOUT).await;
        idle.context("wait until the work is done")
    }

    /// Returns the differences from the fixtures and the story, which expect the policy `latest`.
    pub async fn differences(&self, summary: &ReplaySummary, jobs: &[JobView]) -> Result<Vec<String>, CliError> {
        let (of_fixtures, of_story) = self.sessions().await?;
        let mut differences = self.fixtures.differences(&of_fixtures);
        let expected = self.avinode.expected();
        let policy = PrimaryQuotePolicy::Latest;
        differences.extend(self.story.differences(&of_story, &expected, policy));
        let waiting = jobs
            .iter()
            .filter(|job| job.state != JobState::Dead && job.kind == JobKind::FetchNotified.as_str())
            .count() as u64;
        let dead = jobs.iter().filter(|job| job.state == JobState::Dead).count() as u64;
        let expected = self.fixtures.expected_jobs();
        if (waiting, dead) != expected {
            differences.push(format!(
                "{waiting} jobs wait to be fetched and {dead} are dead, expected {} and {}",
                expected.0, expected.1
            ));
        }
        if !summary.is_clean() {
            differences.push(summary.refusal());
        }
        let sent = self.avinode.log().deliveries();
        if sent.delivered != sent.planned {
            differences.push(format!(
                "{} of {} notifications were accepted",
                sent.delivered, sent.planned
            ));
        }
        Ok(differences)
    }
}

async fn send(args: &DemoArgs, url: &str, avinode: &str) -> Result<ReplaySummary, CliError> {
    // One moment for all files, so that equal files stay equal.
    let now = Clock::System.now();
    let fixtures = fixtures::read(std::slice::from_ref(&args.fixtures)).context("read the fixtures")?;
    let deliveries = signed_deliveries(&fixtures, now, avinode)?;
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
