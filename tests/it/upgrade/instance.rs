//! A process of a release, and the counts that it publishes.

use nix::sys::signal::Signal;

use super::release::Release;
use crate::crash::program::Serve;
use crate::support::PATIENCE;

/// The counts of one process since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counts {
    /// Deliveries that were answered 200.
    pub accepted: u64,
    /// Jobs that were finished.
    pub finished: u64,
    /// Attempts of jobs that failed, and jobs that died.
    pub failed: u64,
}

pub struct Instance {
    pub release: &'static str,
    serve: Serve,
    admin: String,
}

impl Instance {
    pub async fn start(release: &Release, listen: &str, admin: &str, variables: &[(&str, &str)]) -> Self {
        let variables = [variables, &[("INGEST_ADMIN_LISTEN", admin)]].concat();
        let serve = Serve::start_file(&release.file, listen, &variables).await;
        serve.ready().await;
        Self {
            release: release.name,
            serve,
            admin: admin.to_owned(),
        }
    }

    pub async fn counts(&self) -> Counts {
        let answer = reqwest::get(format!("http://{}/metrics", self.admin)).await.unwrap();
        let text = answer.text().await.unwrap();
        let sum = |name: &str, label: &str| -> u64 {
            let series = text
                .lines()
                .filter(|line| line.starts_with(name) && line.contains(label));
            let values = series.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
            values.sum()
        };
        Counts {
            accepted: sum("avinode_ingest_deliveries_total{", "status=\"200\""),
            finished: sum("avinode_ingest_jobs_finished_total{", "outcome=\"applied\""),
            failed: sum("avinode_ingest_job_failures_total{", "") + sum("avinode_ingest_jobs_died_total{", ""),
        }
    }

    /// Ends it in order, and returns what it said.
    pub async fn stop(self) -> String {
        self.serve.stop(Signal::SIGTERM, PATIENCE).await
    }
}
