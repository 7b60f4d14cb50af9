//! Readiness: the drain flag, the heartbeats of the loops and the probes, in one report. Probes return fixed texts, not
//! errors, so that the public report cannot contain an address, a password or SQL.

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

/// Results are cached for this long, so that a flood of requests runs each probe once per second.
const CACHE_TIME: Duration = Duration::from_secs(1);

const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// `Err` holds the reason in a few fixed words.
pub type ProbeResult = Result<(), &'static str>;

/// An entry of the report: its name, and the function that reads it, with a cache for the last result.
pub struct ReportEntry<T> {
    name: &'static str,
    read: Box<dyn Fn() -> BoxFuture<'static, T> + Send + Sync>,
    timeout: Duration,
    /// Locked during the call, so that concurrent callers share its result.
    last: Mutex<Option<(Instant, T)>>,
}

/// A check that must succeed for the process to be ready, for example that the database answers. One that takes longer than
/// two seconds has failed.
pub type ReadinessProbe = ReportEntry<ProbeResult>;

/// Information in the report that does not affect readiness; `unknown` if reading it takes longer than two seconds. Its text
/// must not contain secrets.
pub type StatusDetail = ReportEntry<String>;

impl<T: Clone> ReportEntry<T> {
    pub fn new(name: &'static str, read: impl Fn() -> BoxFuture<'static, T> + Send + Sync + 'static) -> Self {
        Self {
            name,
            read: Box::new(read),
            timeout: PROBE_TIMEOUT,
            last: Mutex::new(None),
        }
    }

    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Returns the cached or a new result; `on_timeout` if the call takes too long.
    async fn get(&self, on_timeout: T) -> T {
        let mut last = self.last.lock().await;
        if let Some((at, result)) = &*last
            && at.elapsed() < CACHE_TIME
        {
            return result.clone();
        }
        let result = tokio::time::timeout(self.timeout, (self.read)()).await;
        let result = result.unwrap_or(on_timeout);
        *last = Some((Instant::now(), result.clone()));
        result
    }
}

/// The readiness of the process; clones share the drain flag and the cached results.
#[derive(Clone)]
pub struct Readiness(Arc<ReadinessInner>);

struct ReadinessInner {
    draining: AtomicBool,
    heartbeats: HeartbeatRegistry,
    probes: Vec<ReadinessProbe>,
    details: Vec<StatusDetail>,
}

/// The result of the readiness probe.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadinessReport {
    /// `ready` or `not ready`.
    pub status: &'static str,
    /// Each check by name: `ok`, or the reason for its failure.
    #[schema(value_type = BTreeMap<String, String>)]
    pub checks: BTreeMap<&'static str, String>,
    /// Information that does not affect readiness, such as the state of fetching from Avinode.
    #[schema(value_type = BTreeMap<String, String>)]
    pub details: BTreeMap<&'static str, String>,
}

impl ReadinessReport {
    pub fn is_ready(&self) -> bool {
        self.checks.values().all(|result| result == "ok")
    }
}

impl Readiness {
    /// Ready while every probe succeeds and every loop sends its heartbeats.
    pub fn new(heartbeats: HeartbeatRegistry, probes: Vec<ReadinessProbe>, details: Vec<StatusDetail>) -> Self {
        Self(Arc::new(ReadinessInner {
            draining: AtomicBool::new(false),
            heartbeats,
            probes,
            details,
        }))
    }

    /// Reports "not ready" from now on: the process is shutting down.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Runs every check. While draining it runs none, since the result is known.
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
            let probes = self.0.probes.iter().map(async |probe| {
                let result = probe.get(Err("no answer in time")).await;
                (probe.name, result.err().unwrap_or("ok").to_owned())
            });
            checks.extend(join_all(probes).await);
            let read = async |detail: &StatusDetail| (detail.name, detail.get("unknown".to_owned()).await);
            details.extend(join_all(self.0.details.iter().map(read)).await);
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
