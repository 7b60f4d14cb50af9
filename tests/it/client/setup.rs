//! Clients for tests, with recognisable credentials, a fixed time and short timeouts.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avinode_ingest::avinode::client::avinode_client::AvinodeClient;
use avinode_ingest::avinode::client::base_url::BaseUrl;
use avinode_ingest::avinode::client::config::{ClientLimits, ClientSettings};
use avinode_ingest::avinode::client::dns_guard::{DnsLookup, LookupFuture};
use avinode_ingest::avinode::client::query_parameters::QueryParameters;
use avinode_ingest::avinode::resource::Resource;
use avinode_ingest::clock::Clock;
use avinode_ingest::domain::ids::ResourceId;
use chrono::{DateTime, Utc};

pub const API_TOKEN: &str = "the-api-token-hush";
pub const BEARER: &str = "the-bearer-hush";

/// The time of every call.
pub fn now() -> DateTime<Utc> {
    "2026-01-31T10:00:00.123456789Z".parse().unwrap()
}

pub fn settings(base: &str, limits: ClientLimits) -> ClientSettings {
    ClientSettings {
        base: BaseUrl::parse(base, true).unwrap(),
        api_token: API_TOKEN.into(),
        bearer: BEARER.into(),
        act_as_account: Some("acct-hush".to_owned()),
        query_parameters: QueryParameters::default(),
        limits,
    }
}

/// Limits that a test can wait for.
pub fn short() -> ClientLimits {
    ClientLimits {
        connect: Duration::from_millis(500),
        total: Duration::from_millis(700),
        body: 64 * 1024,
    }
}

/// Creates a client with the default limits.
pub fn client(base: &str) -> AvinodeClient {
    AvinodeClient::new(&settings(base, ClientLimits::default()), Clock::Fixed(now())).unwrap()
}

/// Creates a client with short limits.
pub fn hasty(base: &str) -> AvinodeClient {
    AvinodeClient::new(&settings(base, short()), Clock::Fixed(now())).unwrap()
}

/// Creates a client with these DNS answers, one after the other; the last one is repeated.
pub fn with_answers(base: &str, answers: &[&[SocketAddr]]) -> AvinodeClient {
    let answers = answers.iter().map(|addresses| addresses.to_vec()).collect();
    let lookup = Arc::new(Answers(Mutex::new(answers)));
    AvinodeClient::with_lookup(&settings(base, short()), Clock::Fixed(now()), lookup).unwrap()
}

pub fn resource(id: &str) -> Resource {
    Resource::by_id(&ResourceId::parse(id).unwrap()).unwrap()
}

#[derive(Debug)]
struct Answers(Mutex<Vec<Vec<SocketAddr>>>);

impl DnsLookup for Answers {
    fn lookup(&self, _: &str) -> LookupFuture {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0].clone()
        };
        Box::pin(async move { Ok(answer) })
    }
}
