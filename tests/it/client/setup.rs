//! A client for tests: credentials that can be looked for, a fixed time, short patience.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avinode_ingest::avinode::client::avinode_client::AvinodeClient;
use avinode_ingest::avinode::client::base_url::BaseUrl;
use avinode_ingest::avinode::client::config::{ClientLimits, ClientSettings};
use avinode_ingest::avinode::client::dns_guard::{DnsLookup, LookupFuture};
use avinode_ingest::avinode::resource::Resource;
use avinode_ingest::avinode::resource_id::ResourceId;
use avinode_ingest::clock::Clock;
use chrono::{DateTime, Utc};

/// What no stranger may get.
pub const API_TOKEN: &str = "the-api-token-hush";
/// What no stranger may get either.
pub const BEARER: &str = "the-bearer-hush";

/// The time of every call.
pub fn now() -> DateTime<Utc> {
    "2026-01-31T10:00:00.123456789Z".parse().unwrap()
}

/// The settings for a base.
pub fn settings(base: &str, limits: ClientLimits) -> ClientSettings {
    ClientSettings {
        base: BaseUrl::parse(base, true).unwrap(),
        api_token: API_TOKEN.into(),
        bearer: BEARER.into(),
        act_as_account: Some("acct-hush".to_owned()),
        limits,
    }
}

/// Ends that a test can wait for.
pub fn short() -> ClientLimits {
    ClientLimits {
        connect: Duration::from_millis(500),
        total: Duration::from_millis(700),
        body: 64 * 1024,
    }
}

/// A client for a base, with the usual limits.
pub fn client(base: &str) -> AvinodeClient {
    AvinodeClient::new(&settings(base, ClientLimits::default()), Clock::Fixed(now())).unwrap()
}

/// A client for a base, with short limits.
pub fn hasty(base: &str) -> AvinodeClient {
    AvinodeClient::new(&settings(base, short()), Clock::Fixed(now())).unwrap()
}

/// A client whose names are looked up in a test's answers, in turn, the last one for ever.
pub fn with_answers(base: &str, answers: &[&[SocketAddr]]) -> AvinodeClient {
    let answers = answers.iter().map(|addresses| addresses.to_vec()).collect();
    let lookup = Arc::new(Answers(Mutex::new(answers)));
    AvinodeClient::with_lookup(&settings(base, short()), Clock::Fixed(now()), lookup).unwrap()
}

/// A resource by its id.
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
