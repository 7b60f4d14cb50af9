//! Two processes on one database behind a load balancer, and the replacement of one of them.

use std::net::TcpListener;

use avinode_ingest::simulator::credentials::ApiCredentials;

use super::balancer::Balancer;
use super::instance::Instance;
use super::release::Release;
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;

/// The token of the API.
pub const TOKEN: &str = "a-token-that-reads-the-sessions";
/// Longer than HAProxy needs to see that a process is not ready.
const DRAIN_DELAY: &str = "1500ms";
/// The limit of the calls of the simulated Avinode, by both processes together.
pub const CALLS_PER_SECOND: f64 = 30.0;
pub const BURST: u32 = 30;

/// The addresses of a process.
struct Slot {
    listen: String,
    admin: String,
}

pub struct Deployment {
    pub balancer: Balancer,
    pub instances: [Instance; 2],
    slots: [Slot; 2],
    settings: Vec<(&'static str, String)>,
}

impl Deployment {
    /// Starts two processes of a release.
    pub async fn start(db: &Db, avinode: &FakeAvinode, release: &Release) -> Self {
        let [public, listen_a, listen_b, admin_a, admin_b] = free_addresses();
        let ApiCredentials { api_token, bearer } = ApiCredentials::default();
        let settings = vec![
            ("DATABASE_URL", db.url()),
            ("INGEST_PRIMARY_QUOTE_POLICY", "lowest-price".to_owned()),
            ("INGEST_DRAIN_DELAY", DRAIN_DELAY.to_owned()),
            ("INGEST_API_TOKENS", format!("app:read:{TOKEN}")),
            ("AVINODE_BASE_URL", avinode.base()),
            ("AVINODE_INSECURE_LOOPBACK", "true".to_owned()),
            ("AVINODE_API_TOKEN", api_token.clone()),
            ("AVINODE_BEARER", bearer.clone()),
            ("AVINODE_CALLS_PER_SECOND", CALLS_PER_SECOND.to_string()),
            ("AVINODE_BURST", BURST.to_string()),
            ("AVINODE_API_LAG", "1s".to_owned()),
        ];
        let slots = [(listen_a, admin_a), (listen_b, admin_b)].map(|(listen, admin)| Slot { listen, admin });
        let instances = [
            start(release, &slots[0], &settings).await,
            start(release, &slots[1], &settings).await,
        ];
        let balancer = Balancer::start(&public, [&slots[0].listen, &slots[1].listen]).await;
        Self {
            balancer,
            instances,
            slots,
            settings,
        }
    }

    /// Ends a process and starts one of this release on its addresses.
    pub async fn replace(self, number: usize, release: &Release) -> Self {
        let Self {
            balancer,
            instances,
            slots,
            settings,
        } = self;
        let [first, second] = instances;
        let (ends, stays) = if number == 0 { (first, second) } else { (second, first) };
        ends.stop().await;
        let begins = start(release, &slots[number], &settings).await;
        let instances = if number == 0 { [begins, stays] } else { [stays, begins] };
        Self {
            balancer,
            instances,
            slots,
            settings,
        }
    }
}

async fn start(release: &Release, slot: &Slot, settings: &[(&'static str, String)]) -> Instance {
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Instance::start(release, &slot.listen, &slot.admin, &settings).await
}

/// Addresses that are free now: the processes of one address come and go, and the load balancer knows it.
fn free_addresses<const COUNT: usize>() -> [String; COUNT] {
    let listeners = [(); COUNT].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().to_string())
}
