//! A run of the demo: sends the fixtures, plays the story, and compares the sessions with both.

use std::time::Duration;

use super::output::DemoLine;
use super::{DemoArgs, sender, simulator};
use crate::cli::error::{CliError, Context};
use crate::cli::fixture_run::{self, SeededManifest};
use crate::cli::replay::summary::ReplaySummary;
use crate::cli::replay::wait_idle;
use crate::cli::simulate::seed_sessions::SeededSessions;
use crate::cli::table::or_dash;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::postgres::transaction::Pool;
use crate::queue::admin::{self, JobFilter, JobView};
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
    /// One line for each scenario of the fixtures.
    pub async fn scenario_lines(&self, compared: bool) -> Result<Vec<DemoLine>, CliError> {
        let (of_fixtures, _) = self.sessions().await?;
        let differences = self.fixtures.differences(&of_fixtures);
        let scenarios = self.fixtures.scenarios().iter();
        let lines = scenarios.map(|scenario| {
            let names = scenario.sessions.iter().map(|session| format!("{}: ", session.name));
            let names: Vec<String> = names.collect();
            let is_of_it = |line: &&String| names.iter().any(|name| line.starts_with(name));
            let number = scenario.folder.split('-').next().unwrap_or_default();
            DemoLine {
                text: format!("{number} {}", scenario.sentence),
                differences: compared.then(|| differences.iter().filter(is_of_it).cloned().collect()),
            }
        });
        Ok(lines.collect())
    }

    /// One line for each session of the story.
    pub async fn story_lines(&self, compared: bool) -> Result<Vec<DemoLine>, CliError> {
        let (_, of_story) = self.sessions().await?;
        let expected = self.avinode.expected();
        let differences = self.story.differences(&of_story, &expected, PrimaryQuotePolicy::Latest);
        let lines = self.story.names.iter().zip(&of_story).map(|(name, session)| {
            let quotes = format!("{}/{}", session.quotes_received_count, session.quotes_expected_count);
            let operator = or_dash(session.primary_operator.clone());
            let price = or_dash(fixture_run::price(session));
            let start = format!("{name}: ");
            let of_it = differences.iter().filter(|line| line.starts_with(&start));
            DemoLine {
                text: format!("{name}: {quotes} quotes, {operator} {price}"),
                differences: compared.then(|| of_it.cloned().collect()),
            }
        });
        Ok(lines.collect())
    }

    /// All sessions as they are now.
    pub async fn all_sessions(&self) -> Result<Vec<SessionView>, CliError> {
        let (mut sessions, of_story) = self.sessions().await?;
        sessions.extend(of_story);
        Ok(sessions)
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
        let summary = sender::send_fixtures(args, url, self.avinode.base()).await?;
        self.wait_until_idle().await?;
        let written = self.fixtures.follow_up(&self.pool).await;
        if written.context("write as the application does")? > 0 {
            self.wait_until_idle().await?;
        }
        Ok(summary)
    }

    pub async fn wait_until_idle(&self) -> Result<(), CliError> {
        let idle = wait_idle::wait_until_settled(&self.pool, IDLE_TIMEOUT).await;
        idle.context("wait until the work is done")
    }

    /// Returns the differences from the expected jobs and answers.
    pub async fn other_differences(&self, summary: &ReplaySummary) -> Result<Vec<String>, CliError> {
        let jobs = self.jobs().await?;
        let mut differences = Vec::new();
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

    async fn jobs(&self) -> Result<Vec<JobView>, CliError> {
        let filter = JobFilter {
            limit: 10_000,
            ..JobFilter::default()
        };
        admin::list(&self.pool, &filter).await.context("list the jobs")
    }
}
