use std::time::Duration;

use super::*;
use crate::avinode::client::base_url::BaseUrl;
use crate::avinode::client::config::{ClientLimits, ClientSettings};
use crate::avinode::client::query_parameters::QueryParameters;

#[tokio::test]
async fn delays_come_from_the_settings_and_attempts_are_those_of_fetching() {
    let settings = ServiceSettings {
        retry: RetryPolicy {
            base: Duration::from_millis(11),
            max: Duration::from_secs(7),
            max_attempts: 3,
            ..RetryPolicy::default()
        },
        ..ServiceSettings::default()
    };
    let avinode = AvinodeSettings {
        client: ClientSettings {
            base: BaseUrl::parse("http://127.0.0.1:1/api", true).unwrap(),
            api_token: "token".into(),
            bearer: "bearer".into(),
            act_as_account: None,
            query_parameters: QueryParameters::default(),
            limits: ClientLimits::default(),
        },
        calls_per_second: 1.0,
        burst: 1,
        api_lag: Duration::from_secs(3),
        reconcile_every: None,
    };
    // Connects lazily, and so never.
    let options = sqlx::postgres::PgConnectOptions::new().host("127.0.0.1").port(1);
    let pool = crate::postgres::pool::pool(options, 1, "a test", Duration::from_secs(1));
    let leader = leader(&pool, &settings, &avinode, Arc::default(), &SessionChanges::default()).unwrap();
    assert_eq!(
        (leader.retry.base, leader.retry.max, leader.retry.max_attempts),
        (Duration::from_millis(11), Duration::from_secs(7), 400)
    );
}
