//! Whether this process should be given work: a flag, the loops' heartbeats and probes, asked together. Probes answer
//! with fixed words instead of errors, so no address, password or SQL can reach the page.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::heartbeat::HeartbeatRegistry;

/// How long a probe's answer stands in for asking again: a flood of questions is one question a second.
const FRESH: Duration = Duration::from_secs(1);

/// How long an answer is waited for, where nothing else is said.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a probe finds: fine, or what is wrong in a few fixed words.
pub type ProbeResult = Result<(), &'static str>;

/// One thing that must be well, for example that the database answers.
pub struct Probe {
    name: &'static str,
    ask: Box<dyn Fn() -> BoxFuture<'static, ProbeResult> + Send + Sync>,
    patience: Duration,
    /// Held while asking, so that those who come meanwhile share the answer.
    last: Mutex<Option<(Instant, ProbeResult)>>,
}

impl Probe {
    /// A probe with this name in the report; no answer within two seconds is an answer too.
    pub fn new(name: &'static str, ask: impl Fn() -> BoxFuture<'static, ProbeResult> + Send + Sync + 'static) -> Self {
        Self {
            name,
            ask: Box::new(ask),
            patience: PATIENCE,
            last: Mutex::new(None),
        }
    }

    /// The same probe with another patience.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    async fn find(&self) -> ProbeResult {
        let mut last = self.last.lock().await;
        if let Some((asked, finding)) = *last
            && asked.elapsed() < FRESH
        {
            return finding;
        }
        let answer = tokio::time::timeout(self.patience, (self.ask)()).await;
        let finding = answer.unwrap_or(Err("no answer in time"));
        *last = Some((Instant::now(), finding));
        finding
    }
}

/// Something worth knowing that makes a process no less ready, in words that hold no secret.
pub struct StatusDetail {
    name: &'static str,
    ask: Box<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>,
    last: Mutex<Option<(Instant, String)>>,
}

impl StatusDetail {
    /// A detail with this name in the report; one that is not told within two seconds is unknown.
    pub fn new(name: &'static str, ask: impl Fn() -> BoxFuture<'static, String> + Send + Sync + 'static) -> Self {
        Self {
            name,
            ask: Box::new(ask),
            last: Mutex::new(None),
        }
    }

    async fn tell(&self) -> String {
        let mut last = self.last.lock().await;
        if let Some((asked, told)) = &*last
            && asked.elapsed() < FRESH
        {
            return told.clone();
        }
        let told = tokio::time::timeout(PATIENCE, (self.ask)()).await;
        let told = told.unwrap_or_else(|_| "unknown".to_owned());
        *last = Some((Instant::now(), told.clone()));
        told
    }
}

/// Answers "ready?" for the process; clones share the flag and the answers.
#[derive(Clone)]
pub struct Readiness(Arc<ReadinessInner>);

struct ReadinessInner {
    draining: AtomicBool,
    heartbeats: HeartbeatRegistry,
    probes: Vec<Probe>,
    details: Vec<StatusDetail>,
}

/// What `/readyz` shows.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadinessReport {
    /// `ready` or `not ready`.
    pub status: &'static str,
    /// Each check by name: `ok`, or what is wrong.
    #[schema(value_type = BTreeMap<String, String>)]
    pub checks: BTreeMap<&'static str, String>,
    /// What makes the process no less ready: how fetching from Avinode stands.
    #[schema(value_type = BTreeMap<String, String>)]
    pub details: BTreeMap<&'static str, String>,
}

impl ReadinessReport {
    /// Whether every check is `ok`.
    pub fn is_ready(&self) -> bool {
        self.checks.values().all(|found| found == "ok")
    }
}

impl Readiness {
    /// Ready while all probes are well and no loop is silent.
    pub fn new(heartbeats: HeartbeatRegistry, probes: Vec<Probe>) -> Self {
        Self::with_details(heartbeats, probes, Vec::new())
    }

    /// The same, with details.
    pub fn with_details(heartbeats: HeartbeatRegistry, probes: Vec<Probe>, details: Vec<StatusDetail>) -> Self {
        Self(Arc::new(ReadinessInner {
            details,
            draining: AtomicBool::new(false),
            heartbeats,
            probes,
        }))
    }

    /// Not ready from now on: the process is about to end.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Asks everything now. While draining nothing else is asked: the answer is known.
    pub async fn report(&self) -> ReadinessReport {
        let (mut checks, mut details) = (BTreeMap::new(), BTreeMap::new());
        if self.0.draining.load(Ordering::Relaxed) {
            checks.insert("accepting", "draining".to_owned());
        } else {
            checks.insert("accepting", "ok".to_owned());
            let stale = self.0.heartbeats.stale();
            let loops = if stale.is_empty() {
                "ok".to_owned()
            } else {
                format!("stale: {}", stale.join(", "))
            };
            checks.insert("loops", loops);
            let findings = join_all(self.0.probes.iter().map(Probe::find)).await;
            for (probe, finding) in self.0.probes.iter().zip(findings) {
                checks.insert(probe.name, finding.err().unwrap_or("ok").to_owned());
            }
            for (detail, told) in self
                .0
                .details
                .iter()
                .zip(join_all(self.0.details.iter().map(StatusDetail::tell)).await)
            {
                details.insert(detail.name, told);
            }
        }
        let mut report = ReadinessReport {
            status: "ready",
            checks,
            details,
        };
        if !report.is_ready() {
            report.status = "not ready";
        }
        report
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness")
            .field("draining", &self.0.draining)
            .finish_non_exhaustive()
    }
}
