//! The part of the process that fetches: its worker, and what `/readyz` tells of it.

use std::sync::Arc;

use tokio::sync::Notify;

use super::Settings;
use crate::avinode::client::get::NoClient;
use crate::avinode::client::settings::AvinodeSettings;
use crate::http::readiness::Detail;
use crate::jobs::fetch::standing;
use crate::jobs::registry;
use crate::postgres::transaction::Pool;
use crate::queue::paced::Paced;
use crate::queue::retry::RetryPolicy;

/// Connections of the worker's own: one claims while what was fetched is applied by the others.
pub const FETCHING_CONNECTIONS: u32 = 3;

/// The worker that fetches.
pub(super) fn worker(
    pool: &Pool,
    settings: &Settings,
    avinode: &AvinodeSettings,
    bell: Arc<Notify>,
) -> Result<Arc<Paced>, NoClient> {
    let own = pool.beside(FETCHING_CONNECTIONS);
    let paced = registry::fetching(own, pool.clone(), avinode, settings.policy, settings.clock)?;
    Ok(Arc::new(Paced {
        lease: settings.lease,
        poll: settings.poll,
        // How often is the fetching worker's own: Avinode's patience is two days.
        retry: RetryPolicy {
            max_attempts: paced.retry.max_attempts,
            ..settings.retry
        },
        bell,
        ..paced
    }))
}

/// How fetching stands, in all processes together: where it waits for credentials or has stopped, deliveries are taken all the
/// same.
pub(super) fn detail(pool: &Pool) -> Detail {
    let pool = pool.clone();
    Detail::new("fetching", move || {
        let pool = pool.clone();
        Box::pin(async move {
            match standing::standing(&pool).await {
                Ok(found) => standing::words(&found),
                Err(_) => "unknown".to_owned(),
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::avinode::client::base::Base;
    use crate::avinode::client::settings::{ClientSettings, Limits};

    #[tokio::test]
    async fn delays_are_those_of_the_settings_and_attempts_the_fetching_workers_own() {
        let settings = Settings {
            retry: RetryPolicy {
                base: Duration::from_millis(11),
                max: Duration::from_secs(7),
                max_attempts: 3,
                ..RetryPolicy::default()
            },
            ..Settings::default()
        };
        let avinode = AvinodeSettings {
            client: ClientSettings {
                base: Base::parse("http://127.0.0.1:1/api", true).unwrap(),
                api_token: "token".into(),
                bearer: "bearer".into(),
                act_as_account: None,
                limits: Limits::default(),
            },
            calls_per_second: 1.0,
            burst: 1,
            settle: Duration::from_secs(3),
            reconcile_every: None,
        };
        // Never connected to.
        let options = sqlx::postgres::PgConnectOptions::new().host("127.0.0.1").port(1);
        let pool = crate::postgres::pool::pool(options, 1, "a test", Duration::from_secs(1));
        let worker = worker(&pool, &settings, &avinode, Arc::default()).unwrap();
        assert_eq!(
            (worker.retry.base, worker.retry.max, worker.retry.max_attempts),
            (Duration::from_millis(11), Duration::from_secs(7), 400)
        );
    }
}
