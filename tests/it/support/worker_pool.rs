//! Several workers at once, which a test starts and lets finish.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use avinode_ingest::queue::worker::Worker;
use tokio::task::JoinSet;

use super::snapshot::live_jobs;

/// Workers that step without pause.
pub struct Crew {
    workers: JoinSet<()>,
    nothing_comes: Arc<AtomicBool>,
}

impl Crew {
    /// Starts so many workers.
    pub fn start(shift: &Arc<Worker>, workers: usize) -> Self {
        let nothing_comes = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for number in 0..workers {
            let (shift, last) = (shift.clone(), nothing_comes.clone());
            tasks.spawn(async move {
                let name = format!("worker {number}");
                loop {
                    // Read before the step: a job queued before this flag was set is seen by the step after it.
                    let nothing_comes = last.load(Ordering::SeqCst);
                    let step = shift.step(&name).await.unwrap();
                    if step.jobs == 0 {
                        if nothing_comes && live_jobs(&shift.pool).await == 0 {
                            return;
                        }
                        // Nothing is due: a colleague works, or what met a lock comes back in some milliseconds.
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                }
            });
        }
        Self {
            workers: tasks,
            nothing_comes,
        }
    }

    /// Nothing new comes: they end when nothing is left to do.
    pub async fn finish(mut self) {
        self.nothing_comes.store(true, Ordering::SeqCst);
        while let Some(ended) = self.workers.join_next().await {
            ended.unwrap();
        }
    }
}
