//! The registry of handlers: the workers' table of contents, in order of urgency.

use std::sync::Arc;

use super::{apply, event, expire, rematch};
use crate::clock::Clock;
use crate::domain::election::Policy;
use crate::postgres::transaction::Pool;
use crate::queue::job::Handler;

/// Kinds of jobs that nothing serves yet: kept, listed, and worked off once something does.
///
/// `thin`: a thin notification is only a hint; it waits for the fetching of its resource.
pub const WAITING_KINDS: [&str; 1] = ["thin"];

/// All handlers, the most urgent first.
pub fn registry(pool: &Pool, policy: Policy, clock: Clock) -> Vec<Arc<dyn Handler>> {
    let applier = Arc::new(apply::Applier {
        pool: pool.clone(),
        policy,
        clock,
    });
    vec![
        Arc::new(event::EventJob {
            applier: applier.clone(),
            kind: event::KIND,
            replayed: false,
        }),
        Arc::new(rematch::RematchJob {
            applier: applier.clone(),
        }),
        Arc::new(expire::ExpireJob {
            applier: applier.clone(),
        }),
        Arc::new(event::EventJob {
            applier: applier.clone(),
            kind: event::KIND_AGAIN,
            replayed: true,
        }),
        Arc::new(event::EventJob {
            applier,
            kind: event::KIND_UNKNOWN,
            replayed: false,
        }),
    ]
}
