//! How fetching stands, in words: for `check`, for `/readyz`, and for whoever lists jobs that wait.

use super::LIMITER;
use crate::domain::job_kind::JobKind;
use crate::postgres::transaction::Pool;
use crate::queue::standing::{self as limiter, Standing};

/// What is missing where nothing fetches.
pub const NO_CREDENTIALS: &str =
    "no process has credentials of Avinode's API: AVINODE_BASE_URL, AVINODE_API_TOKEN and AVINODE_BEARER";

/// How fetching stands.
pub async fn standing(pool: &Pool) -> Result<Standing, sqlx::Error> {
    limiter::standing(pool, LIMITER).await
}

/// Why what waits for fetching waits, and will for long; `None` where it is fetched, or paused for moments.
pub fn waits(standing: &Standing) -> Option<String> {
    match standing {
        Standing::Unserved => Some(NO_CREDENTIALS.to_owned()),
        Standing::Stopped { because, .. } => Some(format!("fetching has stopped: {because}")),
        Standing::Open { .. } | Standing::Paused { .. } | Standing::Running => None,
    }
}

/// In words of one line.
pub fn words(standing: &Standing) -> String {
    match standing {
        Standing::Unserved => format!("waiting: {NO_CREDENTIALS}"),
        Standing::Stopped { because, .. } => format!("stopped: {because}"),
        Standing::Open { .. } => "paused: Avinode does not answer as it should".to_owned(),
        Standing::Paused { .. } => "paused: Avinode limits our calls".to_owned(),
        Standing::Running => "ok".to_owned(),
    }
}

/// The kinds of jobs that nothing serves for now, and why: none where they are fetched.
pub async fn unserved(pool: &Pool) -> Result<(Vec<JobKind>, String), sqlx::Error> {
    Ok(match waits(&standing(pool).await?) {
        Some(why) => (JobKind::FETCHING.to_vec(), why),
        None => (Vec::new(), String::new()),
    })
}
