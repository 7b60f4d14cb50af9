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

/// An asynchronous function with a cache for its last result.
struct CachedCall<T> {
    call: Box<dyn Fn() -> BoxFuture<'static, T> + Send + Sync>,
    timeout: Duration,
    /// Locked during the call, so that concurrent callers share its result.
    last: Mutex<Option<(Instant, T)>>,
}

impl<T: Clone> CachedCall<T> {
    fn new(call: impl Fn() -> BoxFuture<'static, T> + Send + Sync + 'static) -> Self {
        Self {
            call: Box::new(call),
            timeout: PROBE_TIMEOUT,
            last: Mutex::new(None),
        }
    }

    /// Returns the cached or a new result; `on_timeout` if the call takes too long.
    async fn get(&self, on_timeout: T) -> T {
        let mut last = self.last.lock().await;
        if let Some((at, result)) = &*last
            && at.elapsed() < CACHE_TIME
        {
            return result.clone();
        }
        let result = tokio::time::timeout(self.timeout, (self.call)()).await;
        let result = result.unwrap_or(on_timeout);
        *last = Some((Instant::now(), result.clone()));
        result
    }
}

/// A check that must succeed for the process to be ready, for example that the database answers.
pub struct ReadinessProbe {
    name: &'static str,
    check: CachedCall<ProbeResult>,
}

impl ReadinessProbe {
    /// A check, and its name in the report. A check that takes longer than two seconds has failed.
    pub fn new(
        name: &'static str,
        check: impl Fn() -> BoxFuture<'static, ProbeResult> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            check: CachedCall::new(check),
        }
    }

    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.check.timeout = timeout;
        self
    }
}

/// Information in the report that does not affect readiness. Its text must not contain secrets.
pub struct StatusDetail {
    name: &'static str,
    read: CachedCall<String>,
}

impl StatusDetail {
    /// A detail, and its name in the report; `unknown` if reading it takes longer than two seconds.
    pub fn new(name: &'static str, read: impl Fn() -> BoxFuture<'static, String> + Send + Sync + 'static) -> Self {
        Self {
            name,
            read: CachedCall::new(read),
        }
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
    pub fn new(heartbeats: HeartbeatRegistry, probes: Vec<ReadinessProbe>) -> Self {
        Self::with_details(heartbeats, probes, Vec::new())
    }

    pub fn with_details(
        heartbeats: HeartbeatRegistry,
        probes: Vec<ReadinessProbe>,
        details: Vec<StatusDetail>,
    ) -> Self {
        Self(Arc::new(ReadinessInner {
            details,
            draining: AtomicBool::new(false),
            heartbeats,
            probes,
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
            checks.extend(
                join_all(self.0.probes.iter().map(async |probe| {
                    let result = probe.check.get(Err("no answer in time")).await;
                    (probe.name, result.err().unwrap_or("ok").to_owned())
                }))
                .await,
            );
            details.extend(
                join_all(
                    self.0
                        .details
                        .iter()
                        .map(async |detail| (detail.name, detail.read.get("unknown".to_owned()).await)),
                )
                .await,
            );
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
