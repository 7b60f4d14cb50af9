//! Several concurrent workers, which a test starts and lets finish.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use avinode_ingest::queue::worker::Worker;
use tokio::task::JoinSet;

use super::PATIENCE;
use super::eventually::eventually;
use super::snapshot::live_jobs;

/// Workers that step without pause.
pub struct WorkerPool {
    workers: JoinSet<()>,
    /// No more jobs come from outside.
    closed: Arc<AtomicBool>,
}

impl WorkerPool {
    pub fn start(worker: &Arc<Worker>, workers: usize) -> Self {
        let closed = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for number in 0..workers {
            let (worker, closed) = (worker.clone(), closed.clone());
            tasks.spawn(async move {
                let name = format!("worker {number}");
                while work_or_finish(&worker, &name, &closed).await {}
            });
        }
        Self { workers: tasks, closed }
    }

    /// Lets the workers end when no job is left.
    pub async fn finish(mut self) {
        self.closed.store(true, Ordering::SeqCst);
        while let Some(ended) = self.workers.join_next().await {
            ended.unwrap();
        }
    }
}

/// Steps until it ran a job (`true`), or no job is left and no more come (`false`).
async fn work_or_finish(worker: &Worker, name: &str, closed: &AtomicBool) -> bool {
    // An idle worker waits for another one, or for a job that met a lock, which is due again some milliseconds later.
    eventually(PATIENCE * 5, "a job is due or none is left", async || {
        // Read before the step: the step sees a job that was queued before the flag was set.
        let closed = closed.load(Ordering::SeqCst);
        if worker.step(name).await.unwrap().jobs > 0 {
            return Ok(true);
        }
        match closed {
            true => match live_jobs(&worker.pool).await {
                0 => Ok(false),
                left => Err(format!("{left} jobs are left")),
            },
            false => Err("more may come".to_owned()),
        }
    })
    .await
}
